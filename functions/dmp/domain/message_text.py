"""What a message says in French to whoever it is for, by its kind alone: what it is about, its references name."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.notification import PATIENT, Message

_TEXTS = Path(__file__).parent.parent / "data" / "communications_fr.json"


def text_of(message: Message) -> str:
    """The text for the person of the record, or for the professional or structure it is addressed to."""
    return str(_texts()[message.kind][PATIENT if message.recipient == PATIENT else "other"])


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes())["kinds"])

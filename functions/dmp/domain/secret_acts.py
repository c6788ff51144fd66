"""Acts that a minor may keep secret from the holders of parental authority, by their codes (L.1111-5, L.2212-7)."""

import json
from functools import cache
from pathlib import Path

_LIST = Path(__file__).parent.parent / "data" / "secret_acts.json"


def may_be_kept_secret(code: str) -> bool:
    """Whether a code, of whatever system, is that of such an act: no secret is lost to a misspelt system.

    Acts whose code tells nothing of it are marked by whoever feeds them.
    """
    exact, families = _codes()
    return code.upper() in exact or code.upper().startswith(families)


@cache
def _codes() -> tuple[frozenset[str], tuple[str, ...]]:
    acts = json.loads(_LIST.read_bytes())["acts"]
    exact = frozenset(act["code"] for act in acts if not act.get("family"))
    return exact, tuple(act["code"] for act in acts if act.get("family"))

"""What the audit table holds of a caller outside of any record, read past the code under test."""

import json
from typing import Any

from dmp.composition import foundation
from dmp.domain.identifiers import PSEUDONYM, Identifier
from dmp.domain.requester import Requester
from tests.fed_record import partition


def traced_of(stores: dict[str, str], who: Requester) -> list[dict[str, Any]]:
    """The entries of requests that concerned no record, oldest first."""
    keyring = foundation().keyring
    actor = Identifier(PSEUDONYM, keyring.person(who.ins)) if who.ins else who.identifier
    items = partition(stores["AUDIT_TABLE"], f"X#{keyring.identifier_digest(actor)}")
    return [json.loads(item["entry"]["S"]) for item in items]

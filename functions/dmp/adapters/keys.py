"""Where each thing lies: the form of every partition and sort key, known here alone."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

HEAD = "D~"
"""Sort key of the head: right behind the newest document, so that one descending query brings both."""

DOCUMENTS = "D#"
CONSENTS = "C#"
LISTS = "L#"
MESSAGES = "M#"
IDENTIFIERS = "I#"
SUBSCRIPTIONS = "S#"
PROFILE = "E#"
"""Entries of the structured profile: with the persons and what documents offer, right behind the head."""
PERSONS = "EP#"
EXTRACTIONS = "EX#"
PROFILE_END = "EX~"
"""Behind the last of what lies there: one query from the head on brings it all."""
TEXTS = "T#"
EXPORTS = "Y#"
REIMBURSEMENTS = "B#"
EXPIRY_SHARDS = 8
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_REVERSED = str.maketrans(_DIGITS, _DIGITS[::-1])
ACTOR_SHARDS = 8
CHAIN_SHARDS = 8
SEALS = "SEALS"
"""The partition of the audit table for the seals of the trace, in the order of time."""


class Due(StrEnum):
    """What lies in the index of things due, each in months of its own: the letter that begins them."""

    CONSENTS = ""
    DOCUMENTS = "V"
    RECORDS = "R"
    MAILS = "M"
    UPLOADS = "U"


def partition(record: str) -> str:
    """The partition of a record, in both tables."""
    return f"R#{record}"


def record_of(pk: str) -> str:
    """The record that a partition belongs to."""
    return pk.removeprefix("R#")


def chain(record: str) -> str:
    """The partition of the audit table for the chain of a record's trace."""
    return f"K#{record}"


def chain_link(number: int) -> str:
    """Sort key of the link behind which a chain has this many entries."""
    return f"{number:012d}"


def grown_chains(month: str, number: int) -> str:
    """The partition of the audit table for the heads of a month (`YYYY-MM`) and shard that are to be sealed."""
    return f"W#{month}#{number}"


def caller_partition(digest: str) -> str:
    """The partition of the audit table for what concerns no record."""
    return f"X#{digest}"


def document(local: str) -> str:
    """Sort key of a document entry: newest last."""
    return DOCUMENTS + local


def consent(local: str) -> str:
    """Sort key of a Consent."""
    return CONSENTS + local


def document_list(local: str) -> str:
    """Sort key of a SubmissionSet or Folder."""
    return LISTS + local


def related_person(local: str) -> str:
    """Sort key of a RelatedPerson."""
    return PERSONS + local


def profile_entries(kind: str) -> str:
    """What the sort keys of all entries of the profile of one type begin with."""
    return f"{PROFILE}{kind}#"


def profile_entry(kind: str, local: str) -> str:
    """Sort key of an entry of the profile."""
    return profile_entries(kind) + local


def extraction(document: str) -> str:
    """Sort key of what a document offers to the profile: that of the newest document first."""
    return EXTRACTIONS + reversed_order(document)


def reversed_order(local: str) -> str:
    """A local id written so that the order of such texts is the other way round; twice, it is itself."""
    return local.translate(_REVERSED)


def document_text(local: str) -> str:
    """Sort key of the words of a document."""
    return TEXTS + local


def export(local: str) -> str:
    """Sort key of an export."""
    return EXPORTS + local


def exporter(digest: str) -> str:
    """Sort key of which export somebody has under way."""
    return f"YA#{digest}"


def reimbursement(local: str) -> str:
    """Sort key of a line of reimbursement: in the order of the days of care."""
    return REIMBURSEMENTS + local


def reimbursement_name(digest: str) -> str:
    """Sort key of what leads from a name to a line of reimbursement."""
    return f"BI#{digest}"


def message(local: str) -> str:
    """Sort key of a message."""
    return MESSAGES + local


def subscription(local: str) -> str:
    """Sort key of a Subscription."""
    return SUBSCRIPTIONS + local


def first_access(digest: str, *, is_secret: bool = False) -> str:
    """Sort key of the mark that a professional has been in a record, in a connexion secrète or otherwise."""
    return f"F#{digest}#secret" if is_secret else f"F#{digest}"


def inbox(digest: str) -> str:
    """Hash key, in the index of actors, of what is addressed to a professional or structure."""
    return f"M#{digest}"


def quota(kind: str, digest: str, window: str) -> dict[str, dict[str, str]]:
    """The key of what a caller has used of a quota in a window of time."""
    return item_key(f"Q#{kind}#{digest}", window)


def opposition(digest: str) -> dict[str, dict[str, str]]:
    """The key of the item that keeps everybody from opening a record for an INS."""
    return item_key(f"INS#{digest}", "OPPOSED")


def former(kind: str, local: str, version: int) -> str:
    """Sort key of a former version."""
    return f"{formers(kind, local)}{version:06d}"


def formers(kind: str, local: str) -> str:
    """What the sort keys of all former versions of a resource begin with."""
    return f"V#{kind}#{local}#"


def unique_id(digest: str) -> str:
    """Sort key of the claim on a unique id."""
    return f"U#{digest}"


def other_identifier(digest: str, local: str) -> str:
    """Sort key of a further identifier of a resource."""
    return f"{IDENTIFIERS}{digest}#{local}"


def criterion(text: str) -> str:
    """Sort key of the claim of a conditional create."""
    return f"N#{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def ins(digest: str) -> dict[str, dict[str, str]]:
    """The key of the item that leads from an INS to its record."""
    return {"pk": {"S": f"INS#{digest}"}, "sk": {"S": "INS"}}


def item_key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    """A primary key as DynamoDB takes it."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def shard(text: str, shards: int) -> int:
    """Spread texts evenly over a number of shards."""
    return hashlib.sha256(text.encode()).digest()[0] % shards


def due_month(kind: Due, moment: datetime, number: int) -> str:
    """Hash key of the index of things due: what, a month (UTC) and a shard."""
    return f"{kind}{instant(moment)[:7]}#{number}"


def actor_shard(digest: str, number: int) -> str:
    """Hash key of the index of an actor's records."""
    return f"{digest}#{number}"


def instant(moment: datetime) -> str:
    """A moment as sortable text, UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")

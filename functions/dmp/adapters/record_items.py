"""The head of a record, with every directive in force, as an item of the records table."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dmp.adapters import keys
from dmp.domain.consent import ConsentKind, Directive, Grantor, Relationship
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Closure, ClosureMotive, Identity, Record, RecordStatus, Suspension, Telecom

type Item = dict[str, Any]


def text(content: object) -> str:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def maybe_identifier(value: str | None) -> Identifier | None:
    """Read `system|value` where there is one."""
    return Identifier.parse(value) if value else None


def maybe_text(value: object) -> str | None:
    """Write an identifier or an instant where there is one."""
    if isinstance(value, datetime):
        return keys.instant(value)
    return str(value) if value is not None else None


def maybe_instant(value: str | None) -> datetime | None:
    """Read an instant where there is one."""
    return datetime.fromisoformat(value) if value else None


def write_directive(directive: Directive) -> list[object]:
    """A directive as a row."""
    return [
        directive.consent,
        directive.kind,
        directive.permit,
        maybe_text(directive.actor),
        keys.instant(directive.start),
        maybe_text(directive.end),
        directive.granted_by,
        directive.purposes,
        directive.relationship,
        *([directive.is_secret, directive.document] if directive.document else [True] if directive.is_secret else []),
    ]


def read_directive(row: list[Any]) -> Directive:
    """A directive from its row."""
    consent, kind, permit, actor, start, end, granted_by, purposes, relationship, *rest = row
    return Directive(
        consent=consent,
        kind=ConsentKind(kind),
        permit=permit,
        actor=maybe_identifier(actor),
        start=datetime.fromisoformat(start),
        end=maybe_instant(end),
        granted_by=Grantor(granted_by),
        purposes=tuple(purposes),
        relationship=Relationship(relationship) if relationship else None,
        is_secret=bool(rest and rest[0]),
        document=rest[1] if len(rest) > 1 else "",
    )


def _identity(identity: Identity) -> dict[str, object]:
    return {
        "ins": str(identity.ins),
        "birth_name": identity.birth_name,
        "given_names": identity.given_names,
        "usual_name": identity.usual_name,
        "birth_date": identity.birth_date,
        "gender": identity.gender,
        "birth_place": identity.birth_place,
        "telecom": [[t.system, t.value] for t in identity.telecom],
    }


def _read_identity(content: Mapping[str, Any]) -> Identity:
    return Identity(
        ins=Identifier.parse(content["ins"]),
        birth_name=content["birth_name"],
        given_names=tuple(content["given_names"]),
        usual_name=content["usual_name"],
        birth_date=content["birth_date"],
        gender=content["gender"],
        birth_place=content["birth_place"],
        telecom=tuple(Telecom(*row) for row in content["telecom"]),
    )


def write_record(record: Record, sk: str = keys.HEAD) -> Item:
    """The item of a head; a former one lies under another sort key and leaves its directives behind."""
    closure, suspension = record.closure, record.suspension
    content = {
        "patient_version": record.patient_version,
        "updated": keys.instant(record.updated),
        "identity": _identity(record.identity),
        "opened_at": keys.instant(record.opened_at),
        "opened_by": maybe_text(record.opened_by),
        "closure": [keys.instant(closure.date), closure.motive, closure.reason] if closure else None,
        "directives": [write_directive(d) for d in record.directives] if sk == keys.HEAD else [],
        "decided_at": maybe_text(record.decided_at),
        "suspension": [keys.instant(suspension.date), suspension.reason] if suspension else None,
        "erasure_asked": maybe_text(record.erasure_asked),
        "due": maybe_text(record.due),
        "unwanted": sorted(map(list, record.unwanted)),
    }
    return {
        "pk": {"S": keys.partition(record.id)},
        "sk": {"S": sk},
        "kind": {"S": "record"},
        "st": {"S": record.status.value},
        "v": {"N": str(record.version)},
        "body": {"S": text(content)},
    }


def read_record(item: Item) -> Record:
    """The head of a record from its item."""
    content = json.loads(item["body"]["S"])
    closure, suspension = content["closure"], content["suspension"]
    return Record(
        id=keys.record_of(item["pk"]["S"]),
        version=int(item["v"]["N"]),
        patient_version=content["patient_version"],
        updated=datetime.fromisoformat(content["updated"]),
        status=RecordStatus(item["st"]["S"]),
        identity=_read_identity(content["identity"]),
        opened_at=datetime.fromisoformat(content["opened_at"]),
        opened_by=maybe_identifier(content["opened_by"]),
        closure=Closure(datetime.fromisoformat(closure[0]), ClosureMotive(closure[1]), closure[2]) if closure else None,
        directives=tuple(read_directive(row) for row in content["directives"]),
        decided_at=maybe_instant(content["decided_at"]),
        suspension=Suspension(datetime.fromisoformat(suspension[0]), suspension[1]) if suspension else None,
        erasure_asked=maybe_instant(content["erasure_asked"]),
        due=maybe_instant(content["due"]),
        unwanted=frozenset((kind, channel) for kind, channel in content["unwanted"]),
    )


def record_indexes(record: Record) -> Item:
    """The attributes by which the retention job finds a record."""
    return due_indexes(keys.Due.RECORDS, record.id, record.due)


def due_indexes(kind: keys.Due, identity: str, due: datetime | None) -> Item:
    """The attributes by which a job finds what is due."""
    if due is None:
        return {}
    number = keys.shard(identity, keys.EXPIRY_SHARDS)
    return {
        "gx_month": {"S": keys.due_month(kind, due, number)},
        "gx_at": {"S": f"{keys.instant(due)}#{identity}"},
    }


def still_opposed_by(previous: Grantor | None) -> Item:
    """The condition that an opposition is still that of whom it was read to be, or still none."""
    if previous is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    values = {":previous": {"S": previous.value}}
    return {"ConditionExpression": "opposed_by = :previous", "ExpressionAttributeValues": values}

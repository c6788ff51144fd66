"""The head of a record, its Consents and its messages, as items of the records table."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp.adapters import keys
from dmp.domain.changes import Message
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus, Directive, Grantor, Relationship
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Closure, ClosureMotive, Identity, Record, RecordStatus, Telecom

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _directive(directive: Directive) -> list[object]:
    return [
        directive.consent,
        directive.kind,
        directive.permit,
        maybe_text(directive.actor),
        keys.instant(directive.start),
        maybe_text(directive.end),
        directive.granted_by,
        directive.purpose,
        directive.relationship,
    ]


def _read_directive(row: list[Any]) -> Directive:
    consent, kind, permit, actor, start, end, granted_by, purpose, relationship = row
    return Directive(
        consent=consent,
        kind=ConsentKind(kind),
        permit=permit,
        actor=maybe_identifier(actor),
        start=datetime.fromisoformat(start),
        end=maybe_instant(end),
        granted_by=Grantor(granted_by),
        purpose=purpose,
        relationship=Relationship(relationship) if relationship else None,
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
    closure = record.closure
    content = {
        "patient_version": record.patient_version,
        "updated": keys.instant(record.updated),
        "identity": _identity(record.identity),
        "opened_at": keys.instant(record.opened_at),
        "opened_by": maybe_text(record.opened_by),
        "closure": [keys.instant(closure.date), closure.motive, closure.reason] if closure else None,
        "directives": [_directive(d) for d in record.directives] if sk == keys.HEAD else [],
        "decided_at": maybe_text(record.decided_at),
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
    closure = content["closure"]
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
        directives=tuple(_read_directive(row) for row in content["directives"]),
        decided_at=maybe_instant(content["decided_at"]),
    )


def write_consent(consent: Consent, sk: str | None = None) -> Item:
    """The item of a Consent, without its index attributes."""
    content = {
        "updated": keys.instant(consent.updated),
        "directive": _directive(consent.directive),
        "date_time": keys.instant(consent.date_time),
        "actor_display": consent.actor_display,
        "attested_by": maybe_text(consent.attested_by),
        "attested_by_name": consent.attested_by_name,
        "organization": maybe_text(consent.organization),
        "method": consent.method,
        "attestation": consent.attestation,
        "policy_uri": consent.policy_uri,
        "delegate": consent.delegate,
        "due": maybe_text(consent.due),
    }
    return {
        "pk": {"S": keys.partition(consent.record)},
        "sk": {"S": sk or keys.consent(consent.local)},
        "kind": {"S": "consent"},
        "local": {"S": consent.local},
        "st": {"S": consent.status.value},
        "v": {"N": str(consent.version)},
        "body": {"S": text(content)},
    }


def consent_indexes(consent: Consent, digest: "Callable[[Identifier], str]") -> Item:
    """The attributes by which the expiry job finds a Consent, and an actor those who authorised them."""
    attributes: Item = {}
    directive = consent.directive
    if consent.status is not ConsentStatus.ACTIVE:
        return attributes
    if consent.due:
        number = keys.shard(consent.id, keys.EXPIRY_SHARDS)
        attributes["gx_month"] = {"S": keys.expiry_month(consent.due, number)}
        attributes["gx_at"] = {"S": f"{keys.instant(consent.due)}#{consent.id}"}
    if directive.actor and directive.kind in (ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN):
        number = keys.shard(consent.record, keys.ACTOR_SHARDS)
        attributes["ga_actor"] = {"S": keys.actor_shard(digest(directive.actor), number)}
        attributes["ga_at"] = {"S": consent.id}
    return attributes


def read_consent(item: Item) -> Consent:
    """A Consent from its item."""
    content = json.loads(item["body"]["S"])
    return Consent(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(content["updated"]),
        status=ConsentStatus(item["st"]["S"]),
        directive=_read_directive(content["directive"]),
        date_time=datetime.fromisoformat(content["date_time"]),
        actor_display=content["actor_display"],
        attested_by=maybe_identifier(content["attested_by"]),
        attested_by_name=content["attested_by_name"],
        organization=maybe_identifier(content["organization"]),
        method=content["method"],
        attestation=content["attestation"],
        policy_uri=content["policy_uri"],
        delegate=content["delegate"],
        due=maybe_instant(content["due"]),
    )


def write_message(message: Message) -> Item:
    """The item of a message."""
    content = {"recipient": message.recipient, "kind": message.kind, "about": message.about, "email": message.email}
    return {
        "pk": {"S": keys.partition(message.record)},
        "sk": {"S": keys.message(message.local)},
        "kind": {"S": "message"},
        "st": {"S": "preparation"},
        "local": {"S": message.local},
        "sent": {"S": keys.instant(message.sent)},
        "body": {"S": text(content)},
    }


def read_message(item: Item) -> Message:
    """A message from its item."""
    content = json.loads(item["body"]["S"])
    return Message(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        sent=datetime.fromisoformat(item["sent"]["S"]),
        recipient=content["recipient"],
        kind=content["kind"],
        about=tuple(content["about"]),
        email=content["email"],
    )

"""Consents as items of the records table."""

import json
from collections.abc import Callable
from datetime import datetime

from dmp.adapters import keys
from dmp.adapters.record_items import (
    Item,
    due_indexes,
    maybe_identifier,
    maybe_instant,
    maybe_text,
    read_directive,
    text,
    write_directive,
)
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus
from dmp.domain.identifiers import Identifier


def write_consent(consent: Consent, sk: str | None = None) -> Item:
    """The item of a Consent, without its index attributes."""
    content = {
        "updated": keys.instant(consent.updated),
        "directive": write_directive(consent.directive),
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


def consent_indexes(consent: Consent, digest: Callable[[Identifier], str]) -> Item:
    """The attributes by which the expiry job finds a Consent, and an actor those who authorised them."""
    attributes: Item = {}
    directive = consent.directive
    if consent.status is not ConsentStatus.ACTIVE:
        return attributes
    attributes |= due_indexes(keys.Due.CONSENTS, consent.id, consent.due)
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
        directive=read_directive(content["directive"]),
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

"""Messages, RelatedPersons and Subscriptions as items of the records table."""

import json
from collections.abc import Callable
from datetime import datetime

from dmp.adapters import keys
from dmp.adapters.record_items import Item, due_indexes, maybe_identifier, maybe_text, text
from dmp.domain import requester_context
from dmp.domain.document import Depositor
from dmp.domain.identifiers import Identifier
from dmp.domain.mail import MailState, mail_due
from dmp.domain.notification import Kind, Message, MessageStatus
from dmp.domain.related_person import RelatedPerson
from dmp.domain.subscription import Subscription, SubscriptionStatus


def write_message(message: Message) -> Item:
    """The item of a new message; `mail` tells how far its mail is, which is no business of its reader's."""
    content = {
        "recipient": message.recipient,
        "kind": message.kind,
        "about": message.about,
        "email": message.email,
        "secret": message.is_secret,
        "updated": maybe_text(message.updated),
    }
    return {
        "pk": {"S": keys.partition(message.record)},
        "sk": {"S": keys.message(message.local)},
        "kind": {"S": "message"},
        "st": {"S": message.status.value},
        "mail": {"S": (MailState.TO_SEND if message.email else MailState.NONE).value},
        "v": {"N": str(message.version)},
        "local": {"S": message.local},
        "sent": {"S": keys.instant(message.sent)},
        "body": {"S": text(content)},
    }


def message_indexes(message: Message, digest: Callable[[Identifier], str]) -> Item:
    """The attributes by which an addressee finds it, in whatever record, and the job of the mails what waits."""
    waiting = mail_indexes(message) if message.email else {}
    if message.addressee is None:
        return waiting
    return waiting | {
        "ga_actor": {"S": keys.inbox(digest(message.addressee))},
        "ga_at": {"S": f"{message.local}#{message.record}"},
    }


def mail_indexes(message: Message) -> Item:
    """The attributes that a message has as long as its mail waits to be sent."""
    return due_indexes(keys.Due.MAILS, message.id, mail_due(message.sent))


def read_message(item: Item) -> Message:
    """A message from its item."""
    content = json.loads(item["body"]["S"])
    updated = content["updated"]
    return Message(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        sent=datetime.fromisoformat(item["sent"]["S"]),
        recipient=content["recipient"],
        kind=Kind(content["kind"]),
        about=tuple(content["about"]),
        email=content["email"],
        is_secret=content["secret"],
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(updated) if updated else None,
        status=MessageStatus(item["st"]["S"]),
    )


def write_person(person: RelatedPerson, sk: str | None = None) -> Item:
    """The item of a RelatedPerson."""
    content = {
        "updated": keys.instant(person.updated),
        "identifier": maybe_text(person.identifier),
        "relationships": person.relationships,
        "by": [maybe_text(person.depositor.person), maybe_text(person.depositor.structure), person.depositor_name],
        "own": person.is_by_patient,
        "secret": person.is_secret,
        "resource": person.resource,
    }
    return {
        "pk": {"S": keys.partition(person.record)},
        "sk": {"S": sk or keys.related_person(person.local)},
        "kind": {"S": "related-person"},
        "st": {"S": "deleted" if person.is_deleted else "active"},
        "v": {"N": str(person.version)},
        "local": {"S": person.local},
        "body": {"S": text(content)},
    }


def read_person(item: Item) -> RelatedPerson:
    """A RelatedPerson from its item."""
    content = json.loads(item["body"]["S"])
    by, structure, name = content["by"]
    return RelatedPerson(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(content["updated"]),
        identifier=maybe_identifier(content["identifier"]),
        relationships=tuple(content["relationships"]),
        depositor=Depositor(maybe_identifier(by), maybe_identifier(structure)),
        depositor_name=name,
        is_by_patient=content["own"],
        is_secret=content["secret"],
        resource=content["resource"],
        is_deleted=item["st"]["S"] == "deleted",
    )


def write_subscription(subscription: Subscription) -> Item:
    """The item of a Subscription."""
    content = {
        "updated": keys.instant(subscription.updated),
        "owner": requester_context.to_json(subscription.owner),
        "criteria": subscription.criteria,
        "endpoint": subscription.endpoint,
        "reason": subscription.reason,
        "end": keys.instant(subscription.end),
    }
    return {
        "pk": {"S": keys.partition(subscription.record)},
        "sk": {"S": keys.subscription(subscription.local)},
        "kind": {"S": "subscription"},
        "st": {"S": subscription.status.value},
        "v": {"N": str(subscription.version)},
        "local": {"S": subscription.local},
        "body": {"S": text(content)},
    }


def read_subscription(item: Item) -> Subscription:
    """A Subscription from its item."""
    content = json.loads(item["body"]["S"])
    return Subscription(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(content["updated"]),
        status=SubscriptionStatus(item["st"]["S"]),
        owner=requester_context.from_json(content["owner"]),
        criteria=content["criteria"],
        endpoint=content["endpoint"],
        reason=content["reason"],
        end=datetime.fromisoformat(content["end"]),
    )

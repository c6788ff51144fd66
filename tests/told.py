"""What people are told: messages made as every feature makes them, the events of their stream, and the mails sent."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import boto3
from moto.ses.models import ses_backends

from dmp.adapters import aws
from dmp.composition import foundation
from dmp.domain.changes import SendMessage
from dmp.domain.identifiers import SERVICE, Identifier, local_id
from dmp.domain.notification import PATIENT, Kind, Message, Notice
from dmp.domain.requester import Requester, RequesterKind
from dmp.services.call import Call
from tests.api_client import ApiClient
from tests.open_record import items_of

JOB = Requester(kind=RequesterKind.SERVICE, identifier=Identifier(SERVICE, "tests"))

type Json = dict[str, Any]


def tell(record: str, kind: Kind = Kind.EMERGENCY_ACCESS, **notice: Any) -> list[str]:
    """Tell of something as a feature does; the FHIR ids of the messages, the person's first."""
    base = foundation()
    call = Call(JOB, base.clock(), "tests")
    changes = base.notices.of(call, base.records.existing(record), Notice(kind=kind, **notice))
    base.ledger.commit(changes)
    return [change.message.id for change in changes if isinstance(change, SendMessage)]


def messages(record: str, addresses: list[str], kind: Kind = Kind.DOCUMENT_ADDED) -> list[Message]:
    """One message for each address, stored."""
    now = datetime.now(UTC)
    made = [
        Message(
            record=record,
            local=local_id(now, secrets.token_bytes(16)),
            sent=now,
            recipient=PATIENT,
            kind=kind,
            email=address,
        )
        for address in addresses
    ]
    ledger = foundation().ledger
    for start in range(0, len(made), 100):
        ledger.commit([SendMessage(message) for message in made[start : start + 100]])
    return made


def stored(stack: dict[str, str], message: str) -> Json:
    """The item of a message, by its FHIR id."""
    record, _, local = message.partition(".")
    [item] = items_of(stack, record, f"M#{local}")
    return item


def mail_state(stack: dict[str, str], message: str) -> str:
    """How far its mail is."""
    return str(stored(stack, message)["mail"]["S"])


def change(message: str, number: int = 1, event: str = "INSERT") -> Json:
    """The record of the stream that tells of a new message."""
    record, _, local = message.partition(".")
    key = {"pk": {"S": f"R#{record}"}, "sk": {"S": f"M#{local}"}}
    return {"eventName": event, "dynamodb": {"Keys": key, "NewImage": key, "SequenceNumber": str(number)}}


def deliver(api: ApiClient, *messages: str) -> list[str]:
    """Hand new messages over as the stream does; those whose delivery failed come back."""
    numbered = {str(number): message for number, message in enumerate(messages)}
    changes = [change(message, int(number)) for number, message in numbered.items()]
    answer = api.run("Notifications", {"Records": changes})
    return [numbered[one["itemIdentifier"]] for one in answer["batchItemFailures"]]


def lost(stack: dict[str, str], variable: str = "LOST_MESSAGES") -> list[Json]:
    """What was put aside in a queue of the lost, which is empty then."""
    queues, found, url = boto3.client("sqs"), [], stack[variable]
    while taken := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in taken:
            queues.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            found.append(json.loads(one["Body"]))
    return found


def outbox(address: str) -> list[Any]:
    """The mails sent to an address so far."""
    sent = ses_backends["123456789012"]["eu-west-3"].sent_messages
    return [mail for mail in sent if address in mail.destinations["ToAddresses"]]


def sent_to(domain: str) -> list[str]:
    """The addresses of a domain that mails were sent to, one a mail."""
    sent = ses_backends["123456789012"]["eu-west-3"].sent_messages
    addresses = [str(address) for mail in sent for address in mail.destinations["ToAddresses"]]
    return [address for address in addresses if address.endswith(f"@{domain}")]


def spoil(stack: dict[str, str], message: str) -> None:
    """Make a message unreadable for ever."""
    item = stored(stack, message)
    aws.client("dynamodb").put_item(TableName=stack["RECORDS_TABLE"], Item={**item, "body": {"S": "{}"}})

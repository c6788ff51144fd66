"""The operations that change documents, each as a client does them: what comes before, the request, what must hold."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests import bodies
from tests.api_client import Response
from tests.cda_factories import narrated
from tests.fed_record import AUTHOR, HOSPITAL, FedRecord
from tests.uploads import announcement

DELETE = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
OTHER_PDF = b"%PDF-1.4\n%other\n%%EOF\n"

type Request = Callable[[], Response]


@dataclass(frozen=True)
class Operation:
    """`prepare` gives a request that may be sent again and again; `calls` are those of an undisturbed one.

    `again` are the statuses of a repetition that finds its work done.
    """

    prepare: Callable[[FedRecord], Request]
    calls: tuple[str, ...]
    again: tuple[int, ...] = (200,)
    found: int = 1
    """How many current documents the record holds afterwards."""


def _publish(record: FedRecord) -> Request:
    body = bodies.document(record.id)
    return lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


def _publish_cda(record: FedRecord) -> Request:
    body = bodies.document(record.id, narrated("Suivi de la glycémie"), content_type="text/xml")
    return lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


def _announce(record: FedRecord) -> Request:
    body = announcement(record.id)
    return lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


def _submit(record: FedRecord) -> Request:
    body = bodies.submission(record.id, bodies.PDF, OTHER_PDF)
    return lambda: record.api.post("/fhir", body, as_=HOSPITAL)


def _create_once(record: FedRecord) -> Request:
    body = bodies.document(record.id)
    headers = {"If-None-Exist": "identifier=urn:ietf:rfc:3986|urn:oid:2.999.3.3"}
    return lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR, headers=headers)


def _replace(record: FedRecord) -> Request:
    related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{record.publish()}"}}]
    body = bodies.document(record.id, OTHER_PDF, relatesTo=related)
    return lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


def _mask(record: FedRecord) -> Request:
    url = f"/fhir/DocumentReference/{record.publish()}"
    return lambda: record.api.patch(url, bodies.MASK, as_=record.patient)


def _mask_by_identifier(record: FedRecord) -> Request:
    unique = bodies.unique_id()
    record.publish(masterIdentifier=unique)
    url = f"/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|{unique['value']}"
    return lambda: record.api.patch(url, bodies.MASK, as_=record.patient)


def _delete(record: FedRecord, *, by_patch: bool) -> Request:
    url = f"/fhir/DocumentReference/{record.publish()}"
    if by_patch:
        return lambda: record.api.patch(url, DELETE, as_=AUTHOR)
    return lambda: record.api.delete(url, as_=AUTHOR)


OPERATIONS = {
    "publish": Operation(_publish, ("BatchGetItem", "PutObject", "TransactWriteItems"), (200, 201)),
    "publish a CDA": Operation(_publish_cda, ("BatchGetItem", "PutObject", "TransactWriteItems"), (200, 201)),
    "announce": Operation(_announce, ("BatchGetItem", "TransactWriteItems"), (200, 201), found=0),
    "submit": Operation(_submit, ("BatchGetItem", "PutObject", "PutObject", "TransactWriteItems"), found=2),
    "create once": Operation(
        _create_once,
        ("BatchGetItem", "GetItem", "Query", "BatchGetItem", "PutObject", "TransactWriteItems"),
        (200, 201),
    ),
    "replace": Operation(_replace, ("BatchGetItem", "BatchGetItem", "PutObject", "TransactWriteItems"), (200, 201)),
    "mask": Operation(_mask, ("BatchGetItem", "TransactWriteItems")),
    "mask by identifier": Operation(
        _mask_by_identifier, ("Query", "Query", "BatchGetItem", "BatchGetItem", "TransactWriteItems")
    ),
    "delete": Operation(partial(_delete, by_patch=False), ("BatchGetItem", "TransactWriteItems"), (204,), 0),
    "delete by patch": Operation(
        partial(_delete, by_patch=True), ("BatchGetItem", "TransactWriteItems"), (200, 410), 0
    ),
}
"""Every operation that changes documents."""

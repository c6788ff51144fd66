"""Requests about records as the services take them, and records as the Patients that are answered (TD1.1 to TD1.5)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dmp.domain.errors import NotFound
from dmp.domain.identifiers import is_record_id
from dmp.domain.record import Record
from dmp.exchange import Answer, Request
from dmp.fhir.patient import render_patient
from dmp.rest import deferred, one, require_body, saved
from dmp.services.contacts import Contacts
from dmp.services.records import RecordView

if TYPE_CHECKING:
    from dmp.domain.opposition import Opposition
    from dmp.domain.record import Closure, Evidence, Opening
    from dmp.fhir.operation import OperationInput


def record_id(request: Request) -> str:
    """The record that the path names; NotFound for what is no id of ours."""
    identity = request.path["id"]
    if not is_record_id(identity):
        raise NotFound("no-record")
    return identity


def parameters(request: Request) -> Mapping[str, Any]:
    """The Parameters of an operation."""
    from dmp.fhir.parsing import parse_resource

    return parse_resource(require_body(request), "Parameters")


def opening(request: Request) -> "Callable[[], Opening]":
    """What `$open` asks, read once the quota stands."""
    from dmp.fhir.patient_reading import read_opening

    return lambda: read_opening(parameters(request), request.call.now)


def opposition(request: Request) -> "Callable[[], Opposition]":
    """What `$oppose` and `$lift-opposition` ask, read once the quota stands."""
    from dmp.fhir.patient_reading import read_opposition

    return lambda: read_opposition(parameters(request), request.call.now)


def closure(request: Request) -> "Callable[[], tuple[Closure, str]]":
    """What `$close` asks, and the attestation, once the decision stands."""
    from dmp.fhir.patient_reading import read_closure

    def read() -> "tuple[Closure, str]":
        given = parameters(request)
        return read_closure(given, request.call.now), _operation(given).text("attestation")

    return deferred(read)


def evidence(request: Request) -> "Callable[[], Evidence]":
    """What `$reopen` asks, once the decision stands."""
    from dmp.domain.record import Evidence
    from dmp.fhir.patient_reading import read_reopening

    def read() -> "Evidence":
        given = parameters(request)
        method, date = read_reopening(given, request.call.now)
        return Evidence(method=method, date=date, attestation=_operation(given).text("attestation"))

    return deferred(read)


def patched_contacts(request: Request) -> Callable[[Record], Contacts]:
    """What a PATCH makes of the contacts and preferences of a record."""
    from dmp.fhir.patient_update import read_patient_patch

    patch = deferred(lambda: read_patient_patch(require_body(request), request.headers.get("content-type", "")))
    return lambda record: patch().apply(record)


def updated_contacts(request: Request) -> Callable[[Record], Contacts]:
    """What a PUT makes of the contacts and preferences of a record."""
    from dmp.fhir.parsing import parse_resource
    from dmp.fhir.patient_update import read_patient_update

    resource = deferred(lambda: parse_resource(require_body(request), "Patient"))
    return lambda record: read_patient_update(resource(), record)


def patient(view: RecordView) -> dict[str, Any]:
    """The Patient as far as the caller may see it."""
    authorisation = view.authorisation.value if view.authorisation else None
    return render_patient(
        view.record, full=view.full, authorisation=authorisation, attending=view.is_attending, own=view.own
    )


def read_patient(view: RecordView) -> Answer:
    """200 with one version."""
    return one(patient(view), view.record.patient_version, view.record.updated)


def saved_patient(request: Request, view: RecordView, *, created: bool = False) -> Answer:
    """The answer to a change."""
    return saved(request, patient(view), view.record.patient_version, view.record.updated, created=created)


def _operation(given: Mapping[str, Any]) -> "OperationInput":
    from dmp.fhir.operation import OperationInput

    return OperationInput(given)

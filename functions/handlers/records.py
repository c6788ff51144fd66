"""Records: $open, look-up by INS (TD0.2), read, $close, $reopen, attestation of opening (TD1.1 to TD1.5)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dmp.api import FORM, Answer, Api, Request, Route
from dmp.attestation import attestation_page
from dmp.composition import foundation
from dmp.domain.errors import NotFound
from dmp.domain.identifiers import is_record_id
from dmp.fhir import bundle
from dmp.fhir.patient import render_patient
from dmp.fhir.search import malformed_parameter
from dmp.fhir.search_parameters import Kind, Parameter, parse_search
from dmp.rest import one, require_body, saved, version_of
from dmp.services.records import RecordsService, RecordView
from dmp.settings import Stage

if TYPE_CHECKING:
    from dmp.fhir.operation import OperationInput

_BASE = foundation()
_RECORDS = RecordsService(
    _BASE.gate,
    _BASE.records,
    _BASE.ledger,
    entropy=_BASE.entropy,
    test_identities=_BASE.settings.stage is not Stage.PROD,
)
_IDENTIFIER = Parameter("identifier", Kind.PATIENT_IDENTIFIER, linked_as="")


def open_record(request: Request) -> Answer:
    """POST Patient/$open (TD1.1)."""
    from dmp.fhir.patient_reading import read_opening

    opening = read_opening(_parameters(request), request.call.now)
    return _saved(request, _RECORDS.open(request.call, opening), created=True)


def close(request: Request) -> Answer:
    """POST Patient/[id]/$close (TD1.4)."""
    from dmp.fhir.patient_reading import read_closure

    parameters = _parameters(request)
    closure = read_closure(parameters, request.call.now)
    attestation = _operation(parameters).text("attestation")
    return _saved(request, _RECORDS.close(request.call, _record_id(request), closure, attestation), created=False)


def reopen(request: Request) -> Answer:
    """POST Patient/[id]/$reopen (TD1.5)."""
    from dmp.fhir.patient_reading import read_reopening

    parameters = _parameters(request)
    method, date = read_reopening(parameters, request.call.now)
    attestation = _operation(parameters).text("attestation")
    view = _RECORDS.reopen(request.call, _record_id(request), method, date, attestation)
    return _saved(request, view, created=False)


def status(request: Request) -> Answer:
    """GET Patient?identifier=system|value (TD0.2), or POST Patient/_search."""
    search = parse_search(
        request.parameters,
        (_IDENTIFIER,),
        base_url=request.base_url,
        resource_type="Patient",
        strict=request.prefers("handling=strict"),
    )
    if search.patient is None or search.patient.ins is None:
        raise malformed_parameter("missing-parameter", "identifier", "identifier is mandatory")
    view = _RECORDS.status(request.call, search.patient.ins, search.described())
    entries = []
    if view is not None:
        entries = [(f"{request.base_url}/Patient/{view.record.id}", _rendered(view), bundle.MATCH)]
    return Answer(resource=bundle.searchset(entries, total=len(entries), self_url=search.self_url()))


def read(request: Request) -> Answer:
    """GET Patient/[id]."""
    view = _RECORDS.read(request.call, _record_id(request))
    return one(_rendered(view), view.record.patient_version, view.record.updated)


def version(request: Request) -> Answer:
    """GET Patient/[id]/_history/[version]."""
    view = _RECORDS.read(request.call, _record_id(request), version_of(request))
    return one(_rendered(view), view.record.patient_version, view.record.updated)


def attestation(request: Request) -> Answer:
    """GET Patient/[id]/$attestation: the page that the opener prints for the patient."""
    record = _RECORDS.attestation(request.call, _record_id(request))
    return Answer(content=attestation_page(record).encode(), media_type="text/html; charset=utf-8")


def _record_id(request: Request) -> str:
    identity = request.path["id"]
    if not is_record_id(identity):
        raise NotFound("no-record")
    return identity


def _parameters(request: Request) -> Mapping[str, Any]:
    from dmp.fhir.parsing import parse_resource

    return parse_resource(require_body(request), "Parameters")


def _operation(parameters: Mapping[str, Any]) -> "OperationInput":
    from dmp.fhir.operation import OperationInput

    return OperationInput(parameters)


def _saved(request: Request, view: RecordView, *, created: bool) -> Answer:
    return saved(request, _rendered(view), view.record.patient_version, view.record.updated, created=created)


def _rendered(view: RecordView) -> dict[str, Any]:
    authorisation = view.authorisation.value if view.authorisation else None
    attending = view.is_attending if view.authorisation else None
    return render_patient(view.record, full=view.full, authorisation=authorisation, attending=attending)


ROUTES = (
    Route("GET", "Patient", status),
    Route("POST", "Patient/_search", status, media=frozenset({FORM})),
    Route("POST", "Patient/$open", open_record),
    Route("GET", "Patient/{id}", read),
    Route("GET", "Patient/{id}/_history/{version}", version),
    Route("POST", "Patient/{id}/$close", close),
    Route("POST", "Patient/{id}/$reopen", reopen),
    Route("GET", "Patient/{id}/$attestation", attestation, any_answer=True),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

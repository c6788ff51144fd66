"""Records: $open, look-up by INS (TD0.2), read, $close, $reopen, attestation of opening (TD1.1 to TD1.5)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dmp.api import Api, Route
from dmp.attestation import attestation_page
from dmp.composition import foundation
from dmp.domain.errors import NotFound
from dmp.domain.identifiers import ins_key_is_valid, is_record_id
from dmp.domain.record import Record
from dmp.exchange import FORM, Answer, Request
from dmp.fhir.patient import render_patient
from dmp.fhir.search import malformed_parameter
from dmp.fhir.search_parameters import Kind, Parameter, parse_search
from dmp.observability import logger
from dmp.rest import deferred, one, require_body, saved, searchset, version_of
from dmp.services.openings import OpeningsService
from dmp.services.records import RecordsService, RecordView
from dmp.settings import Stage

if TYPE_CHECKING:
    from dmp.domain.record import Closure, Evidence
    from dmp.fhir.operation import OperationInput

_BASE = foundation()
_OPENINGS = OpeningsService(
    _BASE.gate,
    _BASE.records,
    _BASE.ledger,
    entropy=_BASE.entropy,
    test_identities=_BASE.settings.stage is not Stage.PROD,
)
_RECORDS = RecordsService(
    _BASE.gate, _BASE.records, _BASE.ledger, _BASE.notices, archive_years=_BASE.settings.archive_years
)
_STATUS_QUERY = "identifier=(INS)"
"""How the trace tells of the query, which is nothing but an INS."""
_IDENTIFIER = Parameter("identifier", Kind.PATIENT_IDENTIFIER)


def open_record(request: Request) -> Answer:
    """POST Patient/$open (TD1.1)."""
    from dmp.fhir.patient_reading import read_opening

    record = _OPENINGS.open(request.call, read_opening(_parameters(request), request.call.now))
    if not ins_key_is_valid(record.identity.ins.value):
        logger.warning("ins_key_invalid", extra={"record": record.id})
    return _saved(request, RecordView(record, full=True), created=True)


def close(request: Request) -> Answer:
    """POST Patient/[id]/$close (TD1.4)."""
    view = _RECORDS.close(request.call, _record_id(request), _closure(request))
    return _saved(request, view, created=False)


def _closure(request: Request) -> "Callable[[], tuple[Closure, str]]":
    from dmp.fhir.patient_reading import read_closure

    def read() -> "tuple[Closure, str]":
        parameters = _parameters(request)
        return read_closure(parameters, request.call.now), _operation(parameters).text("attestation")

    return deferred(read)


def reopen(request: Request) -> Answer:
    """POST Patient/[id]/$reopen (TD1.5)."""
    view = _RECORDS.reopen(request.call, _record_id(request), _evidence(request))
    return _saved(request, view, created=False)


def _evidence(request: Request) -> "Callable[[], Evidence]":
    from dmp.domain.record import Evidence
    from dmp.fhir.patient_reading import read_reopening

    def read() -> "Evidence":
        parameters = _parameters(request)
        method, date = read_reopening(parameters, request.call.now)
        return Evidence(method=method, date=date, attestation=_operation(parameters).text("attestation"))

    return deferred(read)


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
    view = _RECORDS.status(request.call, search.patient.ins, _STATUS_QUERY)
    found = [_rendered(view)] if view else []
    return searchset(search, found, record=view.record.id if view else "", total=len(found))


def read(request: Request) -> Answer:
    """GET Patient/[id]."""
    return _one(_RECORDS.read(request.call, _record_id(request)))


def version(request: Request) -> Answer:
    """GET Patient/[id]/_history/[version]."""
    return _one(_RECORDS.read(request.call, _record_id(request), version_of(request)))


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


def _one(record: Record) -> Answer:
    return one(render_patient(record, full=True), record.patient_version, record.updated)


def _saved(request: Request, view: RecordView, *, created: bool) -> Answer:
    return saved(request, _rendered(view), view.record.patient_version, view.record.updated, created=created)


def _rendered(view: RecordView) -> dict[str, Any]:
    authorisation = view.authorisation.value if view.authorisation else None
    return render_patient(view.record, full=view.full, authorisation=authorisation, attending=view.is_attending)


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

"""Records: opening and opposition, look-up by INS (TD0.2), read, contacts, closing, erasure (TD1.1 to TD1.5)."""

from collections.abc import Mapping
from typing import Any

from dmp import record_answers as answers
from dmp.adapters.document_store import DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.audit import Interaction
from dmp.domain.errors import NotAllowed
from dmp.domain.identifiers import ins_key_is_valid
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request
from dmp.fhir.search import malformed_parameter
from dmp.fhir.search_parameters import Kind, Parameter, parse_search
from dmp.observability import logger
from dmp.rest import expected_version, searchset, version_of
from dmp.services.contacts import ContactsService
from dmp.services.emergencies import EmergenciesService
from dmp.services.erasures import ErasuresService
from dmp.services.explanations import ExplanationsService
from dmp.services.openings import OpeningsService
from dmp.services.oppositions import OppositionsService
from dmp.services.record_changes import RecordChanges
from dmp.services.records import RecordsService, RecordView
from dmp.settings import Stage

_BASE = foundation()
_SETTINGS = _BASE.settings
_TEST_IDENTITIES = _SETTINGS.stage is not Stage.PROD
_OPENINGS = OpeningsService(
    _BASE.gate,
    _BASE.records,
    _BASE.ledger,
    _BASE.quotas,
    entropy=_BASE.entropy,
    test_identities=_TEST_IDENTITIES,
)
_OPPOSITIONS = OppositionsService(
    _BASE.gate, _BASE.records, _BASE.ledger, _BASE.quotas, test_identities=_TEST_IDENTITIES
)
_CHANGES = RecordChanges(_BASE.gate, _BASE.records, _BASE.ledger)
_RECORDS = RecordsService(
    _BASE.gate, _BASE.records, _CHANGES, _BASE.notices, _BASE.quotas, archive_years=_SETTINGS.archive_years
)
_CONTACTS = ContactsService(_CHANGES)
_ERASURES = ErasuresService(_CHANGES, delay_days=_SETTINGS.erasure_delay_days)
_EMERGENCIES = EmergenciesService(
    _BASE.gate, _BASE.records, _BASE.ledger, _BASE.notices, _BASE.quotas, minutes=_SETTINGS.emergency_minutes
)
_EXPLANATIONS = ExplanationsService(_BASE.gate, _BASE.records, DocumentStore(_BASE.records_table, _BASE.keyring))
_STATUS_QUERY = "identifier=(INS)"
"""How the trace tells of the query, which is nothing but an INS."""
_IDENTIFIER = Parameter("identifier", Kind.PATIENT_IDENTIFIER)


def open_record(request: Request) -> Answer:
    """POST Patient/$open (TD1.1)."""
    record = _OPENINGS.open(request.call, answers.opening(request))
    if not ins_key_is_valid(record.identity.ins.value):
        logger.warning("ins_key_invalid")
    return answers.saved_patient(request, RecordView(record, full=True), created=True)


def oppose(request: Request) -> Answer:
    """POST Patient/$oppose: nobody opens a record for this INS (R.1111-28)."""
    _OPPOSITIONS.oppose(request.call, answers.opposition(request))
    return Answer(status=204)


def lift_opposition(request: Request) -> Answer:
    """POST Patient/$lift-opposition."""
    _OPPOSITIONS.lift(request.call, answers.opposition(request))
    return Answer(status=204)


def close(request: Request) -> Answer:
    """POST Patient/[id]/$close (TD1.4)."""
    view = _RECORDS.close(request.call, answers.record_id(request), answers.closure(request))
    return answers.saved_patient(request, view)


def reopen(request: Request) -> Answer:
    """POST Patient/[id]/$reopen (TD1.5)."""
    view = _RECORDS.reopen(request.call, answers.record_id(request), answers.evidence(request))
    return answers.saved_patient(request, view)


def erase(request: Request) -> Answer:
    """POST Patient/[id]/$erase: done by the retention job."""
    _ERASURES.ask(request.call, answers.record_id(request))
    return Answer(status=202)


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
    found = [answers.patient(view)] if view else []
    return searchset(search, found, record=view.record.id if view else "", total=len(found))


def read(request: Request) -> Answer:
    """GET Patient/[id]."""
    return answers.read_patient(_RECORDS.read(request.call, answers.record_id(request)))


def version(request: Request) -> Answer:
    """GET Patient/[id]/_history/[version]."""
    return answers.read_patient(_RECORDS.read(request.call, answers.record_id(request), version_of(request)))


def patch(request: Request) -> Answer:
    """PATCH Patient/[id]: contacts and preferences (TD1.3)."""
    view = _CONTACTS.update(
        request.call,
        answers.record_id(request),
        answers.patched_contacts(request),
        interaction=Interaction.PATCH,
        expected=expected_version(request),
    )
    return answers.saved_patient(request, view)


def update(request: Request) -> Answer:
    """PUT Patient/[id]: contacts and preferences (TD1.3)."""
    view = _CONTACTS.update(
        request.call,
        answers.record_id(request),
        answers.updated_contacts(request),
        interaction=Interaction.UPDATE,
        expected=expected_version(request),
    )
    return answers.saved_patient(request, view)


def emergency_access(request: Request) -> Answer:
    """POST Patient/[id]/$emergency-access: break-glass, or centre 15 (R.1111-48)."""
    from dmp.emergency_answers import declared

    return declared(request, _EMERGENCIES, answers.record_id(request))


def emergency_access_by_ins(request: Request) -> Answer:
    """POST Patient/$emergency-access, where the id of the record is not known."""
    from dmp.emergency_answers import declared_by_ins

    return declared_by_ins(request, _EMERGENCIES)


def explain(request: Request) -> Answer:
    """POST Patient/[id]/$explain: who may see what, and why."""
    from dmp.explanation_answers import explained

    return explained(request, _EXPLANATIONS, answers.record_id(request))


def export(request: Request) -> Answer:
    """POST Patient/[id]/$export: everything, to be taken away."""
    from dmp.export_answers import asked
    from dmp.export_composition import requests

    return asked(request, requests(_BASE), answers.record_id(request))


def not_here(_request: Request) -> Answer:
    """What the API never routes to this function."""
    raise NotAllowed("method-not-allowed")


ROUTES = (
    Route("GET", "Patient", status),
    Route("POST", "Patient/_search", status, media=frozenset({FORM})),
    Route("POST", "Patient/$open", open_record),
    Route("POST", "Patient/$oppose", oppose),
    Route("POST", "Patient/$lift-opposition", lift_opposition),
    Route("POST", "Patient/$emergency-access", emergency_access_by_ins),
    Route("GET", "Patient/{id}", read),
    Route("PUT", "Patient/{id}", update),
    Route("PATCH", "Patient/{id}", patch, media=PATCH_TYPES),
    Route("GET", "Patient/{id}/_history/{version}", version),
    Route("POST", "Patient/{id}/$close", close),
    Route("POST", "Patient/{id}/$reopen", reopen),
    Route("POST", "Patient/{id}/$erase", erase),
    Route("POST", "Patient/{id}/$emergency-access", emergency_access),
    Route("POST", "Patient/{id}/$explain", explain),
    Route("POST", "Patient/{id}/$export", export),
)
_ASKED = ("summary", "everything", "attestation")
"""Operations that another function answers, and by GET alone: any other method of them comes here."""
_ELSEWHERE = tuple(Route("GET", f"Patient/{{id}}/${name}", not_here) for name in _ASKED)
_API = Api((*ROUTES, *_ELSEWHERE), clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

"""Consents: authorisations, blocks, choices for emergencies, delegations; "my patients" (TD0.3, TD0.4, IHE PCF)."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dmp import history_answers
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.person_store import PersonStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.audit import Interaction
from dmp.domain.consent import Consent, ConsentStatus, PatientRef
from dmp.domain.directives import Lasting
from dmp.domain.errors import Invalid, Malformed, NotFound
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request, parse_query
from dmp.fhir import bundle
from dmp.fhir.consent import render_consent
from dmp.fhir.consent_search import CONSENT_PARAMETERS, ME, is_wanted
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import MOST, PATIENT, PATIENT_IDENTIFIER, parse_search
from dmp.rest import address, criterion, deferred, expected_version, one, require_body, saved, searchset, version_of
from dmp.services.consent_changes import ConsentChangesService, Period
from dmp.services.consent_search import ConsentQuery, ConsentSearchService
from dmp.services.consents import ConsentsService
from dmp.services.delegations import Delegations
from dmp.services.my_patients import MOST_A_PAGE, MyPatientsService
from dmp.services.wishes import Wishes
from dmp.settings import Stage

if TYPE_CHECKING:
    from dmp.domain.consent_request import ConsentRequest

_BASE = foundation()
_LASTING = Lasting(_BASE.settings.authorisation_months, timedelta(days=_BASE.settings.expiry_warning_days))
_DELEGATIONS = Delegations(
    _BASE.gate, _BASE.records, PersonStore(_BASE.records_table), test_identities=_BASE.settings.stage is not Stage.PROD
)
_WISHES = Wishes(DocumentStore(_BASE.records_table, _BASE.keyring))
_CONSENTS = ConsentsService(
    _BASE.gate, _BASE.records, _BASE.ledger, _DELEGATIONS, _WISHES, notices=_BASE.notices, lasting=_LASTING
)
_CHANGES = ConsentChangesService(_BASE.gate, _BASE.records, _BASE.ledger, _WISHES, _LASTING)
_SEARCH = ConsentSearchService(_BASE.gate, _BASE.records, _WISHES)
_MY_PATIENTS = MyPatientsService(_BASE.gate, _BASE.records)
_NAMING = frozenset({PATIENT.name, PATIENT_IDENTIFIER.name})


def create(request: Request) -> Answer:
    """POST Consent."""
    from dmp.fhir.consent_reading import kind_named
    from dmp.fhir.parsing import checked, parse_object
    from dmp.fhir.references import named_patient

    resource = parse_object(require_body(request), "Consent")
    asked = deferred(lambda: _asked(request, checked(resource)))
    patient = named_patient(resource, request.base_url) or asked().patient
    same = _condition(request, patient)
    consent, created = _CONSENTS.create(request.call, patient, asked, same, kind_named(resource))
    return _saved(request, consent, created=created)


def _body(request: Request) -> dict[str, Any]:
    from dmp.fhir.parsing import parse_resource

    return parse_resource(require_body(request), "Consent")


def _asked(request: Request, resource: Mapping[str, Any], *, is_new: bool = True) -> "ConsentRequest":
    from dmp.fhir.consent_reading import read_consent

    return read_consent(resource, request.call.now, base_url=request.base_url, is_new=is_new)


def _condition(request: Request, patient: PatientRef) -> Callable[[Consent], bool] | None:
    """What `If-None-Exist` asks of a Consent of this patient."""
    pairs = parse_query(criterion(request))
    if not pairs:
        return None
    search = _parsed(request, pairs, strict=True)
    if search.patient not in (None, patient):
        raise Malformed("wrong-patient", "http.If-None-Exist", "the criterion names the patient of the Consent")
    return lambda consent: is_wanted(search, consent, request.call.requester.actors)


def read(request: Request) -> Answer:
    """GET Consent/[id]."""
    return _one(_SEARCH.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET Consent/[id]/_history/[version]."""
    return _one(_SEARCH.read(request.call, *address(request), version_of(request)))


def history(request: Request) -> Answer:
    """GET Consent/[id]/_history."""
    versions = _SEARCH.history(request.call, *address(request))
    entries = [
        bundle.HistoryEntry(
            full_url=f"{request.base_url}/Consent/{consent.id}",
            method="POST" if consent.version == 1 else "PUT",
            url="Consent" if consent.version == 1 else f"Consent/{consent.id}",
            status="201" if consent.version == 1 else "200",
            version=consent.version,
            updated=consent.updated,
            resource=render_consent(consent),
        )
        for consent in versions
    ]
    return history_answers.history(request, entries, _BASE.cursors)


def patch(request: Request) -> Answer:
    """PATCH Consent/[id]: revoke, or change the period."""
    from dmp.fhir.consent_patch import read_consent_patch

    media_type = request.headers.get("content-type", "")
    change = deferred(lambda: read_consent_patch(require_body(request), media_type))

    def period(_: Consent) -> Period | None:
        asked = change()
        return None if asked.status is ConsentStatus.INACTIVE else (asked.period_start, asked.period_end)

    return _amended(request, period, Interaction.PATCH)


def update(request: Request) -> Answer:
    """PUT Consent/[id]: like PATCH; what else a Consent says does not change."""
    body = deferred(lambda: _body(request))

    def period(consent: Consent) -> Period | None:
        resource = body()
        if resource.get("id", consent.id) != consent.id:
            raise Invalid("wrong-id", "Consent.id")
        if resource.get("status") != ConsentStatus.INACTIVE.value:
            asked = _unaltered(request, consent, resource)
            return asked.start, asked.end
        _unaltered(request, consent, _as_in_force(resource))
        return None

    return _amended(request, period, Interaction.UPDATE)


def _as_in_force(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A Consent that is sent to be revoked, without what does not matter then: its end may be past."""
    provision = resource.get("provision")
    if isinstance(provision, dict):
        provision = {name: value for name, value in provision.items() if name != "period"}
    return {**resource, "status": ConsentStatus.ACTIVE.value, "provision": provision}


def _unaltered(request: Request, consent: Consent, resource: Mapping[str, Any]) -> "ConsentRequest":
    """What is asked of a Consent, which still must say the same of the same patient and actor."""
    asked = _asked(request, resource, is_new=False)
    if asked.alters(consent):
        raise Invalid("consent-immutable", "Consent.provision")
    try:
        named = _BASE.records.named(asked.patient)
    except NotFound:
        named = ""  # whoever has no record is another patient, too
    if named != consent.record:
        raise Invalid("wrong-patient", "Consent.patient")
    return asked


def _amended(request: Request, period: Callable[[Consent], Period | None], interaction: Interaction) -> Answer:
    consent = _CHANGES.amend(
        request.call, *address(request), period, interaction=interaction, expected=expected_version(request)
    )
    return _saved(request, consent, created=False)


def find(request: Request) -> Answer:
    """GET Consent?patient=…, or Consent?actor=me for the caller's own patients."""
    names = {name for name, value in request.parameters if value}
    if ("actor", ME) in request.parameters and not names & _NAMING:
        return _find_mine(request)
    search = _parsed(request, request.parameters, strict=request.prefers("handling=strict"))
    page = _SEARCH.search(
        request.call,
        ConsentQuery(
            patient=search.require_patient(),
            wanted=lambda consent: is_wanted(search, consent, request.call.requester.actors),
            described=search.described,
            count=search.count,
            after=_after(request, search),
            accurate_total=search.total is Total.ACCURATE,
        ),
    )
    cursor = _cursor(request, search, page.next, page.record)
    return searchset(search, map(render_consent, page.consents), record=page.record, total=page.total, cursor=cursor)


def _find_mine(request: Request) -> Answer:
    search = _parsed(request, request.parameters, strict=request.prefers("handling=strict"), most=MOST_A_PAGE)
    consents, onward = _MY_PATIENTS.page(
        request.call,
        lambda consent: is_wanted(search, consent, request.call.requester.actors),
        after=_after(request, search),
        count=search.count,
        query=search.described(),
    )
    total = len(consents) if not onward and not search.cursor else None
    cursor = _cursor(request, search, onward)
    return searchset(search, map(render_consent, consents), total=total, cursor=cursor)


def _parsed(request: Request, pairs: tuple[tuple[str, str], ...], *, strict: bool, most: int = MOST) -> Search:
    base_url = request.base_url
    return parse_search(pairs, CONSENT_PARAMETERS, base_url=base_url, resource_type="Consent", strict=strict, most=most)


def _after(request: Request, search: Search) -> str:
    """Where the page begins that a cursor leads to."""
    if not search.cursor:
        return ""
    return _BASE.cursors.open(search.cursor, search.cursor_context(request.call.requester.identifier))


def _cursor(request: Request, search: Search, onward: str | None, record: str = "") -> str | None:
    if onward is None:
        return None
    return _BASE.cursors.seal(onward, search.cursor_context(request.call.requester.identifier, record))


def _one(consent: Consent) -> Answer:
    return one(render_consent(consent), consent.version, consent.updated)


def _saved(request: Request, consent: Consent, *, created: bool) -> Answer:
    return saved(request, render_consent(consent), consent.version, consent.updated, created=created)


ROUTES = (
    Route("GET", "Consent", find),
    Route("POST", "Consent/_search", find, media=frozenset({FORM})),
    Route("POST", "Consent", create),
    Route("GET", "Consent/{id}", read),
    Route("PUT", "Consent/{id}", update),
    Route("PATCH", "Consent/{id}", patch, media=PATCH_TYPES),
    Route("GET", "Consent/{id}/_history", history),
    Route("GET", "Consent/{id}/_history/{version}", version),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

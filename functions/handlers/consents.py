"""Consents: authorisations, blocks, médecin traitant; "my patients" (TD0.3, TD0.4, IHE PCF)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dmp.api import FORM, PATCH_TYPES, Answer, Api, Request, Route
from dmp.composition import foundation
from dmp.domain.consent import Consent, ConsentStatus, Directive
from dmp.domain.errors import Invalid
from dmp.fhir import bundle
from dmp.fhir.consent import render_consent
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter, parse_search
from dmp.fhir.systems import CONSENT_DOCUMENT, DMP_CONSENT_KIND, LOINC
from dmp.rest import address, criterion, expected_version, one, require_body, saved, version_of
from dmp.services.consents import ConsentsService
from dmp.services.my_patients import MOST_A_PAGE, MyPatientsService

if TYPE_CHECKING:
    from dmp.domain.consent import ConsentRequest

_BASE = foundation()
_CONSENTS = ConsentsService(
    _BASE.gate,
    _BASE.records,
    _BASE.ledger,
    months=_BASE.settings.authorisation_months,
    warning_days=_BASE.settings.expiry_warning_days,
)
_MY_PATIENTS = MyPatientsService(_BASE.gate, _BASE.records)
_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("actor", Kind.TOKEN),
    Parameter("status", Kind.TOKEN),
    Parameter("category", Kind.TOKEN),
    Parameter("period", Kind.DATE),
    Parameter("_lastUpdated", Kind.DATE),
)
_ME = "me"


def create(request: Request) -> Answer:
    """POST Consent."""
    asked = _asked(request, _body(request))
    condition = criterion(request)
    consent, created = _CONSENTS.create(request.call, asked, condition)
    return _saved(request, consent, created=created)


def _body(request: Request) -> dict[str, Any]:
    from dmp.fhir.parsing import parse_resource

    return parse_resource(require_body(request), "Consent")


def _asked(request: Request, resource: Mapping[str, Any]) -> "ConsentRequest":
    from dmp.fhir.consent_reading import read_consent

    return read_consent(resource, request.call.now, base_url=request.base_url)


def read(request: Request) -> Answer:
    """GET Consent/[id]."""
    return _one(_CONSENTS.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET Consent/[id]/_history/[version]."""
    return _one(_CONSENTS.read(request.call, *address(request), version_of(request)))


def history(request: Request) -> Answer:
    """GET Consent/[id]/_history."""
    versions = _CONSENTS.history(request.call, *address(request))
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
    self_url = f"{request.base_url}/Consent/{request.path['id']}/_history"
    return Answer(resource=bundle.history(entries, total=len(entries), self_url=self_url))


def patch(request: Request) -> Answer:
    """PATCH Consent/[id]: revoke, or change the period."""
    from dmp.fhir.consent_patch import read_consent_patch

    change = read_consent_patch(require_body(request), request.headers.get("content-type", ""))

    def changed(consent: Consent) -> Directive | None:
        if change.status is ConsentStatus.INACTIVE:
            return None
        return _CONSENTS.with_period(request.call, consent, change.period_start, change.period_end)

    return _amended(request, changed)


def update(request: Request) -> Answer:
    """PUT Consent/[id]: like PATCH; what else a Consent says does not change."""
    resource = _body(request)
    if resource.get("id", request.path["id"]) != request.path["id"]:
        raise Invalid("wrong-id", "Consent.id")
    is_revoked = resource.get("status") == ConsentStatus.INACTIVE.value
    asked = _asked(request, {**resource, "status": ConsentStatus.ACTIVE.value})

    def changed(consent: Consent) -> Directive | None:
        held = consent.directive
        if (asked.kind, asked.permit, asked.actor) != (held.kind, held.permit, held.actor):
            raise Invalid("consent-immutable", "Consent.provision")
        if is_revoked:
            return None
        return _CONSENTS.with_period(request.call, consent, asked.start, asked.end)

    return _amended(request, changed)


def _amended(request: Request, changed: Any) -> Answer:
    consent = _CONSENTS.amend(request.call, *address(request), changed, expected_version(request))
    return _saved(request, consent, created=False)


def find(request: Request) -> Answer:
    """GET Consent?patient=…, or Consent?actor=me for the caller's own patients."""
    search = parse_search(
        request.parameters,
        _PARAMETERS,
        base_url=request.base_url,
        resource_type="Consent",
        strict=request.prefers("handling=strict"),
    )
    context = f"{request.call.requester.identifier}&{search.described()}"
    after = _BASE.cursors.open(search.cursor, context) if search.cursor else ""
    if search.patient is None and any(t.code == _ME for group in search.tokens("actor") for t in group):
        consents, onward = _MY_PATIENTS.page(
            request.call, after, min(search.count, MOST_A_PAGE), search.described()
        )
        record = ""
    else:
        record = _CONSENTS.resolve(search.require_patient())
        consents, onward = _CONSENTS.search(
            request.call,
            record,
            lambda consent: _is_wanted(search, consent, request),
            query=search.described(record),
            before=after,
            count=search.count,
        )
    return _page(request, search, record, consents, onward, context)


def _page(
    request: Request, search: Search, record: str, consents: list[Consent], onward: str | None, context: str
) -> Answer:
    entries = [(f"{request.base_url}/Consent/{c.id}", render_consent(c), bundle.MATCH) for c in consents]
    cursor = _BASE.cursors.seal(onward, context) if onward else None
    return Answer(
        resource=bundle.searchset(
            entries,
            total=len(entries) if not onward and not search.cursor else None,
            self_url=search.self_url(record),
            next_url=search.next_url(cursor, record) if cursor else None,
        )
    )


def _is_wanted(search: Search, consent: Consent, request: Request) -> bool:
    directive = consent.directive
    named = [(directive.actor.system, directive.actor.value)] if directive.actor else []
    if directive.actor in request.call.requester.actors:
        named.append(("", _ME))
    kinds = [(DMP_CONSENT_KIND, directive.kind.value), (LOINC, CONSENT_DOCUMENT)]
    return (
        search.tokens_match("actor", named)
        and search.tokens_match("status", [("", consent.status.value)])
        and search.tokens_match("category", kinds)
        and all(any(d.matches(directive.start, directive.end) for d in group) for group in search.dates("period"))
        and search.within("_lastUpdated", consent.updated)
    )


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
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

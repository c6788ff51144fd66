"""The structured profile: allergies, problems, treatments, vaccinations, procedures, family history, measures."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dmp import profile_answers
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.profile_store import ProfileStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.domain.audit import Interaction
from dmp.domain.clinical_profile import ProfileEntry, ProfileKind, candidate_of
from dmp.domain.errors import Invalid, Malformed, NotAllowed
from dmp.domain.identifiers import is_record_id
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request, parse_query
from dmp.fhir import profile_search
from dmp.fhir.profile_rendering import render_entry, subject_element, without_given
from dmp.rest import address, criterion, deferred, expected_version, require_body, saved, searchset, version_of
from dmp.services.profile_changes import Condition, ProfileChangesService
from dmp.services.profile_entries import ProfileEntriesService
from dmp.services.profile_search import ProfileSearchService

if TYPE_CHECKING:
    from dmp.domain.consent import PatientRef
    from dmp.domain.profile_request import ProfileRequest

_BASE = foundation()
_STORE = ProfileStore(_BASE.records_table)
_ENTRIES = ProfileEntriesService(_BASE.gate, _STORE)
_ANNOUNCEMENT = Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months)
_CHANGES = ProfileChangesService(_BASE.gate, _BASE.records, _STORE, _BASE.ledger, _ANNOUNCEMENT)
_SEARCH = ProfileSearchService(_BASE.gate, _BASE.records, _STORE, DocumentStore(_BASE.records_table, _BASE.keyring))


def create(request: Request, kind: ProfileKind) -> Answer:
    """POST [kind]."""
    from dmp.fhir.references import named_patient

    resource = _body(request, kind)
    asked = _asked(request, kind, resource)
    patient = named_patient(resource, request.base_url, subject_element(kind)) or asked().patient
    entry, is_new = _CHANGES.create(request.call, kind, patient, asked, _condition(request, kind, patient))
    return _saved(request, entry, created=is_new)


def _body(request: Request, kind: ProfileKind) -> dict[str, Any]:
    from dmp.fhir.parsing import parse_object

    return parse_object(require_body(request), kind)


def _asked(request: Request, kind: ProfileKind, resource: dict[str, Any]) -> "Callable[[], ProfileRequest]":
    from dmp.fhir.parsing import checked
    from dmp.fhir.profile_reading import read_entry

    return deferred(lambda: read_entry(checked(resource), kind, base_url=request.base_url))


def _condition(request: Request, kind: ProfileKind, patient: "PatientRef") -> Condition | None:
    """What `If-None-Exist` asks of an entry of this patient."""
    pairs = parse_query(criterion(request))
    if not pairs:
        return None
    search = profile_answers.parsed(request, kind, pairs, strict=True)
    if search.patient not in (None, patient):
        raise Malformed("wrong-patient", "http.If-None-Exist", "the criterion names the patient of the entry")
    if not search.values:
        raise Malformed("unsupported-criterion", "http.If-None-Exist", "a condition says more than whose it is")
    says, wanted = profile_search.says(search, kind), profile_answers.wanted(search)
    return Condition(
        same=lambda entry: says(entry.resource) and wanted(entry),
        described=lambda record: f"{kind}?{search.described(record)}",
    )


def read(request: Request, kind: ProfileKind) -> Answer:
    """GET [kind]/[id], of an entry or a candidate."""
    record, local, place = _named(request)
    if place:
        return profile_answers.single(_ENTRIES.candidate(request.call, kind, record, place))
    return profile_answers.single(_ENTRIES.read(request.call, kind, record, local))


def version(request: Request, kind: ProfileKind) -> Answer:
    """GET [kind]/[id]/_history/[version]; of a candidate, the version is its document's."""
    record, local, place = _named(request)
    number = version_of(request)
    if place:
        found = _ENTRIES.candidate(request.call, kind, record, place, Interaction.VREAD, number)
        return profile_answers.single(found)
    return profile_answers.single(_ENTRIES.version(request.call, kind, record, local, number))


def history(request: Request, kind: ProfileKind) -> Answer:
    """GET [kind]/[id]/_history."""
    record, local, place = _named(request)
    if place:
        found = _ENTRIES.candidate(request.call, kind, record, place, Interaction.HISTORY)
        return profile_answers.candidate_history(request, found, _BASE.cursors)
    versions = _ENTRIES.history(request.call, kind, record, local)
    return profile_answers.history(request, kind, versions, _BASE.cursors)


def _named(request: Request) -> tuple[str, str, tuple[str, int] | None]:
    """Record and local id of the path; and the document and the number within, where it names a candidate."""
    record, _, local = request.path["id"].partition(".")
    place = candidate_of(local) if is_record_id(record) else None
    return (record, local, place) if place else (*address(request), None)


def _entered(request: Request) -> tuple[str, str]:
    """The address of what can be changed: no candidate ever can, whether or not it is there."""
    record, local, place = _named(request)
    if place:
        raise NotAllowed("candidate-read-only")
    return record, local


def update(request: Request, kind: ProfileKind) -> Answer:
    """PUT [kind]/[id]; under other labels alone it is a mask."""
    record, local = _entered(request)
    resource = _body(request, kind)
    asked = _asked(request, kind, resource)

    def apply(entry: ProfileEntry) -> "ProfileRequest":
        if resource.get("id", request.path["id"]) != request.path["id"]:
            raise Invalid("wrong-id", f"{kind}.id")
        said = asked()
        return replace(said, resource=without_given(entry, said.resource))

    return _amended(request, kind, record, local, apply, Interaction.UPDATE)


def patch(request: Request, kind: ProfileKind) -> Answer:
    """PATCH [kind]/[id]: `meta.security`, which masks."""
    from dmp.fhir.profile_patch import read_profile_patch

    record, local = _entered(request)
    media_type = request.headers.get("content-type", "")
    change = deferred(lambda: read_profile_patch(require_body(request), media_type, kind))
    return _amended(request, kind, record, local, lambda entry: change().apply(entry), Interaction.PATCH)


def _amended(
    request: Request,
    kind: ProfileKind,
    record: str,
    local: str,
    apply: "Callable[[ProfileEntry], ProfileRequest]",
    interaction: Interaction,
) -> Answer:
    expected = expected_version(request)
    entry = _CHANGES.amend(request.call, kind, record, local, apply, interaction=interaction, expected=expected)
    return _saved(request, entry, created=False)


def delete(request: Request, kind: ProfileKind) -> Answer:
    """DELETE [kind]/[id]: it was entered in error; logical, by who entered it."""
    _CHANGES.delete(request.call, kind, *_entered(request), expected_version(request))
    return Answer(status=204)


def find(request: Request, kind: ProfileKind) -> Answer:
    """GET [kind]?patient=…: those entered, then those that documents offer."""
    search = profile_answers.parsed(request, kind, request.parameters, strict=request.prefers("handling=strict"))
    caller = request.call.requester.identifier
    after = _BASE.cursors.open(search.cursor, search.cursor_context(caller)) if search.cursor else ""
    page = _SEARCH.find(request.call, profile_answers.query_of(search, kind, after))
    cursor = _BASE.cursors.seal(page.next, search.cursor_context(caller, page.record)) if page.next else None
    found = map(profile_answers.rendered, page.found)
    return searchset(search, found, record=page.record, total=page.total, cursor=cursor)


def _saved(request: Request, entry: ProfileEntry, *, created: bool) -> Answer:
    return saved(request, render_entry(entry), entry.version, entry.updated, created=created)


def _for(kind: ProfileKind, endpoint: Callable[[Request, ProfileKind], Answer]) -> Callable[[Request], Answer]:
    return lambda request: endpoint(request, kind)


def _routes(kind: ProfileKind) -> tuple[Route, ...]:
    return (
        Route("GET", kind, _for(kind, find)),
        Route("POST", f"{kind}/_search", _for(kind, find), media=frozenset({FORM})),
        Route("POST", kind, _for(kind, create)),
        Route("GET", f"{kind}/{{id}}", _for(kind, read)),
        Route("PUT", f"{kind}/{{id}}", _for(kind, update)),
        Route("PATCH", f"{kind}/{{id}}", _for(kind, patch), media=PATCH_TYPES),
        Route("DELETE", f"{kind}/{{id}}", _for(kind, delete)),
        Route("GET", f"{kind}/{{id}}/_history", _for(kind, history)),
        Route("GET", f"{kind}/{{id}}/_history/{{version}}", _for(kind, version)),
    )


ROUTES = tuple(route for kind in ProfileKind for route in _routes(kind))
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

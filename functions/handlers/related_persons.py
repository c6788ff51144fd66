"""The people around the patient: contacts, representatives, the care team (FHIR R4 RelatedPerson, CareTeam)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dmp.adapters.person_store import PersonStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.consent import PatientRef
from dmp.domain.errors import Invalid
from dmp.domain.related_person import RelatedPerson
from dmp.exchange import FORM, Answer, Request
from dmp.fhir.care_team import CARE_TEAM_PARAMETERS, is_team_wanted, render_care_team
from dmp.fhir.related_person import PERSON_PARAMETERS, is_wanted, render_person
from dmp.fhir.search import Total
from dmp.fhir.search_parameters import parse_search
from dmp.rest import address, deferred, expected_version, one, require_body, saved, searchset, version_of
from dmp.services.care_teams import CareTeamsService
from dmp.services.delegations import Delegations
from dmp.services.related_persons import PersonQuery, RelatedPersonsService
from dmp.settings import Stage

if TYPE_CHECKING:
    from dmp.domain.related_person import PersonRequest

_BASE = foundation()
_TEST_IDENTITIES = _BASE.settings.stage is not Stage.PROD
_STORE = PersonStore(_BASE.records_table)
_PERSONS = RelatedPersonsService(
    _BASE.gate,
    _BASE.records,
    _STORE,
    _BASE.ledger,
    Delegations(_BASE.gate, _BASE.records, _STORE, test_identities=_TEST_IDENTITIES),
    test_identities=_TEST_IDENTITIES,
)

_TEAMS = CareTeamsService(_BASE.gate, _BASE.records)


def create(request: Request) -> Answer:
    """POST RelatedPerson."""
    from dmp.fhir.references import named_patient

    resource = _body(request)
    asked = _asked(request, resource)
    patient = named_patient(resource, request.base_url) or asked().patient or PatientRef()
    return _saved(request, _PERSONS.create(request.call, patient, asked), created=True)


def update(request: Request) -> Answer:
    """PUT RelatedPerson/[id]."""
    resource = _body(request)
    asked = _asked(request, resource)

    def read() -> "PersonRequest":
        if resource.get("id", request.path["id"]) != request.path["id"]:
            raise Invalid("wrong-id", "RelatedPerson.id")
        return asked()

    person = _PERSONS.update(request.call, *address(request), read, expected_version(request))
    return _saved(request, person, created=False)


def _body(request: Request) -> dict[str, Any]:
    from dmp.fhir.parsing import parse_object

    return parse_object(require_body(request), "RelatedPerson")


def _asked(request: Request, resource: dict[str, Any]) -> "Callable[[], PersonRequest]":
    from dmp.fhir.parsing import checked
    from dmp.fhir.related_person_reading import read_person

    return deferred(lambda: read_person(checked(resource), base_url=request.base_url))


def read(request: Request) -> Answer:
    """GET RelatedPerson/[id]."""
    return _one(_PERSONS.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET RelatedPerson/[id]/_history/[version]."""
    return _one(_PERSONS.read(request.call, *address(request), version_of(request)))


def delete(request: Request) -> Answer:
    """DELETE RelatedPerson/[id]: logical; its delegations end with it."""
    _PERSONS.delete(request.call, *address(request), expected_version(request))
    return Answer(status=204)


def find(request: Request) -> Answer:
    """GET RelatedPerson?patient=…."""
    search = parse_search(
        request.parameters,
        PERSON_PARAMETERS,
        base_url=request.base_url,
        resource_type="RelatedPerson",
        strict=request.prefers("handling=strict"),
    )
    caller = request.call.requester.identifier
    after = _BASE.cursors.open(search.cursor, search.cursor_context(caller)) if search.cursor else ""
    page = _PERSONS.search(
        request.call,
        PersonQuery(
            patient=search.require_patient(),
            wanted=lambda person: is_wanted(search, person),
            described=search.described,
            count=search.count,
            after=after,
            accurate_total=search.total is Total.ACCURATE,
        ),
    )
    cursor = _BASE.cursors.seal(page.next, search.cursor_context(caller, page.record)) if page.next else None
    return searchset(search, map(render_person, page.persons), record=page.record, total=page.total, cursor=cursor)


def read_team(request: Request) -> Answer:
    """GET CareTeam/[id]: what follows from the Consents at this moment."""
    return Answer(resource=render_care_team(_TEAMS.read(request.call, *address(request))))


def find_team(request: Request) -> Answer:
    """GET CareTeam?patient=…: the only one there is."""
    search = parse_search(
        request.parameters,
        CARE_TEAM_PARAMETERS,
        base_url=request.base_url,
        resource_type="CareTeam",
        strict=request.prefers("handling=strict"),
    )
    team = _TEAMS.search(request.call, search.require_patient(), search.described)
    found = [render_care_team(team)] if is_team_wanted(search) else []
    return searchset(search, found, record=team.record, total=len(found))


def _one(person: RelatedPerson) -> Answer:
    return one(render_person(person), person.version, person.updated)


def _saved(request: Request, person: RelatedPerson, *, created: bool) -> Answer:
    return saved(request, render_person(person), person.version, person.updated, created=created)


ROUTES = (
    Route("GET", "RelatedPerson", find),
    Route("POST", "RelatedPerson/_search", find, media=frozenset({FORM})),
    Route("POST", "RelatedPerson", create),
    Route("GET", "RelatedPerson/{id}", read),
    Route("PUT", "RelatedPerson/{id}", update),
    Route("DELETE", "RelatedPerson/{id}", delete),
    Route("GET", "RelatedPerson/{id}/_history/{version}", version),
    Route("GET", "CareTeam", find_team),
    Route("POST", "CareTeam/_search", find_team, media=frozenset({FORM})),
    Route("GET", "CareTeam/{id}", read_team),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)

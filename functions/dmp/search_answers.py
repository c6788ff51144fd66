"""Pages of searches within one record: where they begin, and what comes on them (ITI-66, ITI-67)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from dmp import document_answers
from dmp.domain.consent import PatientRef
from dmp.exchange import Answer, Request
from dmp.fhir import bundle
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import Parameter, parse_search
from dmp.history_answers import Cursors

if TYPE_CHECKING:
    from dmp.domain.document import DocumentEntry
    from dmp.services.included import IncludedPatient

type Resource = Mapping[str, Any]


class Page(Protocol):
    """What a search has found."""

    @property
    def record(self) -> str:
        """The record that was searched."""

    @property
    def next(self) -> str | None:
        """Where to go on."""

    @property
    def total(self) -> int | None:
        """How many there are, where that is known."""

    @property
    def included(self) -> "tuple[DocumentEntry, ...]":
        """The documents that come with what was found."""

    @property
    def patient(self) -> "IncludedPatient | None":
        """The Patient that comes with it."""


class Pages:
    """The pages of searches for one type of resource."""

    def __init__(
        self,
        resource_type: str,
        parameters: tuple[Parameter, ...],
        cursors: Cursors,
        named: Callable[[PatientRef], str],
    ) -> None:
        """`named` tells the record that a request names, by an INS too."""
        self._resource_type = resource_type
        self._parameters = parameters
        self._cursors = cursors
        self._named = named

    def asked(self, request: Request) -> tuple[Search, str]:
        """The search of a request, and behind which place it goes on."""
        search = self._by_record(
            parse_search(
                request.parameters,
                self._parameters,
                base_url=request.base_url,
                resource_type=self._resource_type,
                strict=request.prefers("handling=strict"),
            )
        )
        context = search.cursor_context(request.call.requester.identifier)
        return search, self._cursors.open(search.cursor, context) if search.cursor else ""

    def _by_record(self, search: Search) -> Search:
        """The search with the record in place of an INS, which a cursor is tied to."""
        patient = search.patient
        if not search.cursor or patient is None or patient.ins is None:
            return search
        return replace(search, patient=replace(patient, record=self._named(patient)))

    def answer(self, request: Request, search: Search, page: Page, matches: Iterable[Resource]) -> Answer:
        """A page with its links, which name the record and never an INS, and with what comes along."""
        context = search.cursor_context(request.call.requester.identifier, page.record)
        cursor = self._cursors.seal(page.next, context) if page.next else None
        found = [(one, bundle.MATCH) for one in matches] + [(one, bundle.INCLUDE) for one in _included(request, page)]
        return Answer(
            resource=bundle.searchset(
                [(f"{request.base_url}/{one['resourceType']}/{one['id']}", one, mode) for one, mode in found],
                total=page.total,
                self_url=search.self_url(page.record),
                next_url=search.next_url(cursor, page.record) if cursor else None,
            )
        )


def _included(request: Request, page: Page) -> Iterable[Resource]:
    yield from (document_answers.document(request, entry) for entry in page.included)
    if page.patient:
        from dmp.fhir.patient import render_patient

        yield render_patient(page.patient.record, full=True, own=page.patient.own)

"""The people around the patient: made, read, changed, deleted with the delegations that rest on them (L.1111-19)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, RecordUnchanged, SaveConsent, SaveRecord
from dmp.domain.consent import PatientRef
from dmp.domain.directives import without
from dmp.domain.errors import Conflict, Gone, Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.identifiers import ins_is_accepted, resource_id
from dmp.domain.profile_changes import SaveRelatedPerson
from dmp.domain.record import Record
from dmp.domain.related_person import PersonRequest, RelatedPerson
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.delegations import Delegations
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.person_store import PersonStore
    from dmp.adapters.record_store import RecordStore

type Changed = tuple[RelatedPerson, list[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonQuery:
    """A page of a record's persons; `described` gives the query as the trace keeps it, without any INS."""

    patient: PatientRef
    wanted: Callable[[RelatedPerson], bool]
    described: Callable[[str], str]
    count: int
    after: str = ""
    accurate_total: bool = False


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Persons, newest first; `total` where it is known, `next` where there are more."""

    record: str
    persons: tuple[RelatedPerson, ...]
    total: int | None
    next: str | None


class RelatedPersonsService:
    """RelatedPersons of one record."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        persons: "PersonStore",
        ledger: "Ledger",
        delegations: Delegations,
        *,
        test_identities: bool,
    ) -> None:
        self._gate = gate
        self._records = records
        self._persons = persons
        self._ledger = ledger
        self._delegations = delegations
        self._test_identities = test_identities

    def create(self, call: Call, patient: PatientRef, read: Callable[[], PersonRequest]) -> RelatedPerson:
        """Keep a person of the record; `read` gives what is said of them, once the decision stands.

        Raises Refused, NotFound, Invalid (`ins-mismatch`, `ins-invalid`).
        """
        record_id = self._records.named(patient)
        local = self._gate.new_local(call)
        attempt = _attempt(Interaction.CREATE, AuditAction.CREATE, resource_id(record_id, local))
        for _ in attempts():
            record = self._records.existing(record_id)
            decision = self._gate.admit(call, asking(call, record, Action.WRITE_PERSON), attempt)
            person = self._checked(record, read()).made(record.id, local, call.now)
            trace = self._gate.entry(call, record, attempt, decision)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveRelatedPerson(person), trace]):
                return person
        raise Unavailable("service-unavailable")

    def _checked(self, record: Record, request: PersonRequest) -> PersonRequest:
        if request.patient and not request.patient.is_of(record.id, record.identity.ins):
            raise Invalid("ins-mismatch" if request.patient.ins else "wrong-patient", "RelatedPerson.patient")
        ins = request.identifier
        if ins and not ins_is_accepted(ins, test_identities=self._test_identities):
            raise Invalid("ins-invalid", "RelatedPerson.identifier")
        return request

    def read(self, call: Call, record_id: str, local: str, version: int | None = None) -> RelatedPerson:
        """A person, now or in a former version. Raises Refused, NotFound, Gone where that version is the deletion."""
        interaction = Interaction.READ if version is None else Interaction.VREAD
        attempt = _attempt(interaction, AuditAction.READ, resource_id(record_id, local))
        record, person = self._persons.with_person(record_id, local)
        decision = self._gate.admit(call, asking(call, record, Action.READ_PERSON), attempt)
        is_former = person is not None and version not in (None, person.version)
        wanted = self._persons.former(record_id, local, version or 0) if is_former else person
        self._gate.trace_access(call, record, attempt, decision)
        if wanted is None:
            raise NotFound("no-version" if is_former else "not-found")
        if wanted.is_deleted:
            raise Gone("gone")
        return wanted

    def search(self, call: Call, query: PersonQuery) -> PersonPage:
        """A page of the persons of a record. Raises Refused, NotFound `no-record`."""
        record = self._records.existing(self._records.named(query.patient))
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type="RelatedPerson",
            what=(f"Patient/{record.id}",),
            query=query.described(record.id),
        )
        decision = self._gate.admit(call, asking(call, record, Action.READ_PERSON), attempt)
        page = self._page(record, query)
        self._gate.trace_access(call, record, attempt, decision)
        return page

    def _page(self, record: Record, query: PersonQuery) -> PersonPage:
        def seen(before: str) -> Iterator[RelatedPerson]:
            return filter(query.wanted, self._persons.persons(record.id, before))

        found = list(islice(seen(query.after), query.count + 1))
        shown = tuple(found[: query.count])
        following = shown[-1].local if len(found) > query.count else None
        total = len(shown) if not query.after and following is None else None
        if query.accurate_total and total is None:
            total = sum(1 for _ in seen(""))
        return PersonPage(record.id, shown, total, following)

    def update(
        self, call: Call, record_id: str, local: str, read: Callable[[], PersonRequest], expected: int | None = None
    ) -> RelatedPerson:
        """Say something else of a person; who a delegation names does not change by that.

        Raises Refused, NotFound, Gone, PreconditionFailed (`version-conflict`), Invalid, Conflict
        (`delegation-in-force`).
        """

        def updated(record: Record, person: RelatedPerson) -> Changed:
            if person.is_deleted:
                raise Gone("gone")
            request = self._checked(record, read())
            changed = person.saying(request, call.now)
            if person.identifier != changed.identifier and self._delegations.resting_on(call, record, person):
                raise Conflict("delegation-in-force", "RelatedPerson.identifier")
            return changed, [SaveRecord(record.deciding(record.directives, call.now), record)]

        attempt = _attempt(Interaction.UPDATE, AuditAction.UPDATE, resource_id(record_id, local))
        return self._change(call, record_id, local, attempt, updated, expected)

    def delete(self, call: Call, record_id: str, local: str, expected: int | None = None) -> None:
        """Delete a person, and end the delegations that name them; a second time is answered like the first."""

        def deleted(record: Record, person: RelatedPerson) -> Changed:
            if person.is_deleted:
                return person, []
            resting = self._delegations.resting_on(call, record, person)
            held = without(record.directives, *(c.local for c in resting))
            ended = [SaveConsent(c.ended(call.now), c) for c in resting]
            return person.deleted(call.now), [SaveRecord(record.deciding(held, call.now), record), *ended]

        attempt = _attempt(Interaction.DELETE, AuditAction.DELETE, resource_id(record_id, local))
        self._change(call, record_id, local, attempt, deleted, expected)

    def _change(
        self,
        call: Call,
        record_id: str,
        local: str,
        attempt: Attempt,
        apply: Callable[[Record, RelatedPerson], Changed],
        expected: int | None,
    ) -> RelatedPerson:
        """Every change is one of the head, too: a delegation that is made meanwhile decides, and looks, again."""
        for _ in attempts():
            record, found = self._persons.with_person(record_id, local)
            decision = self._gate.admit(call, asking(call, record, Action.WRITE_PERSON), attempt)
            person = _existing(found)
            if expected not in (None, person.version) and not person.is_deleted:
                raise PreconditionFailed("version-conflict")
            changed, changes = apply(record, person)
            saved: list[Change] = [*changes, SaveRelatedPerson(changed, person)] if changes else []
            if is_committed(self._ledger, [*saved, self._entry(call, record, attempt, decision, saved)]):
                return changed
        raise Unavailable("service-unavailable")

    def _entry(self, call: Call, record: Record, attempt: Attempt, decision: Decision, changes: list[Change]) -> Change:
        ended = [f"Consent/{c.consent.id}" for c in changes if isinstance(c, SaveConsent)]
        return self._gate.entry(call, record, replace(attempt, what=(*attempt.what, *ended)), decision)


def _existing(person: RelatedPerson | None) -> RelatedPerson:
    if person is None:
        raise NotFound("not-found")
    return person


def _attempt(interaction: Interaction, action: AuditAction, person: str) -> Attempt:
    return Attempt(
        interaction=interaction, action=action, resource_type="RelatedPerson", what=(f"RelatedPerson/{person}",)
    )

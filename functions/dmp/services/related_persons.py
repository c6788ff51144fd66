"""The people around the patient: made, read, changed, deleted with the delegations that rest on them (L.1111-19)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
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
            decision = self._gate.admit(call, asking(call, record, Action.FEED), attempt)
            request = self._checked(record, read())
            self._admit_delegate(call, record, request, attempt)
            person = request.made(record.id, local, call.now).told_by(call.requester, record.identity.ins)
            trace = self._gate.entry(call, record, attempt, decision)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveRelatedPerson(person), trace]):
                return person
        raise Unavailable("service-unavailable")

    def _admit_delegate(
        self, call: Call, record: Record, request: PersonRequest, attempt: Attempt, held: RelatedPerson | None = None
    ) -> None:
        """Who may tell of a person is not who may give them the INS by which they can come to act."""
        if request.identifier and (held is None or held.identifier != request.identifier):
            self._gate.admit(call, asking(call, record, Action.NAME_DELEGATE), attempt)

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
        decision = self._gate.admit(call, of_person(call, record, Action.READ_PERSON, person), attempt)
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
        decision = decide(of_person(call, record, Action.READ_PERSON, None))
        if decision.hidden:
            self._gate.refuse(call, record, attempt, decision)
        page = self._page(record, query, lambda person: decision.permit or _is_own(call, record, person))
        if not decision.permit:
            if not page.persons:
                self._gate.refuse(call, record, attempt, decision)
            decision = decide(of_person(call, record, Action.READ_PERSON, page.persons[0]))
        self._gate.trace_access(call, record, attempt, decision)
        return page

    def _page(self, record: Record, query: PersonQuery, may_see: Callable[[RelatedPerson], bool]) -> PersonPage:
        def seen(before: str) -> Iterator[RelatedPerson]:
            return (p for p in self._persons.persons(record.id, before) if query.wanted(p) and may_see(p))

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

        From then on it comes from this caller. Raises Refused, NotFound, Gone, PreconditionFailed (`version-conflict`),
        Invalid, Conflict (`delegation-in-force`).
        """
        attempt = _attempt(Interaction.UPDATE, AuditAction.UPDATE, resource_id(record_id, local))

        def updated(record: Record, person: RelatedPerson) -> Changed:
            if person.is_deleted:
                raise Gone("gone")
            request = self._checked(record, read())
            self._admit_delegate(call, record, request, attempt, person)
            changed = person.saying(request, call.now).told_by(call.requester, record.identity.ins)
            if person.identifier != changed.identifier and self._delegations.resting_on(call, record, person):
                raise Conflict("delegation-in-force", "RelatedPerson.identifier")
            return changed, [SaveRecord(record.deciding(record.directives, call.now), record)]

        return self._change(call, record_id, local, attempt, updated, expected)

    def delete(self, call: Call, record_id: str, local: str, expected: int | None = None) -> None:
        """Delete a person, and end the delegations that name them; a second time is answered like the first.

        Raises Refused, NotFound, PreconditionFailed (`version-conflict`), Conflict (`delegation-in-force`) for whoever
        ends no delegation.
        """

        def deleted(record: Record, person: RelatedPerson) -> Changed:
            if person.is_deleted:
                return person, []
            resting = self._delegations.resting_on(call, record, person)
            if not all(decide(asking(call, record, Action.REVOKE_CONSENT, consent)).permit for consent in resting):
                raise Conflict("delegation-in-force")
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
            decision = self._gate.admit(call, of_person(call, record, Action.WRITE_PERSON, found), attempt)
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


def of_person(call: Call, record: Record, action: Action, person: RelatedPerson | None) -> AccessRequest:
    """May the caller do this to a person around the patient, or to one who is not there (None)?"""
    return replace(asking(call, record, action), folder=person.depositor if person else None)


def _is_own(call: Call, record: Record, person: RelatedPerson) -> bool:
    return decide(of_person(call, record, Action.READ_PERSON, person)).permit


def _existing(person: RelatedPerson | None) -> RelatedPerson:
    if person is None:
        raise NotFound("not-found")
    return person


def _attempt(interaction: Interaction, action: AuditAction, person: str) -> Attempt:
    return Attempt(
        interaction=interaction, action=action, resource_type="RelatedPerson", what=(f"RelatedPerson/{person}",)
    )

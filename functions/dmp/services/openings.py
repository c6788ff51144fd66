"""The opening of a record, with the evidence of consent in the same transaction (TD1.1, R.1111-28)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access import decide_opening
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, LinkIns, NotOpposed, SaveConsent, SaveRecord
from dmp.domain.civil_time import eighteenth_birthday
from dmp.domain.consent import Consent, ConsentKind, Directive, Grantor, Relationship
from dmp.domain.errors import Conflict, Invalid, Unavailable
from dmp.domain.identifiers import Identifier, ins_is_accepted, record_id
from dmp.domain.profile_changes import SaveRelatedPerson
from dmp.domain.record import MOST_CONTACTS, Evidence, Opening, Record, RecordStatus, Telecom
from dmp.domain.related_person import PersonRequest, capacity_of
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.quotas import Quota, Quotas

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_ATTEMPT = Attempt(interaction=Interaction.OPEN, action=AuditAction.CREATE, resource_type="Patient")
_EXISTS = Decision(False, "record-exists")
_OPPOSED = Decision(False, "opposed")
_PATIENT = "Parameters.parameter.where(name='patient')"
_GUARDIAN = "Parameters.parameter.where(name='guardian')"


class OpeningsService:
    """Opens the only record of a person."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        quotas: Quotas,
        *,
        entropy: Callable[[], bytes],
        test_identities: bool,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._quotas = quotas
        self._entropy = entropy
        self._test_identities = test_identities

    def open(self, call: Call, read: Callable[[], Opening]) -> Record:
        """Open the record; of two openings at once one succeeds.

        `read` gives what is asked. Raises TooManyRequests, Refused, Invalid (`ins-invalid`, `attestation-required`,
        `not-a-minor`, `not-a-representative`), Conflict (`record-exists`, `opposed`).
        """
        self._quotas.spend_unread(call, Quota.OPENING, _ATTEMPT, lambda: self._record_of(read()))
        opening = read()
        existing = self._record_of(opening)
        decision = decide_opening(call.requester, opening)
        if not decision.permit:
            self._gate.refuse(call, existing, _ATTEMPT, decision)
        self._check(call, opening, decision)
        if existing:
            raise self._already_there(call, existing)
        record, changes = self._new_record(call, _with_address(call, opening, decision))
        try:
            self._ledger.commit([*changes, self._gate.entry(call, record, _of(record), decision)])
        except Contention as lost:
            raise self._forestalled(call, opening, lost) from None
        return record

    def _record_of(self, opening: Opening) -> Record | None:
        known = self._store.id_of(opening.identity.ins)
        return self._store.head(known) if known else None

    def _check(self, call: Call, opening: Opening, decision: Decision) -> None:
        place = f"{_PATIENT}.resource"
        require_ins(opening.identity.ins, f"{place}.identifier", test_identities=self._test_identities)
        if decision.reason == "attested" and not opening.attestation.strip():
            raise Invalid("attestation-required", "Parameters.parameter")
        if opening.guardian is None:
            return
        if not opening.identity.birth_date:
            raise Invalid("ins-invalid", f"{place}.birthDate")
        require_minor(opening.identity.birth_date, call.now, _GUARDIAN)
        require_representative(opening.guardian, _GUARDIAN)
        if opening.guardian.identifier:
            place = f"{_GUARDIAN}.resource.identifier"
            require_ins(opening.guardian.identifier, place, test_identities=self._test_identities)

    def _forestalled(self, call: Call, opening: Opening, lost: Contention) -> Conflict | Unavailable:
        """Why the record could not be opened: somebody else had opened it, or the person opposes it."""
        if any(isinstance(change, NotOpposed) for change in lost.failed):
            self._gate.trace_refusal(call, None, _ATTEMPT, _OPPOSED)
            return Conflict("opposed")
        winner = self._record_of(opening)
        return self._already_there(call, winner) if winner else Unavailable("service-unavailable")

    def _already_there(self, call: Call, existing: Record) -> Conflict:
        self._gate.trace_refusal(call, existing, _of(existing), _EXISTS)
        return Conflict("record-exists")

    def _new_record(self, call: Call, opening: Opening) -> tuple[Record, list[Change]]:
        record = Record(
            id=record_id(self._entropy()),
            version=1,
            patient_version=1,
            updated=call.now,
            status=RecordStatus.OPEN,
            identity=opening.identity,
            opened_at=call.now,
            opened_by=call.requester.identifier if call.requester.ins is None else None,
        )
        consents = [opening_consent(call, record, self._gate.new_local(call), opening.evidence)]
        persons: list[Change] = []
        if opening.guardian:
            person = self._gate.new_local(call)
            guardian = opening.guardian.made(record.id, person, call.now)
            persons = [SaveRelatedPerson(guardian.told_by(call.requester, record.identity.ins))]
            consents += self._delegation(call, record, opening, opening.guardian, person)
        record = replace(record, directives=tuple(c.directive for c in consents), decided_at=call.now)
        ins = record.identity.ins
        links: list[Change] = [SaveRecord(record), LinkIns(ins, record.id), NotOpposed(ins)]
        return record, links + persons + [SaveConsent(c) for c in consents]

    def _delegation(
        self, call: Call, record: Record, opening: Opening, guardian: PersonRequest, person: str
    ) -> list[Consent]:
        """By which a guardian acts until the majority; nobody acts whose INS is not known."""
        if guardian.identifier is None:
            return []
        majority = eighteenth_birthday(record.identity.birth_date)
        local = self._gate.new_local(call)
        directive = Directive(
            consent=local,
            kind=ConsentKind.DELEGATION,
            permit=True,
            actor=guardian.identifier,
            start=call.now,
            end=majority,
            granted_by=Grantor.REPRESENTATIVE,
            relationship=capacity_of(guardian.relationships, patient_is_minor=True),
        )
        made = Consent.made(record.id, directive, call.now)
        return [replace(made, date_time=opening.date, delegate=person, due=majority)]


def opening_consent(call: Call, record: Record, local: str, evidence: Evidence) -> Consent:
    """The Consent that says who collected the consent to open, how and when."""
    attested = call.requester.ins is None
    by_person = Grantor.PATIENT if call.requester.ins == record.identity.ins else Grantor.REPRESENTATIVE
    directive = Directive(
        consent=local,
        kind=ConsentKind.OPENING,
        permit=True,
        actor=None,
        start=call.now,
        end=None,
        granted_by=Grantor.AGENT if attested else by_person,
    )
    return replace(
        Consent.made(record.id, directive, call.now),
        date_time=evidence.date,
        attested_by=call.requester.identifier if attested else None,
        attested_by_name=call.requester.name if attested else "",
        organization=call.requester.structure,
        method=evidence.method.value,
        attestation=evidence.attestation,
    )


def _with_address(call: Call, opening: Opening, decision: Decision) -> Opening:
    """The opening, where the address of the person's own token serves if the person gave none and there is room."""
    identity, address = opening.identity, Telecom("email", call.requester.email)
    has_given = any(contact.system == "email" for contact in identity.telecom)
    has_room = len(identity.telecom) < MOST_CONTACTS
    if decision.reason != "patient" or has_given or not has_room or not address.is_kept():
        return opening
    return replace(opening, identity=replace(identity, telecom=(*identity.telecom, address)))


def require_ins(ins: Identifier, place: str, *, test_identities: bool) -> None:
    """Strict for real people; test and demonstration identities need no right key, nor exist in production.

    Raises Invalid `ins-invalid`.
    """
    if not ins_is_accepted(ins, test_identities=test_identities):
        raise Invalid("ins-invalid", place)


def require_minor(birth_date: str, now: datetime, place: str) -> None:
    """A guardian acts until the 18th birthday; raises Invalid `not-a-minor` from then on."""
    if eighteenth_birthday(birth_date) <= now:
        raise Invalid("not-a-minor", place)


def require_representative(guardian: PersonRequest, place: str) -> None:
    """A guardian is a legal representative of the minor; raises Invalid `not-a-representative` for anybody else."""
    if capacity_of(guardian.relationships, patient_is_minor=True) is not Relationship.LEGAL_REPRESENTATIVE:
        raise Invalid("not-a-representative", f"{place}.resource.relationship")


def _of(record: Record) -> Attempt:
    return replace(_ATTEMPT, what=(f"Patient/{record.id}",))

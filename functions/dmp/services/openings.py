"""The opening of a record, with the evidence of consent in the same transaction (TD1.1, R.1111-28)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide_opening
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, LinkIns, SaveConsent, SaveRecord, SaveRelatedPerson
from dmp.domain.civil_time import eighteenth_birthday
from dmp.domain.consent import Consent, ConsentKind, Directive, Grantor, Relationship
from dmp.domain.errors import Conflict, Invalid, Unavailable
from dmp.domain.identifiers import INS_REAL_SYSTEMS, Identifier, ins_has_form, ins_key_is_valid, record_id
from dmp.domain.record import Evidence, Guardian, Opening, Record, RecordStatus
from dmp.domain.related_person import RelatedPerson
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_ATTEMPT = Attempt(interaction=Interaction.OPEN, action=AuditAction.CREATE, resource_type="Patient")
_EXISTS = Decision(False, "record-exists")
_PATIENT = "Parameters.parameter.where(name='patient')"
_GUARDIAN = "Parameters.parameter.where(name='guardian')"


class OpeningsService:
    """Opens the only record of a person."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        *,
        entropy: Callable[[], bytes],
        test_identities: bool,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._entropy = entropy
        self._test_identities = test_identities

    def open(self, call: Call, opening: Opening) -> Record:
        """Open the record; of two openings at once one succeeds.

        Raises Refused, Invalid (`ins-invalid`, `attestation-required`, `not-a-minor`), Conflict (`record-exists`).
        """
        existing = self._store.id_of(opening.identity.ins)
        decision = decide_opening(call.requester, opening)
        if not decision.permit:
            self._gate.refuse(call, self._store.head(existing) if existing else None, _ATTEMPT, decision)
        self._check(call, opening, decision)
        if existing:
            raise self._already_there(call, existing)
        record, changes = self._new_record(call, opening)
        try:
            self._ledger.commit([*changes, self._gate.entry(call, record, _of(record.id), decision)])
        except Contention:
            winner = self._store.id_of(opening.identity.ins)
            if winner is None:
                raise Unavailable("service-unavailable") from None
            raise self._already_there(call, winner) from None
        return record

    def _check(self, call: Call, opening: Opening, decision: Decision) -> None:
        self._check_ins(opening.identity.ins, f"{_PATIENT}.resource.identifier")
        if decision.reason == "attested" and not opening.attestation.strip():
            raise Invalid("attestation-required", "Parameters.parameter")
        if opening.guardian is None:
            return
        if not opening.identity.birth_date:
            raise Invalid("ins-invalid", f"{_PATIENT}.resource.birthDate")
        if eighteenth_birthday(opening.identity.birth_date) <= call.now:
            raise Invalid("not-a-minor", _GUARDIAN)
        if opening.guardian.identifier:
            self._check_ins(opening.guardian.identifier, f"{_GUARDIAN}.resource.identifier")

    def _check_ins(self, ins: Identifier, place: str) -> None:
        """Strict for real people; test and demonstration identities need no right key, nor exist in production."""
        if ins.system in INS_REAL_SYSTEMS:
            is_accepted = ins_key_is_valid(ins.value)
        else:
            is_accepted = self._test_identities and ins_has_form(ins.value)
        if not is_accepted:
            raise Invalid("ins-invalid", place)

    def _already_there(self, call: Call, existing: str) -> Conflict:
        self._gate.trace_refusal(call, self._store.head(existing), _of(existing), _EXISTS)
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
            persons = [SaveRelatedPerson(_person_of(call, record, opening.guardian, person))]
            consents += self._delegation(call, record, opening, opening.guardian, person)
        record = replace(record, directives=tuple(c.directive for c in consents), decided_at=call.now)
        links: list[Change] = [SaveRecord(record), LinkIns(record.identity.ins, record.id)]
        return record, links + persons + [SaveConsent(c) for c in consents]

    def _delegation(
        self, call: Call, record: Record, opening: Opening, guardian: Guardian, person: str
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
            relationship=Relationship.LEGAL_REPRESENTATIVE,
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


def _person_of(call: Call, record: Record, guardian: Guardian, local: str) -> RelatedPerson:
    """The guardian as a person of the record."""
    return RelatedPerson(
        record=record.id,
        local=local,
        version=1,
        updated=call.now,
        identifier=guardian.identifier,
        relationships=(guardian.relationship,),
        resource=guardian.resource,
    )


def _of(record: str) -> Attempt:
    return replace(_ATTEMPT, what=(f"Patient/{record}",))

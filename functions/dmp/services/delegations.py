"""Whom a delegation names, and which delegations rest on a RelatedPerson (C. civ. 382 to 388, L.1111-19)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmp.domain.changes import Change
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus, Relationship
from dmp.domain.directives import is_minor
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier, ins_is_accepted, split_resource_id
from dmp.domain.profile_changes import SaveRelatedPerson
from dmp.domain.record import Record
from dmp.domain.related_person import PersonRequest, RelatedPerson, capacity_of
from dmp.services.call import Call
from dmp.services.gate import Gate

if TYPE_CHECKING:
    from dmp.adapters.person_store import PersonStore
    from dmp.adapters.record_store import RecordStore

_PLACE = "Consent.provision.actor[0].reference"


@dataclass(frozen=True, slots=True)
class Delegate:
    """Who acts for the person, and as what; `changes` make the RelatedPerson where it came with the Consent."""

    person: RelatedPerson
    ins: Identifier
    relationship: Relationship
    changes: tuple[Change, ...] = ()


class Delegations:
    """Looks behind the delegations of one record."""

    def __init__(self, gate: Gate, records: "RecordStore", persons: "PersonStore", *, test_identities: bool) -> None:
        self._gate = gate
        self._records = records
        self._persons = persons
        self._test_identities = test_identities

    def delegate(self, call: Call, record: Record, named: str | PersonRequest | None) -> Delegate:
        """Whom a delegation names: a RelatedPerson of the record, with an INS that is not the patient's.

        Raises Invalid `invalid-delegate`, `wrong-patient`.
        """
        changes: tuple[Change, ...] = ()
        if isinstance(named, PersonRequest):
            if named.patient and not named.patient.is_of(record.id, record.identity.ins):
                raise Invalid("wrong-patient", "Consent.contained.patient")
            made = named.made(record.id, self._gate.new_local(call), call.now)
            person = made.told_by(call.requester, record.identity.ins)
            changes = (SaveRelatedPerson(person),)
        else:
            person = self._known(record, named or "")
        if person.identifier is None or not self._may_act(record, person.identifier):
            raise Invalid("invalid-delegate", _PLACE)
        is_of_a_minor = is_minor(record.identity.birth_date, call.now)
        relationship = capacity_of(person.relationships, patient_is_minor=is_of_a_minor)
        return Delegate(person, person.identifier, relationship, changes)

    def _known(self, record: Record, identity: str) -> RelatedPerson:
        named, local = split_resource_id(identity) or ("", "")
        person = self._persons.person(record.id, local) if named == record.id else None
        if person is None or person.is_deleted:
            raise Invalid("invalid-delegate", _PLACE)
        return person

    def _may_act(self, record: Record, ins: Identifier) -> bool:
        is_another = ins != record.identity.ins
        return is_another and ins_is_accepted(ins, test_identities=self._test_identities)

    def resting_on(self, call: Call, record: Record, person: RelatedPerson) -> list[Consent]:
        """The delegations, in force or to come, that name this RelatedPerson."""
        named = [
            d.consent
            for d in record.directives
            if d.kind is ConsentKind.DELEGATION and d.actor == person.identifier and not d.has_expired(call.now)
        ]
        if not named:
            return []
        _, consents = self._records.with_consents(record.id, named)
        return [c for c in consents.values() if c.delegate == person.local and c.status is ConsentStatus.ACTIVE]

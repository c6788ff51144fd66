"""People around the patient: contacts, the trusted person, representatives, caregivers (FHIR RelatedPerson)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dmp.domain.consent import PatientRef, Relationship
from dmp.domain.document import Depositor
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.record_references import RecordReference, check_references
from dmp.domain.requester import Requester

GUARDIAN = "GUARD"
_GUARDIANS = frozenset(
    {GUARDIAN, "GUADLTM", "HPOWATT", "POWATT", "DPOWATT", "SPOWATT", "RESPRSN", Relationship.LEGAL_REPRESENTATIVE.value}
)
_NOBODY = Depositor(None, None)
_PARENTS = frozenset({"PRN", "MTH", "FTH", "NMTH", "NFTH", "NPRN", "ADOPTP", "ADOPTM", "ADOPTF"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedPerson:
    """One person, in one version; `resource` is the FHIR resource without id, meta and patient."""

    record: str
    local: str
    version: int
    updated: datetime
    identifier: Identifier | None
    """The INS, by which the person can act for the patient once a delegation says so."""
    relationships: tuple[str, ...]
    """Codes of the relationship, whatever their system."""
    resource: Mapping[str, object]
    is_deleted: bool = False
    depositor: Depositor = _NOBODY
    """Who said so last: what this version tells comes from them."""
    depositor_name: str = ""
    is_by_patient: bool = False
    """Told by the person, not by somebody who acts for them."""
    is_secret: bool = False
    """Told in a connexion secrète: representatives never learn by whom."""

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    def saying(self, request: "PersonRequest", now: datetime) -> "RelatedPerson":
        """The next version, that says this; raises Invalid `unknown-reference` for what is of another record."""
        check_references(request.references, self.record)
        return replace(
            self._next(now),
            identifier=request.identifier,
            relationships=request.relationships,
            resource=request.resource,
        )

    def told_by(self, requester: Requester, patient: Identifier) -> "RelatedPerson":
        """The same, told by this caller; `patient` is the INS of the person whose record it is."""
        by = Depositor.of(requester)
        return replace(
            self,
            depositor=by,
            depositor_name=requester.name if by.person else requester.structure_name,
            is_by_patient=requester.ins == patient,
            is_secret=requester.is_secret,
        )

    def deleted(self, now: datetime) -> "RelatedPerson":
        """The next version, that tells of the deletion; what was said stays in those before."""
        return replace(self._next(now), is_deleted=True)

    def _next(self, now: datetime) -> "RelatedPerson":
        return replace(self, version=self.version + 1, updated=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest:
    """A RelatedPerson as a client sends it; `patient` is None where one that comes with a Consent names none."""

    patient: PatientRef | None
    identifier: Identifier | None
    relationships: tuple[str, ...]
    resource: Mapping[str, object]
    references: tuple[RecordReference, ...] = ()

    def made(self, record: str, local: str, now: datetime) -> RelatedPerson:
        """The first version of the person in a record; raises Invalid `unknown-reference` for what is of another."""
        check_references(self.references, record)
        return RelatedPerson(
            record=record,
            local=local,
            version=1,
            updated=now,
            identifier=self.identifier,
            relationships=self.relationships,
            resource=self.resource,
        )


def capacity_of(relationships: Iterable[str], *, patient_is_minor: bool) -> Relationship:
    """As what a delegate acts: guardians, and the parents of a minor, as legal representatives; others as caregivers.

    A parent of an adult represents nobody (C. civ. 414).
    """
    codes = set(relationships)
    legal = codes & _GUARDIANS or (patient_is_minor and codes & _PARENTS)
    return Relationship.LEGAL_REPRESENTATIVE if legal else Relationship.CAREGIVER

"""People around the patient: contacts, the trusted person, representatives, caregivers (FHIR RelatedPerson)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dmp.domain.consent import Relationship
from dmp.domain.identifiers import Identifier, resource_id

_GUARDIANS = frozenset({"GUARD", "HPOWATT", "POWATT", "DPOWATT", "SPOWATT", "RESPRSN"})
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

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    def next(self, now: datetime) -> "RelatedPerson":
        """The next version, as yet the same."""
        return replace(self, version=self.version + 1, updated=now)


def capacity_of(relationships: Iterable[str], *, patient_is_minor: bool) -> Relationship:
    """As what a delegate acts: guardians, and the parents of a minor, as legal representatives; others as caregivers.

    A parent of an adult represents nobody (C. civ. 414).
    """
    codes = set(relationships)
    legal = codes & _GUARDIANS or (patient_is_minor and codes & _PARENTS)
    return Relationship.LEGAL_REPRESENTATIVE if legal else Relationship.CAREGIVER

"""The versions of one document that one depositor fed, by which the newest is told from the others (CDA setId)."""

from dataclasses import dataclass, replace

from dmp.domain.document import Depositor
from dmp.domain.identifiers import Identifier

MOST_KEPT = 500
"""Versions of one set: those of the lowest numbers are forgotten beyond, and stay found by all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSet:
    """Local ids of the versions of a set with their numbers, the highest first; deleted ones are still among them.

    `revision` is how often it was written: 0 where nothing is there yet.
    """

    record: str
    set: Identifier
    keeper: Identifier
    versions: tuple[tuple[str, int], ...] = ()
    revision: int = 0

    def including(self, *versions: tuple[str, int]) -> "EditionSet":
        """The set with more versions, to be written over this one."""
        known = dict.fromkeys((*versions, *self.versions))
        kept = sorted(known, key=lambda one: (one[1], one[0]), reverse=True)[:MOST_KEPT]
        return replace(self, versions=tuple(kept), revision=self.revision + 1)


def keeper_of(depositor: Depositor) -> Identifier | None:
    """Who goes on with the versions of a document: the structure that fed it, or a person outside any."""
    return depositor.structure or depositor.person

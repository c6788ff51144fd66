"""What somebody enters into a record refers to what is of that record, and to nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

from dmp.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class RecordReference:
    """A reference at a place of a resource, to a record itself or to something of it."""

    place: str
    record: str

    @classmethod
    def unknown(cls, place: str) -> Invalid:
        """What is said of every reference that leads nowhere, so that nobody learns from it what another record has."""
        return Invalid("unknown-reference", place, "a reference is to something of this record, or logical")


def check_references(references: Iterable[RecordReference], record: str) -> None:
    """Raise Invalid `unknown-reference` for the first one that is to another record, be there such a record or not."""
    for one in references:
        if one.record != record:
            raise RecordReference.unknown(one.place)

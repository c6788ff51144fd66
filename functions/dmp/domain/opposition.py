"""What a person asks who opposes the opening of a record, or no longer does (R.1111-28)."""

from dataclasses import dataclass

from dmp.domain.identifiers import Identifier
from dmp.domain.related_person import PersonRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """The minor on whose behalf a guardian asks; `birth_date` is `YYYY-MM-DD`."""

    ins: Identifier
    birth_date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposition:
    """For whom it is, by whose hand, and the words by which somebody else attests it."""

    ins: Identifier
    attestation: str = ""
    guardian: PersonRequest | None = None
    child: Child | None = None

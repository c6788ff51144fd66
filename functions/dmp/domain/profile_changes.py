"""What one transaction writes of the structured profile and of what documents offer it, as values."""

from dataclasses import dataclass

from dmp.domain.clinical_profile import DocumentText, Extraction, ProfileEntry
from dmp.domain.related_person import RelatedPerson


@dataclass(frozen=True, slots=True)
class SaveRelatedPerson:
    """Write a RelatedPerson in place of `previous`, which is kept as a version, or create it."""

    person: RelatedPerson
    previous: RelatedPerson | None = None


@dataclass(frozen=True, slots=True)
class SaveProfileEntry:
    """Write an entry of the profile in place of `previous`, which is kept as a version, or create it."""

    entry: ProfileEntry
    previous: ProfileEntry | None = None


@dataclass(frozen=True, slots=True)
class SaveExtraction:
    """Keep what a document offers, in place of what was found in it before: a hint, which the document vouches for."""

    extraction: Extraction


@dataclass(frozen=True, slots=True)
class SaveText:
    """Keep the words of a document, in place of those that were known before: a hint, as an extraction is."""

    text: DocumentText


ProfileChange = SaveRelatedPerson | SaveProfileEntry | SaveExtraction | SaveText

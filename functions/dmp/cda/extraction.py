"""From the entries of a CDA's sections to candidates for the structured profile (CI-SIS, entrées des modèles)."""

from collections.abc import Callable, Iterator, Mapping

from dmp.cda.sections import Section, sections_of
from dmp.domain.clinical_profile import MOST_CANDIDATES, Candidate

type Reader = Callable[[Section], Iterator[Candidate]]

READERS: Mapping[str, Reader] = {}
"""By the code (LOINC) of a section: what reads its entries."""


def extract(content: bytes) -> tuple[Candidate, ...]:
    """What the sections of a CDA state, in its order, at most 500; nothing for what is no CDA or says nothing coded.

    Raises as `dmp.cda.sections.sections_of`.
    """
    found = (candidate for section in _all(sections_of(content)) for candidate in _read(section))
    return tuple(candidate for _, candidate in zip(range(MOST_CANDIDATES), found, strict=False))


def _all(sections: tuple[Section, ...]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _all(section.sections)


def _read(section: Section) -> Iterator[Candidate]:
    reader = READERS.get(section.code.code) if section.code else None
    if reader:
        yield from reader(section)

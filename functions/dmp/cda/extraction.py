"""From the entries of a CDA's sections to candidates for the structured profile (CI-SIS, entrées des modèles).

A reader is `Callable[[Entry], Iterator[Candidate]]` (`dmp.cda.entry.Entry`: a clinical statement right in a section).
It yields `entry.candidate(kind, resource)` for each thing said, reads the statements within by `entry.inner()`, and
yields nothing for what it cannot use: it never raises. A module of readers has a constant `READERS` by
`(section code, what)`, where `what` is a template id of the statement, or the name of its element (`observation`) for
those that name no model known here, and the section code may be empty: whatever the section. The first found reads:
section and template, template alone, section and element. What nobody reads is looked into, level by level. A reader
is given no statement that is about somebody else (`subject`); of those within its own it asks `is_of_another`.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from dmp.cda import allergies, family_history, medications, problems, results, vaccinations
from dmp.cda.entry import Entry, Reader, statements
from dmp.cda.markup import Node
from dmp.cda.passages import Passages
from dmp.cda.readers import READERS
from dmp.cda.sections import Section, body_of
from dmp.domain.clinical_profile import MOST_CANDIDATES, Candidate, Offer

MOST_BYTES, MOST_PACKED = 1_000_000, 250_000
"""Bytes of all that one document offers, as JSON and compressed: it is one item of the table, and read with others."""
_UNTOLD: Mapping[str, Reader] = {allergies.SECTION: allergies.untold, medications.SECTION: medications.untold}
"""What reads the narrative of a section that has no entries."""
_RANKS: tuple[frozenset[str], ...] = (
    frozenset({allergies.SECTION}),
    problems.SECTIONS,
    medications.SECTIONS,
    frozenset({vaccinations.SECTION}),
    frozenset(),
    results.SECTIONS,
)
_OTHERS = 4


def extract(content: bytes) -> Offer:
    """What the sections of a CDA state, in its order; nothing for what is no CDA or says nothing coded.

    At most 500 statements: of a document that makes more, allergies, problems, treatments and vaccinations go first,
    results last, by their sections; the offer is cut then.

    What is said of somebody else than the person, such as the child of a pregnancy, is not among it, but for the
    history of the family. That there is no allergy or no treatment is, even where but the narrative says so. Raises as
    `dmp.cda.sections.sections_of`.
    """
    body = body_of(content)
    passages = Passages(body.sections)
    ranked = sorted(enumerate(_ranked(body.sections)), key=lambda one: one[1][0])
    found = ((place, one) for place, (_, section) in ranked for one in _read(section, passages, body.written))
    kept, is_cut = _bounded(found)
    return Offer(tuple(one for _, one in sorted(kept, key=lambda one: one[0])), is_cut)


def _ranked(sections: tuple[Section, ...], rank: int = _OTHERS) -> Iterator[tuple[int, Section]]:
    """All sections with their ranks, first read first; one of another code has that of the section around it."""
    for section in sections:
        if not section.is_of_another:
            code = section.code.code if section.code else ""
            own = next((rank for rank, codes in enumerate(_RANKS) if code in codes), rank)
            yield own, section
            yield from _ranked(section.sections, own)


def _bounded(found: Iterator[tuple[int, Candidate]]) -> tuple[list[tuple[int, Candidate]], bool]:
    """As many as one item of the table holds, and whether there are more."""
    packer, whole, packed = zlib.compressobj(), 0, 0
    kept: list[tuple[int, Candidate]] = []
    for place, candidate in found:
        text = json.dumps([candidate.section_title, str(candidate.section), candidate.resource]).encode()
        whole, packed = whole + len(text), packed + len(packer.compress(text))
        if len(kept) == MOST_CANDIDATES or whole > MOST_BYTES or packed > MOST_PACKED:
            return kept, True
        kept.append((place, candidate))
    return kept, False


def _read(section: Section, passages: Passages, written: datetime | None) -> Iterator[Candidate]:
    for element in section.entries:
        for entry in statements(element, section, passages, written):
            yield from _statement(entry)
    untold = _UNTOLD.get(section.code.code) if section.code and not section.entries else None
    if untold:
        yield from untold(Entry(Node("section"), section, passages, written))


def _statement(entry: Entry) -> Iterator[Candidate]:
    reader = _reader(entry)
    if reader:
        yield from reader(entry)
    elif not entry.is_of_another:
        for inner in entry.inner():
            yield from _statement(inner)


def _reader(entry: Entry) -> Reader | None:
    section, templates = entry.section_code, entry.template_ids
    is_family = entry.is_of_another or section == family_history.SECTION
    readers = family_history.READERS if is_family else READERS
    keys = [(section, one) for one in templates] + [("", one) for one in templates] + [(section, entry.act.name)]
    return next((readers[key] for key in keys if key in readers), None)

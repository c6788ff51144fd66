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

from dmp.cda import allergies, family_history, medications
from dmp.cda.entry import Entry, Reader, statements
from dmp.cda.markup import Node
from dmp.cda.passages import Passages
from dmp.cda.readers import READERS
from dmp.cda.sections import Section, body_of
from dmp.domain.clinical_profile import MOST_CANDIDATES, Candidate

MOST_BYTES, MOST_PACKED = 1_000_000, 250_000
"""Bytes of all that one document offers, as JSON and compressed: it is one item of the table, and read with others."""
_UNTOLD: Mapping[str, Reader] = {allergies.SECTION: allergies.untold, medications.SECTION: medications.untold}
"""What reads the narrative of a section that has no entries."""


def extract(content: bytes) -> tuple[Candidate, ...]:
    """What the sections of a CDA state, in its order, at most 500; nothing for what is no CDA or says nothing coded.

    What is said of somebody else than the person, such as the child of a pregnancy, is not among it, but for the
    history of the family. That there is no allergy or no treatment is, even where but the narrative says so. Raises as
    `dmp.cda.sections.sections_of`.
    """
    body = body_of(content)
    passages = Passages(body.sections)
    found = (one for section in _all(body.sections) for one in _read(section, passages, body.written))
    return tuple(_bounded(found))


def _bounded(found: Iterator[Candidate]) -> Iterator[Candidate]:
    packer, whole, packed = zlib.compressobj(), 0, 0
    for _, candidate in zip(range(MOST_CANDIDATES), found, strict=False):
        text = json.dumps([candidate.section_title, str(candidate.section), candidate.resource]).encode()
        whole, packed = whole + len(text), packed + len(packer.compress(text))
        if whole > MOST_BYTES or packed > MOST_PACKED:
            return
        yield candidate


def _all(sections: tuple[Section, ...]) -> Iterator[Section]:
    for section in sections:
        if not section.is_of_another:
            yield section
            yield from _all(section.sections)


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

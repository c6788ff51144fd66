"""Spoilt entries, and entries without number: what is wrong is valid or not offered, at a cost linear in the size."""

import time
import zlib
from copy import deepcopy
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.cda.extraction import MOST_BYTES, MOST_PACKED
from dmp.domain.clinical_profile import MOST_CANDIDATES, Candidate
from tests.cda_entries import (
    ATC,
    CCAM,
    CIM10,
    ROLE,
    SNOMED,
    act,
    allergy,
    comment,
    concept,
    concern,
    finding,
    habit,
    illness,
    inside,
    interval,
    part,
    problem,
    procedure,
    relative,
    state,
    typed,
    vaccination,
    value,
    words,
)
from tests.cda_factories import structured
from tests.fhir_validity import problems as faults
from tests.offered_resources import about_somebody, candidates_of

CPU_SECONDS = 8
_PASSAGES = '<content ID="a">Passage</content><table><tr><td><content ID="b">Autre</content></td></tr></table>'
_RASH = act("observation", "37", interval("2010") + value("L50", inner=words("#a")))
_REASON = inside(act("act", "36", concept("code", "I21.1")), "RSON")
_WHO = (
    '<performer><time value="20190711"/><assignedEntity><id root="1.2.3" extension="8"/></assignedEntity></performer>'
)
SOUND = {
    "11450-4": concern(
        "39",
        "active",
        problem(
            value("I10", display="HTA", inner=words("#a")),
            interval("2019", "20200101"),
            state("active") + comment("#b") + concept("targetSiteCode", "C50.2"),
        ),
    ),
    "48765-2": concern(
        "40",
        "active",
        allergy(
            concept("code", "N02BE01", ATC, "paracétamol") + "<name>Doliprane</name>",
            time=interval("200003"),
            inner=inside(_RASH, "MFST")
            + value("L50.0", CIM10)
            + finding("SEV", value("6736007", SNOMED))
            + finding("82606-5", value("CRITH")),
        ),
    ),
    "11369-6": vaccination(
        concept("code", "J07AM01", ATC) + "<lotNumberText>44</lotNumberText>",
        interval("20200101"),
        '<doseQuantity value="0.5" unit="mL"/>'
        + _WHO
        + finding("30973-2", typed("INT", value="2"))
        + inside(_RASH, "CAUS")
        + _REASON
        + inside(act("supply", "44", _WHO), "REFR"),
    ),
    "47519-4": procedure(concept("code", "DDAF004", CCAM), interval("2018", "2019"), _WHO + _REASON + comment("#a")),
    "10157-6": relative(concept("code", "MTH", ROLE, "Mère"), "F", illness(value("D57.1"))),
    "29762-2": habit("74011-8", typed("PQ", value="25", unit="{pack}/a"), interval("2019")),
}
_TEXTS = [
    "", " ", "a b", "a  b", "\u00a0", "\u202e", "é" * 600, "9" * 300, "-1", "0", "1.5", "1e9", "true", "FALSE", "UNK",
    "EVN", "INT", "1.2.3", "1..2", "urn:oid:1.2", "javascript:x", "20200230", "2020", "20201332", "19001231000000",
    "9998123123595960+2359", "20200101120000-1400", "20200101000000+9999", "#a", "#", "b", "2.16.840.1.113883.6.1",
    "MFST", "CAUS", "RSON", "active", "CD", "PQ", "IVL_TS", "716186003", "no-known-allergies", "{pack}/a", "%", "µg",
]  # fmt: skip
_ELEMENTS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["attribute", "drop", "double", "empty", "move", "text"]),
              st.integers(0, 200), st.sampled_from(_TEXTS)),
    min_size=1, max_size=6,
)  # fmt: skip


@given(code=st.sampled_from(sorted(SOUND)), within=st.sampled_from(sorted(SOUND)), changes=_ELEMENTS)
def test_whatever_is_wrong_with_an_entry_it_is_valid_or_not_offered(
    code: str, within: str, changes: list[tuple[int, str, int, str]]
) -> None:
    entry = spoilt(SOUND[code], changes)

    found = candidates_of(structured(part(within, "Section", _PASSAGES, entry)))

    assert [fault for candidate in found for fault in faults(about_somebody(candidate))] == []


def spoilt(entry: str, changes: list[tuple[int, str, int, str]]) -> str:
    """An entry with some elements or attributes changed, still XML."""
    root = ElementTree.fromstring(entry)  # noqa: S314 - our own
    for at, how, other, text in changes:
        elements = list(root.iter())
        _spoil(elements[at % len(elements)], elements[other % len(elements)], how, text)
    return ElementTree.tostring(root, encoding="unicode")


def _spoil(element: ElementTree.Element, other: ElementTree.Element, how: str, text: str) -> None:
    match how:
        case "attribute":
            for name in list(element.attrib)[len(text) % 2 :]:
                element.set(name, text)
        case "drop":
            element[:] = element[1:]
        case "double":
            element.extend([deepcopy(child) for child in element[:3]])
        case "empty":
            element.clear()
        case "move":
            other.append(deepcopy(element))
        case "text":
            element.text = text


@pytest.mark.parametrize("code", SOUND)
def test_a_sound_entry_is_offered(code: str) -> None:
    [candidate] = candidates_of(structured(part(code, "Section", _PASSAGES, SOUND[code])))

    assert faults(about_somebody(candidate)) == []


def test_no_document_offers_more_than_one_item_of_the_table_holds() -> None:
    many = [concern("39", "active", problem(value("I10"))) for _ in range(MOST_CANDIDATES + 5)]
    relatives = relative(concept("code", "MTH", ROLE), "F", *[illness(value("D57", display="é" * 500))] * 50)
    chance = Random("items")
    noise = [problem(value("I10", display=chance.randbytes(240).hex())) for _ in range(3 * MOST_CANDIDATES)]

    assert len(candidates_of(structured(part("11450-4", "P", "", *many)))) == MOST_CANDIDATES
    assert 0 < size(candidates_of(structured(part("10157-6", "F", "", *[relatives] * 200)))) < MOST_BYTES
    found = candidates_of(structured(part("11450-4", "P", "", *(concern("39", "active", one) for one in noise))))
    assert len(zlib.compress(str(found).encode())) < MOST_PACKED * 1.3


def size(candidates: tuple[Candidate, ...]) -> int:
    return len(str([one.resource for one in candidates]))


@pytest.mark.parametrize(
    ("narrative", "entries"),
    [
        (f'<content ID="big">{"<br/>" * 30_000}</content>', problem(value(inner=words("#big")))),
        (
            "".join(f'<content ID="c{n}">' for n in range(80)) + "a" + "</content>" * 80,
            problem(value(inner=words("#c1"))),
        ),
        ("x" * 1_000_000, allergy("")),
        ("", problem(value()) + '<entryRelationship><observation moodCode="EVN"/></entryRelationship>'),
    ],
    ids=["a passage without end", "nested passages", "a narrative without end", "nothing at all"],
)
def test_hostile_documents_cost_no_more_than_their_size(narrative: str, entries: str) -> None:
    many = concern("39", "active", *[entries] * 5_000)
    document = structured(part("48765-2", "S", narrative, many, concern("40", "active", *[entries] * 3_000)))
    before = time.process_time()

    candidates_of(document)

    assert time.process_time() - before < CPU_SECONDS

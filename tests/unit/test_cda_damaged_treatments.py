"""Damaged treatments and results: what is read of them is valid FHIR, and nothing but our own refusals comes back."""

import random
import re
import time
from contextlib import suppress

import pytest

from dmp.domain.clinical_profile import MOST_CANDIDATES
from dmp.domain.errors import Invalid, TooLarge
from tests.cda_results import AT, ISOLATE, SIGNS, SIMPLE, chapter, observed, organizer, pq, specimen
from tests.cda_treatments import (
    ATC,
    PRESCRIPTION,
    dispensation,
    document,
    interval,
    linked,
    product,
    rhythm,
    section,
    stop,
    treatment,
)
from tests.fhir_validity import problems
from tests.fuzz.cda_mutations import spoilt
from tests.offered_resources import about_somebody, candidates_of

TIMES = 120
CPU_SECONDS = 3.0
NARRATIVE = (
    '<table><thead><tr><th colspan="2">Médicament</th><th>Posologie</th></tr></thead><tbody><tr><td>a</td>'
    '<td><content ID="m">Exemple</content></td><td>1 le <content ID="d">soir</content></td></tr></tbody></table>'
)
WORDS = '<originalText><reference value="#m"/></originalText>'
DOSE = (
    '<doseQuantity><low value="1" unit="{tablet}"/><high value="2" unit="{tablet}"/></doseQuantity>'
    '<rateQuantity><low value="1" unit="mg/d"/></rateQuantity>'
    '<routeCode code="20053000" codeSystem="0.4.0.127.0.16.1.1.2.1" displayName="Voie orale"/>'
    '<maxDoseQuantity><numerator value="4" unit="g"/><denominator value="1" unit="d"/></maxDoseQuantity>'
)
GROUPED = f'{WORDS}<translation code="C09AA05" codeSystem="{ATC}" displayName="ramipril"/>'
TOLD = '<act><code code="PINSTRUCT"/><text><reference value="#d"/></text></act>'
WHY = '<act><code code="I10" codeSystem="2.16.840.1.113883.6.3" displayName="HTA"/></act>'
REMARK = '<act><code code="48767-8"/><text>Dit</text></act>'
JUDGED = '<interpretationCode code="H" codeSystem="2.16.840.1.113883.5.83" displayName="Haut"/>'
BOUNDS = '<value xsi:type="IVL_PQ"><low value="1" unit="g/L"/><high value="2.5" unit="g/L" inclusive="false"/></value>'
RANGE = f"<referenceRange><observationRange><text>1 - 2</text>{BOUNDS}{JUDGED}</observationRange></referenceRange>"

TREATMENTS = document(
    section(
        "10160-0",
        treatment(
            interval("20250101", "20260401"),
            rhythm("8", "h"),
            DOSE,
            linked(WHY, "RSON"),
            linked(TOLD, "SUBJ"),
            linked(REMARK, "SUBJ"),
            stop("20260201"),
            linked(treatment(rhythm("1", "d"), DOSE)),
            of=product(within=GROUPED),
        ),
        treatment('<code code="no-known-medications" codeSystem="2.16.840.1.113883.5.1150.1"/>', of=product(code="")),
        narrative=NARRATIVE,
    ),
    section("57828-6", treatment(DOSE, mood="INT", template=PRESCRIPTION)),
    section("60590-7", dispensation('<effectiveTime value="20260305"/>', linked(treatment(DOSE)))),
)
RESULTS = document(
    section(
        "18719-5",
        chapter(
            organizer(observed("718-7", AT, pq("13", "g/dL"), JUDGED, RANGE), observed("777-3", BOUNDS)),
            organizer(observed("28-1", BOUNDS, JUDGED), template=ISOLATE, head=AT + specimen("Escherichia coli")),
            observed("882-1", '<value xsi:type="CD" code="1" codeSystem="1.2.3" displayName="A"/>'),
        ),
        narrative=NARRATIVE,
    ),
    section("30954-2", observed("EAQM004", '<value xsi:type="ST">Normal</value>', template=SIMPLE)),
    section(
        "35088-4",
        observed(
            "9269-2", '<value xsi:type="INT" value="15"/>', linked(observed("9267-6", pq("4", ""))), template=SIMPLE
        ),
    ),
    section(
        "8716-3",
        organizer(
            observed("8480-6", pq("120", "mm[Hg]")), observed("8462-4", pq("80", "mm[Hg]")), template=SIGNS, head=AT
        ),
    ),
)
SOUND = {"treatments": TREATMENTS, "results": RESULTS}

_VALUES = (
    *("", " ", "0", "-0", "-1", "1e9", "1,5", "0.10", "9" * 400, "1" + "0" * 17, "NaN", "inf", "²", "true", "1 2"),
    *("2026", "202613", "20260230", "20260101120000+9999", "19000101", "0001", "20260310101500-1245", "UNK"),
    *("1.2..3", "2.16.840.1.113883.6.1", "urn:oid:1.2", "a b", "&#x202e;", "&#xad;", "é" * 300, "#m", "x" * 900),
    *("PQ", "c:PQ", "IVL_PQ", "REAL", "INT", "CD", "TS", "IVL_TS", "BL", "ED", "RTO_PQ_PQ", "ANY"),
    *("EVN", "INT", "COMP", "RSON", "nullified", "aborted", "{tablet}", "mg/d", "h", "°C", "é", "1"),
)
_ATTRIBUTE = re.compile(r'(?<= )[\w:]+="([^"]*)"')
_EMPTY = re.compile(r"<\w+ [^<>]*/>")


def altered(content: bytes, chance: random.Random) -> bytes:
    """A document that is still XML, with other values here and there, and some elements left out or twice."""
    text = content.decode()
    for _ in range(chance.choice((1, 2, 4, 12))):
        found = chance.choice([one for one in _ATTRIBUTE.finditer(text) if not one[0].startswith(("xmlns", "version"))])
        text = text[: found.start(1)] + chance.choice(_VALUES) + text[found.end(1) :]
    for _ in range(chance.choice((0, 0, 1, 3))):
        one = chance.choice(list(_EMPTY.finditer(text)))
        text = text[: one.start()] + one[0] * chance.choice((0, 2)) + text[one.end() :]
    return text.encode()


def assert_read_or_refused(content: bytes) -> None:
    with suppress(Invalid, TooLarge):
        for candidate in candidates_of(content):
            found = problems(about_somebody(candidate))
            assert not found, (found, candidate.resource)


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_read_whole(name: str) -> None:
    assert len(candidates_of(SOUND[name])) == {"treatments": 4, "results": 7}[name]


@pytest.mark.parametrize("name", SOUND)
def test_what_is_read_of_odd_values_is_valid(name: str) -> None:
    chance = random.Random(f"odd {name}")

    for _ in range(TIMES):
        assert_read_or_refused(altered(SOUND[name], chance))


@pytest.mark.parametrize("name", SOUND)
def test_what_is_read_of_damaged_bytes_is_valid(name: str) -> None:
    chance = random.Random(f"damaged {name}")

    for _ in range(TIMES):
        assert_read_or_refused(spoilt(SOUND[name], chance))


@pytest.mark.long
@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("seed", range(10))
def test_nothing_odd_or_damaged_gives_anything_invalid(name: str, seed: int) -> None:
    chance = random.Random(f"{seed} {name}")

    for _ in range(5 * TIMES):
        assert_read_or_refused(altered(SOUND[name], chance))
        assert_read_or_refused(spoilt(SOUND[name], chance))


def test_many_treatments_beside_a_wide_table_are_read_in_time() -> None:
    wide = "".join(f"<td>{'x' * 800}</td>" for _ in range(30))
    rows = "".join(f'<tr><td><content ID="m{n}">Exemple</content></td>{wide}</tr>' for n in range(60))
    head = f"<thead><tr>{'<th>Dose</th>' * 31}</tr></thead>"
    named = (product(within=WORDS.replace("#m", f"#m{n % 60}")) for n in range(3_000))
    content = document(
        section(
            "10160-0", *(treatment(of=one) for one in named), narrative=f"<table>{head}<tbody>{rows}</tbody></table>"
        )
    )
    started = time.process_time()

    found = candidates_of(content)

    assert time.process_time() - started < CPU_SECONDS
    assert 0 < len(found) <= MOST_CANDIDATES

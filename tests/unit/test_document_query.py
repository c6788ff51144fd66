"""What a search for documents asks, and what it matches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.adapters.document_items import document_indexes
from dmp.domain.code_lists import class_system
from dmp.domain.consent import PatientRef
from dmp.domain.document import Awaited, Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent
from dmp.domain.document_query import DocumentQuery, carries
from dmp.domain.identifiers import Identifier, local_id, time_prefix
from dmp.domain.search_terms import Order, Span, Spans, changed_position

LOINC = "http://loinc.org"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = st.integers(min_value=-48, max_value=48).map(lambda hours: NOON + timedelta(hours=hours))
SPANS = st.builds(Span, st.none() | HOURS, st.none() | HOURS)
GROUPS = st.lists(st.lists(SPANS, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple)


def entry(moment: datetime = NOON, **changes: Any) -> DocumentEntry:
    whole = DocumentEntry(
        record="0" * 26,
        local=local_id(moment, bytes(16)),
        version=1,
        updated=NOON,
        status=DocumentStatus.CURRENT,
        type=Coding(LOINC, "60591-5"),
        visibility=frozenset(),
        depositor=Depositor(None, None),
        authors=frozenset(),
        content=StoredContent(key="k", content_type="text/plain", size=1, sha1="", sha256=""),
        master_identifier=Identifier("urn:ietf:rfc:3986", "urn:oid:2.999.1"),
        identifiers=(Identifier("urn:n", "7"),),
        body="{}",
    )
    return replace(whole, **changes)


def query(**fields: Any) -> DocumentQuery:
    return DocumentQuery(**{"patient": PatientRef(record="0" * 26), "statuses": (DocumentStatus.CURRENT,), **fields})


@given(GROUPS, HOURS)
def test_the_range_that_is_read_leaves_out_nothing_that_matches(groups: Spans, moment: datetime) -> None:
    asked, document = query(date=groups), entry(moment)

    if asked.matches(document):
        assert asked.stretch.low <= document.local
        assert not asked.stretch.high or document.local < asked.stretch.high


@given(GROUPS, HOURS)
def test_dates_are_alternatives_within_a_group_and_conditions_across(groups: Spans, moment: datetime) -> None:
    def holds(span: Span) -> bool:
        return not (span.start and moment < span.start) and not (span.end and moment >= span.end)

    assert query(date=groups).matches(entry(moment)) is all(any(map(holds, group)) for group in groups)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Coding("", "60591-5"), True),
        (Coding(LOINC, "60591-5"), True),
        (Coding("urn:oid:2.16.840.1.113883.6.1", "60591-5"), True),
        (Coding(LOINC, ""), True),
        (Coding("urn:x", "60591-5"), False),
        (Coding(LOINC, "11488-4"), False),
    ],
)
def test_types_match_by_system_and_code(wanted: Coding, expected: bool) -> None:
    assert query(types=((wanted,),)).matches(entry()) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"), [(Coding("", "11"), True), (Coding("urn:x", "11"), False), (Coding("", "10"), False)]
)
def test_classes_follow_from_types(wanted: Coding, expected: bool) -> None:
    assert query(classes=((wanted,),)).matches(entry()) is expected
    assert query(classes=((Coding(class_system(), "11"),),)).matches(entry())


def test_a_document_without_type_is_of_no_type_and_class() -> None:
    untyped = entry(type=None)

    assert not query(types=((Coding("", "60591-5"),),)).matches(untyped)
    assert not query(classes=((Coding("", "11"),),)).matches(untyped)
    assert query().matches(untyped)


def test_an_open_type_needs_no_index() -> None:
    assert query(types=((Coding("", "a"), Coding("", "b")),)).indexed_types == ("a", "b")
    assert query(types=((Coding("", "a"), Coding(LOINC, "")),)).indexed_types == ()
    assert query(classes=((Coding("", "11"), Coding("urn:x", "11")),)).indexed_classes == ("11",)


@pytest.mark.parametrize("awaited", Awaited)
def test_what_awaits_its_bytes_or_a_verdict_is_in_no_search(awaited: Awaited) -> None:
    assert not query().matches(entry(awaits=frozenset({awaited})))


def test_a_search_for_no_status_matches_nothing() -> None:
    assert not query(statuses=()).matches(entry())


def test_a_page_goes_on_behind_the_last_document() -> None:
    document = entry()
    asked = query(after=document.local)

    assert not asked.matches(document)
    assert asked.matches(entry(NOON - timedelta(hours=1)))
    assert asked.stretch.end == document.local


def test_a_cursor_within_the_dates_ends_the_range() -> None:
    asked = query(date=((Span(None, NOON),),), after=time_prefix(NOON - timedelta(days=1)))

    assert asked.stretch.end == time_prefix(NOON - timedelta(days=1))


@given(HOURS, HOURS, st.sampled_from(Order))
def test_what_comes_behind_a_page_is_what_the_order_says(first: datetime, second: datetime, order: Order) -> None:
    one, other = entry(first, updated=second), entry(second, updated=first)
    asked = query(order=order)

    behind = replace(asked, after=asked.position(one)).is_behind(other)

    latest = (other.updated < one.updated) if order.is_by_change else (second < first)
    earliest = (other.updated > one.updated) if order.is_by_change else (second > first)
    assert behind is (latest if order.descends else earliest)
    assert not replace(asked, after=asked.position(one)).is_behind(one)


@given(HOURS)
def test_the_index_of_changes_has_the_positions_of_the_order(moment: datetime) -> None:
    document = entry(updated=moment)

    assert document_indexes(document)["ls_updated"] == {"S": changed_position(document.updated, document.local)}


def test_conditions_hold_of_the_resource() -> None:
    asked = query(conditions=(lambda one: one.get("title") == "a", lambda one: "b" in one))

    assert asked.holds(entry(body='{"title": "a", "b": 1}'))
    assert not asked.holds(entry(body='{"title": "a"}'))
    assert query().holds(entry(body="{}"))


def test_repeated_codes_must_all_hold() -> None:
    both = query(types=((Coding("", "60591-5"),), (Coding(LOINC, ""),)))

    assert both.matches(entry())
    assert not query(types=((Coding("", "60591-5"),), (Coding("", "11488-4"),))).matches(entry())
    assert query(types=((Coding(LOINC, ""),), (Coding("", "60591-5"),))).indexed_types == ("60591-5",)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Identifier("urn:ietf:rfc:3986", "urn:oid:2.999.1"), True),
        (Identifier("", "urn:oid:2.999.1"), True),
        (Identifier("", "2.999.1"), True),
        (Identifier("urn:n", "7"), True),
        (Identifier("urn:m", "7"), False),
        (Identifier("", "2.999.2"), False),
    ],
)
def test_identifiers_are_recognised_in_every_spelling(wanted: Identifier, expected: bool) -> None:
    assert carries(entry(), wanted) is expected
    assert query(identifiers=((wanted,),)).matches(entry()) is expected

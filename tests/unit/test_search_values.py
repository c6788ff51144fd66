"""How texts and times compare in searches (FHIR R4 search, ITI-67)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.fhir.search_values import (
    CONTAINS,
    EXACT,
    DateValue,
    Prefix,
    TextValue,
    alternatives,
    folded,
    parse_date_value,
    parse_token,
)

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.timedeltas(timedelta(milliseconds=1), timedelta(days=800))
PREFIXES = st.sampled_from(Prefix)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)
WORDS = st.text("abcdefghijklmnopqrstuvwxyzéèàçœ '-", min_size=1, max_size=12)


def value(prefix: Prefix, start: datetime, length: timedelta) -> DateValue:
    return DateValue(prefix, start, start + length)


class TestPeriods:
    @given(MOMENTS, LENGTHS, MOMENTS, LENGTHS)
    def test_a_time_of_service_overlaps_where_both_have_a_moment_in_common(
        self, start: datetime, length: timedelta, asked: datetime, span: timedelta
    ) -> None:
        end = start + length
        in_common = max(start, asked) < min(end, asked + span)

        assert value(Prefix.EQUAL, asked, span).overlaps(start, end) is in_common
        assert value(Prefix.NOT_EQUAL, asked, span).overlaps(start, end) is not in_common

    @given(MOMENTS, LENGTHS, MOMENTS, LENGTHS)
    def test_from_and_to_together_are_the_span_between(
        self, start: datetime, length: timedelta, asked: datetime, span: timedelta
    ) -> None:
        end = start + length
        since = value(Prefix.AT_LEAST, asked, timedelta(seconds=1))
        until = value(Prefix.AT_MOST, asked + span, timedelta(seconds=1))

        both = since.overlaps(start, end) and until.overlaps(start, end)

        assert both is value(Prefix.EQUAL, asked, span + timedelta(seconds=1)).overlaps(start, end)

    @given(MOMENTS, MOMENTS, LENGTHS)
    def test_what_lasts_reaches_every_later_time(self, start: datetime, asked: datetime, span: timedelta) -> None:
        assert value(Prefix.EQUAL, asked, span).overlaps(start, None) is (start < asked + span)
        assert value(Prefix.GREATER, asked, span).overlaps(start, None)
        assert not value(Prefix.ENDS_BEFORE, asked, span).overlaps(start, None)

    @given(MOMENTS, LENGTHS, MOMENTS, LENGTHS)
    def test_before_after_and_overlapping_are_all_there_is(
        self, start: datetime, length: timedelta, asked: datetime, span: timedelta
    ) -> None:
        end = start + length

        held = [
            value(p, asked, span).overlaps(start, end) for p in (Prefix.STARTS_AFTER, Prefix.ENDS_BEFORE, Prefix.EQUAL)
        ]

        assert held.count(True) == 1


class TestDates:
    @given(PREFIXES, MOMENTS, LENGTHS, MOMENTS, LENGTHS)
    def test_whatever_matches_lies_in_the_window(
        self, prefix: Prefix, asked: datetime, span: timedelta, start: datetime, length: timedelta
    ) -> None:
        wanted = value(prefix, asked, span)
        low, high = wanted.window

        if wanted.matches_instant(start):
            assert low is None or low < start + timedelta(milliseconds=1)
            assert high is None or start < high

    @given(MOMENTS, LENGTHS, MOMENTS, LENGTHS)
    def test_what_is_equal_is_near(self, asked: datetime, span: timedelta, start: datetime, length: timedelta) -> None:
        if value(Prefix.EQUAL, asked, span).matches(start, start + length):
            assert value(Prefix.APPROXIMATELY, asked, span).matches(start, start + length)

    @given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
    def test_near_is_within_the_length_of_a_day_or_more(self, asked: datetime, distance: timedelta) -> None:
        day = value(Prefix.APPROXIMATELY, asked, timedelta(days=1))
        month = value(Prefix.APPROXIMATELY, asked, timedelta(days=31))

        assert day.matches_instant(asked + timedelta(days=1) + distance) is (distance < timedelta(days=1))
        assert month.matches_instant(asked + timedelta(days=31) + distance) is (distance < timedelta(days=31))

    @pytest.mark.parametrize("text", ["ap0001-01-01", "ap9998", "ap9999-12"])
    def test_the_ends_of_time_are_near_nothing_beyond(self, text: str) -> None:
        found = parse_date_value(text)

        if found:
            low, high = found.wide
            assert low < high


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "modifier", "element", "expected"),
        [
            ("mart", "", "MARTIN", True),
            ("artin", "", "MARTIN", False),
            ("artin", CONTAINS, "MARTIN", True),
            ("MARTIN", EXACT, "MARTIN", True),
            ("martin", EXACT, "MARTIN", False),
            ("zoe", "", "Zoé", True),
            ("ZOÉ", "", "zoe", True),
            ("jean pierre", "", "Jean-Pierre", True),
            ("d'arc", "", "D\N{RIGHT SINGLE QUOTATION MARK}Arc", True),
            ("coeur", CONTAINS, "Un cœur", True),
            ("strasse", "", "STRAßE", True),
            ("élodie", "", "E\N{COMBINING ACUTE ACCENT}lodie", True),
        ],
    )
    def test_a_text_is_found_as_people_write_it(
        self, text: str, modifier: str, element: str, *, expected: bool
    ) -> None:
        assert TextValue(text, modifier).matches(element) is expected

    @given(NAMES)
    def test_folding_twice_is_folding_once(self, name: str) -> None:
        assert folded(folded(name)) == folded(name)

    @given(NAMES)
    def test_a_name_finds_itself_in_capitals_or_not(self, name: str) -> None:
        for modifier in ("", CONTAINS):
            assert TextValue(name, modifier).matches(name)
        assert TextValue(name, EXACT).matches(name)

    @given(WORDS, WORDS)
    def test_what_begins_a_text_is_in_it(self, wanted: str, element: str) -> None:
        if TextValue(wanted).matches(element):
            assert TextValue(wanted, CONTAINS).matches(element)
            assert TextValue(wanted, CONTAINS).matches(f"x {element}")


class TestAlternatives:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a,b", ["a", "b"]),
            (r"a\,b,c", [r"a\,b", "c"]),
            (r"a\\,b", [r"a\\", "b"]),
            (",a,,b,", ["a", "b"]),
            ("a\\", ["a\\"]),
            ("", []),
        ],
    )
    def test_are_between_commas_that_nothing_escapes(self, text: str, expected: list[str]) -> None:
        assert alternatives(text) == expected

    @given(st.lists(st.text("ab", min_size=1), min_size=1))
    def test_come_apart_as_they_were_joined(self, parts: list[str]) -> None:
        assert alternatives(",".join(parts)) == parts

    @pytest.mark.parametrize("text", ["a" * 1_000_000, "a," * 500_000, "|" * 1_000_000], ids=["one", "many", "bars"])
    def test_of_a_megabyte_are_read_at_once(self, text: str) -> None:
        before = time.process_time()

        alternatives(text)
        parse_token(text)

        assert time.process_time() - before < 2

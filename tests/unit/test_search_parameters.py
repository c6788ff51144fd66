"""Search parameters: what is understood, what is refused, and links that never carry an INS."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.consent import PatientRef
from dmp.domain.errors import DmpError, Malformed, NotAcceptable
from dmp.domain.identifiers import Identifier, professional
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter, parse_search
from dmp.fhir.search_values import parse_date_value

BASE = "https://dmp.example/fhir"
RECORD = "0123456789abcdefghjkmnpqrs"
INS_SYSTEM = "urn:oid:1.2.250.1.213.1.4.8"
INS_VALUE = "255069999999934"
INS = f"{INS_SYSTEM}|{INS_VALUE}"
KNOWN = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("status", Kind.TOKEN),
    Parameter("identifier", Kind.TOKEN),
    Parameter("date", Kind.DATE),
    Parameter("author", Kind.REFERENCE, targets=("Practitioner", "Organization")),
    Parameter("entity", Kind.REFERENCE),
    Parameter("text", Kind.STRING),
    Parameter("_sort", Kind.CHOICE, choices=("date", "-date")),
)


def search(*pairs: tuple[str, str], strict: bool = False, **options: Any) -> Search:
    return parse_search(pairs, KNOWN, base_url=BASE, resource_type="DocumentReference", strict=strict, **options)


def refused(*pairs: tuple[str, str], strict: bool = False) -> DmpError:
    with pytest.raises(DmpError) as failure:
        search(*pairs, strict=strict)
    return failure.value


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_values_are_alternatives_and_repeats_all_hold() -> None:
    found = search(("status", "current,superseded"), ("status", "current"))

    assert found.tokens_match("status", [("", "current")])
    assert not found.tokens_match("status", [("", "superseded")])


@pytest.mark.parametrize(
    ("token", "system", "code", "matches"),
    [
        ("a", "s", "a", True),
        ("s|a", "s", "a", True),
        ("s|a", "t", "a", False),
        ("|a", "", "a", True),
        ("|a", "s", "a", False),
        ("s|", "s", "anything", True),
        ("s|", "t", "anything", False),
        (r"a\,b", "", "a,b", True),
        (r"a\|b", "", "a|b", True),
        (r"s|a\\b", "s", r"a\b", True),
        ("A", "", "a", False),
    ],
)
def test_a_token_matches_system_and_code(token: str, system: str, code: str, *, matches: bool) -> None:
    assert search(("identifier", token)).tokens_match("identifier", [(system, code)]) is matches


LIMITS = [
    ([("text", "é" * 2_048)], [("text", "é" * 2_049)]),
    ([("_cursor", "a" * 4_096)], [("_cursor", "a" * 4_097)]),
    ([("unknown", "a" * 16_377)], [("unknown", "a" * 16_378)]),
    ([("text", "a" * 4_000)] * 4, [("text", "a" * 4_000)] * 5),
    ([("identifier", ",".join("a" * 50))], [("identifier", ",".join("a" * 51))]),
    ([("identifier", "a,b"), ("text", ",".join("a" * 48))], [("identifier", "a,b"), ("text", ",".join("a" * 49))]),
    ([("identifier", "a")] * 50, [("identifier", "a")] * 51),
]


@pytest.mark.parametrize(("most", "beyond"), LIMITS)
def test_a_search_has_an_end(most: list[tuple[str, str]], beyond: list[tuple[str, str]]) -> None:
    search(*most)
    failure = refused(*beyond)

    assert (type(failure), failure.code) == (Malformed, "invalid-parameter")
    assert failure.expression in (None, f"http.{beyond[-1][0]}")
    assert "a" * 50 not in str(failure.detail)


def test_a_search_without_a_parameter_matches_everything() -> None:
    nothing = search()

    assert nothing.tokens_match("status", [])
    assert nothing.references_match("entity", [])
    assert nothing.within("date", moment("2026-01-01T00:00:00Z"))
    assert nothing.window("date") == (None, None)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_counts_as_none(value: str) -> None:
    assert search(("status", value)).tokens("status") == ()
    assert search(("patient", value)).patient is None


@pytest.mark.parametrize("value", [f"Patient/{RECORD}", RECORD, f"{BASE}/Patient/{RECORD}"])
def test_the_patient_is_named_by_reference_id_or_address(value: str) -> None:
    assert search(("patient", value)).patient == PatientRef(record=RECORD)


def test_the_patient_is_named_by_ins() -> None:
    assert search(("patient.identifier", INS)).patient == PatientRef(ins=Identifier(INS_SYSTEM, INS_VALUE))


@pytest.mark.parametrize(
    "value",
    [
        f"Practitioner/{RECORD}",
        f"https://elsewhere.example/fhir/Patient/{RECORD}",
        f"Patient/{RECORD}/_history/1",
        "Patient/a,Patient/b",
        "Patient/",
        "x" * 65,
        "a b",
        "Patient/\u0661",
    ],
)
def test_what_names_no_patient_is_refused(value: str) -> None:
    failure = refused(("patient", value))

    assert (type(failure), failure.code, failure.expression) == (Malformed, "invalid-parameter", "http.patient")


@pytest.mark.parametrize("value", [INS_VALUE, f"|{INS_VALUE}", f"{INS_SYSTEM}|", f"{INS},{INS}"])
def test_an_ins_without_its_system_is_refused(value: str) -> None:
    assert refused(("patient.identifier", value)).code == "invalid-parameter"


def test_two_patients_are_refused_and_one_named_twice_is_not() -> None:
    assert refused(("patient", "a"), ("patient", "b")).code == "wrong-patient"
    assert refused(("patient", RECORD), ("patient.identifier", INS)).code == "wrong-patient"
    assert search(("patient", RECORD), ("patient", f"Patient/{RECORD}")).patient == PatientRef(record=RECORD)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(Malformed) as patient:
        search().require_patient()
    with pytest.raises(Malformed) as status:
        search().require("status")

    assert (patient.value.code, patient.value.expression) == ("missing-parameter", "http.patient")
    assert (status.value.code, status.value.expression) == ("missing-parameter", "http.status")


@pytest.mark.parametrize("value", [INS, INS_VALUE, f"current,{INS}", f"|{INS_VALUE}"])
@pytest.mark.parametrize("name", ["identifier", "status", "text"])
def test_an_ins_is_taken_by_no_other_parameter(name: str, value: str) -> None:
    assert refused((name, value)).code == "invalid-parameter"


def test_no_link_carries_an_ins() -> None:
    found = search(("patient.identifier", INS), ("status", "current"))

    for text in (found.self_url(RECORD), found.next_url("c", RECORD), found.described(RECORD), found.self_url()):
        assert INS_VALUE not in text
        assert "1.2.250.1.213" not in text


def test_self_repeats_what_was_used_with_the_patient_by_id() -> None:
    found = search(
        ("patient.identifier", INS), ("status", "current"), ("unknown", "1"), ("_format", "json"), ("_count", "500")
    )

    link = urlsplit(found.self_url(RECORD))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{BASE}/DocumentReference"
    assert parse_qsl(link.query) == [("patient", RECORD), ("status", "current"), ("_count", "100")]


def test_next_adds_the_cursor_and_self_keeps_it() -> None:
    first = search(("patient", RECORD))
    following = search(*parse_qsl(urlsplit(first.next_url("abc", RECORD)).query))

    assert following.cursor == "abc"
    assert following.patient == first.patient
    assert parse_qsl(urlsplit(following.self_url(RECORD)).query) == [("patient", RECORD), ("_cursor", "abc")]


def test_a_page_by_ins_and_its_next_page_by_id_have_one_cursor_context() -> None:
    caller = professional("810101234567")
    first = search(("status", "current"), ("patient.identifier", INS))
    following = search(*parse_qsl(urlsplit(first.next_url("abc", RECORD)).query))

    assert following.cursor_context(caller) == first.cursor_context(caller, RECORD)


def test_another_patient_query_or_caller_has_another_cursor_context() -> None:
    caller = professional("810101234567")
    context = search(("patient", RECORD)).cursor_context(caller)

    assert search(("patient", "other")).cursor_context(caller) != context
    assert search(("patient", RECORD), ("_count", "5")).cursor_context(caller) != context
    assert search(("patient", RECORD)).cursor_context(professional("899900000000")) != context


def test_special_characters_survive_a_link() -> None:
    value = "a&b=c d+é|100%"
    link = search(("identifier", value)).self_url()

    assert parse_qsl(urlsplit(link).query) == [("identifier", value)]


@pytest.mark.parametrize(
    ("prefix", "year", "matches"),
    [
        ("", 2025, False),
        ("", 2026, True),
        ("eq", 2026, True),
        ("ne", 2026, False),
        ("ne", 2027, True),
        ("gt", 2026, False),
        ("gt", 2027, True),
        ("ge", 2026, True),
        ("ge", 2025, False),
        ("lt", 2026, False),
        ("lt", 2025, True),
        ("le", 2026, True),
        ("le", 2027, False),
        ("sa", 2027, True),
        ("eb", 2025, True),
    ],
)
def test_a_moment_compares_as_the_prefix_asks(prefix: str, year: int, *, matches: bool) -> None:
    found = search(("date", f"{prefix}2026"))

    assert found.within("date", datetime(year, 6, 1, tzinfo=UTC)) is matches


@pytest.mark.parametrize(
    ("prefix", "matches"),
    [("eq", False), ("ne", True), ("gt", True), ("ge", True), ("lt", True), ("le", True), ("sa", False), ("eb", False)],
)
def test_a_range_that_overlaps_compares_as_the_prefix_asks(prefix: str, *, matches: bool) -> None:
    value = parse_date_value(f"{prefix}2026-06")

    assert value is not None
    assert value.matches(moment("2026-01-01T00:00:00Z"), moment("2027-01-01T00:00:00Z")) is matches
    assert value.matches(moment("2026-06-10T00:00:00Z"), None) is (prefix in ("ne", "gt", "ge"))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-07", "2026-06-30T22:00:00Z", "2026-07-31T22:00:00Z"),
        ("2026-07-14", "2026-07-13T22:00:00Z", "2026-07-14T22:00:00Z"),
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("2026-01-01T10:00", "2026-01-01T09:00:00Z", "2026-01-01T09:01:00Z"),
        ("2026-01-01T10:00:05", "2026-01-01T09:00:05Z", "2026-01-01T09:00:06Z"),
        ("2026-01-01T10:00:05Z", "2026-01-01T10:00:05Z", "2026-01-01T10:00:06Z"),
        ("2026-01-01T10:00:05.5+02:00", "2026-01-01T08:00:05.5Z", "2026-01-01T08:00:05.6Z"),
        ("2026-01-01T10:00:05 02:00", "2026-01-01T08:00:05Z", "2026-01-01T08:00:06Z"),
    ],
)
def test_a_date_stands_for_its_last_written_unit_in_paris_unless_it_has_an_offset(
    text: str, start: str, end: str
) -> None:
    assert search(("date", text)).window("date") == (moment(start), moment(end))


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-02-30", "26", "zz2026", "xx2026", "2026-01-01T25:00", "today", "2026-1-1", "-2026", "10000",
     "9999-12-31T23:59:59Z", "0000", "ge", "\uff12\uff10\uff12\uff16"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    assert refused(("date", text)).code == "invalid-parameter"


def test_a_window_is_what_all_repeats_leave() -> None:
    found = search(("date", "ge2026-01-01T00:00:00Z"), ("date", "lt2026-02-01T00:00:00Z"), ("date", "ne2026"))

    assert found.window("date") == (moment("2026-01-01T00:00:00Z"), moment("2026-02-01T00:00:00Z"))


def test_a_window_spans_all_alternatives() -> None:
    found = search(("date", "2026-01-01T00:00Z,2026-03-01T00:00Z"))

    assert found.window("date") == (moment("2026-01-01T00:00:00Z"), moment("2026-03-01T00:01:00Z"))
    assert search(("date", "2026,gt2030")).window("date")[1] is None


MOMENTS = st.integers(0, 2_500_000_000_000).map(lambda n: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n))
DATES = st.builds(
    lambda prefix, when, length: prefix + when.isoformat(timespec="seconds")[:length] + ("Z" if length > 10 else ""),
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]),
    MOMENTS.map(lambda when: when.replace(tzinfo=None)),
    st.sampled_from([4, 7, 10, 16, 19]),
)


@given(st.lists(st.lists(DATES, min_size=1, max_size=3), max_size=3), MOMENTS)
def test_every_moment_that_matches_lies_in_the_window(groups: list[list[str]], when: datetime) -> None:
    found = search(*(("date", ",".join(group)) for group in groups))
    start, end = found.window("date")

    if found.within("date", when):
        assert start is None or start <= when
        assert end is None or when < end


@given(DATES, MOMENTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=900)))
def test_not_equal_is_the_contrary_of_equal(text: str, start: datetime, length: timedelta) -> None:
    plain = text.lstrip("abcdefghijklmnopqrst")
    equal, different = parse_date_value(f"eq{plain}"), parse_date_value(f"ne{plain}")

    assert equal is not None
    assert different is not None
    assert equal.matches(start, start + length) is not different.matches(start, start + length)


@pytest.mark.parametrize(
    ("value", "reference", "matches"),
    [
        ("Practitioner/1", "Practitioner/1", True),
        (f"{BASE}/Practitioner/1", "Practitioner/1", True),
        ("1", "Practitioner/1", True),
        ("1", "Practitioner/11", False),
        ("Practitioner/1", "Organization/1", False),
        ("Practitioner/1", "Practitioner/1/_history/2", True),
    ],
)
def test_a_reference_matches_by_type_and_id(value: str, reference: str, *, matches: bool) -> None:
    assert search(("entity", value)).references_match("entity", [reference]) is matches


@pytest.mark.parametrize("value", ["Patient/1", "a b", "<script>", "../x"])
def test_a_reference_of_a_type_that_is_never_named_is_refused(value: str) -> None:
    assert refused(("author", value)).code == "invalid-parameter"


def test_an_unknown_parameter_is_ignored_unless_the_client_is_strict() -> None:
    assert search(("secret-name", "1")) == search()

    failure = refused(("secret-name", "1"), strict=True)
    assert failure.code == "unknown-parameter"
    assert "secret-name" not in (failure.detail or "")
    assert "status" in (failure.detail or "")


@pytest.mark.parametrize("name", ["status:not", "patient:Patient", "date:missing", "_count:x", "status:"])
def test_a_modifier_is_refused(name: str) -> None:
    assert refused((name, "1")).code == "unsupported-modifier"


@pytest.mark.parametrize(("value", "count"), [("1", 1), ("20", 20), ("100", 100), ("101", 100), ("9" * 4000, 100)])
def test_a_count_is_capped(value: str, count: int) -> None:
    assert search(("_count", value)).count == count


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "²", "१", "+1"])
def test_a_count_that_is_none_is_refused(value: str) -> None:
    assert refused(("_count", value)).expression == "http._count"


def test_a_page_has_twenty_entries_unless_less_is_the_most() -> None:
    assert search().count == 20
    assert search(most=10).count == 10
    assert search(("_count", "50"), most=25).count == 25


def test_the_total_is_asked_for() -> None:
    assert search(("_total", "accurate")).total is Total.ACCURATE
    assert search().total is None
    assert refused(("_total", "roughly")).code == "invalid-parameter"


@pytest.mark.parametrize("value", ["json", "application/fhir+json", "application/fhir json", "application/json; x=1"])
def test_json_may_be_asked_for(value: str) -> None:
    assert search(("_format", value)) == search()


def test_another_format_is_not_acceptable() -> None:
    assert type(refused(("_format", "xml"))) is NotAcceptable


def test_a_choice_is_one_of_its_words() -> None:
    assert search(("_sort", "-date")).texts("_sort") == (("-date",),)
    assert search(("_sort", "-date,type")).texts("_sort") == (("-date",),)
    assert search(("_sort", "type")) == search()
    assert refused(("_sort", "type"), strict=True).code == "unknown-parameter"
    assert refused(("_sort", "-date,type"), strict=True).code == "unknown-parameter"


@given(st.lists(st.tuples(st.sampled_from([one.name for one in KNOWN] + ["_count", "_cursor", "_total"]), st.text())))
def test_any_text_is_understood_or_refused(pairs: list[tuple[str, str]]) -> None:
    with suppress(Malformed):
        found = search(*pairs)

        assert found.self_url(RECORD).isascii()
        assert found.described(RECORD).isascii()

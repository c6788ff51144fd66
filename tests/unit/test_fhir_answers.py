"""Bundles, outcomes and times as they are answered; reading paths load no validation library."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.fhir import bundle, times
from dmp.fhir.outcome import issue, operation_outcome, outcome
from tests import fhir_factories as make
from tests.fhir_validity import assert_valid_r4

FUNCTIONS = Path(__file__).parents[2] / "functions"
PATIENT = {"resourceType": "Patient", "id": "a"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE_TIME = r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?"
URL = "https://dmp.example/fhir/Patient?_count=1"


def test_an_outcome_says_what_where_and_to_whom() -> None:
    body = outcome("error", "invalid", "ins-invalid", "L'INS n'est pas valide.", ["Patient.identifier"], "wrong key")

    assert_valid_r4(body)
    (found,) = body["issue"]
    assert found["details"]["coding"][0]["code"] == "ins-invalid"
    assert found["expression"] == ["Patient.identifier"]


def test_an_outcome_leaves_out_what_is_not_known() -> None:
    body = operation_outcome(issue("fatal", "exception", "internal-error", "Erreur interne."))

    assert_valid_r4(body)
    assert body["issue"][0].keys() == {"severity", "code", "details"}


def test_a_searchset_has_its_links() -> None:
    found = [("https://dmp.example/fhir/Patient/a", PATIENT, bundle.MATCH)]

    page = bundle.searchset(found, total=3, self_url=URL, next_url=f"{URL}&page=2")

    assert_valid_r4(page)
    assert [link["relation"] for link in page["link"]] == ["self", "next"]
    assert page["total"] == 3


def test_an_empty_searchset_has_no_entry() -> None:
    page = bundle.searchset([], total=0, self_url=URL)

    assert_valid_r4(page)
    assert "entry" not in page
    assert page["total"] == 0


def test_a_warning_stands_beside_the_matches() -> None:
    warning = outcome("warning", "informational", "unknown-parameter", "Paramètre ignoré.")

    page = bundle.searchset([("", warning, bundle.OUTCOME)], total=None, self_url=URL)

    assert_valid_r4(page)
    assert "total" not in page
    assert "fullUrl" not in page["entry"][0]


def test_a_transaction_is_answered_in_order() -> None:
    entries = [
        bundle.ResponseEntry(status="201 Created", location="List/a/_history/1", version=1, updated=make.NOW),
        bundle.ResponseEntry(status="200 OK"),
    ]

    answer = bundle.transaction_response(entries, self_url="https://dmp.example/fhir")

    assert_valid_r4(answer)
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201 Created", "200 OK"]
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'


def test_a_history_keeps_the_deletion() -> None:
    def version(number: int, method: str, status: str, resource: make.Json | None) -> bundle.HistoryEntry:
        return bundle.HistoryEntry(
            full_url="https://dmp.example/fhir/Patient/a",
            method=method,
            url="Patient/a",
            status=status,
            version=number,
            updated=make.NOW,
            resource=resource,
        )

    first = {**PATIENT, "meta": {"versionId": "1"}}
    versions = [version(2, "DELETE", "204", None), version(1, "POST", "201", first)]

    answer = bundle.history(versions, total=2, self_url=f"{URL}/_history")

    assert_valid_r4(answer)
    assert "resource" not in answer["entry"][0]


@given(st.integers(-2_000_000_000_000, 4_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms)))
def test_an_instant_reads_back_to_the_millisecond(moment: datetime) -> None:
    read = times.parse_instant(times.instant_text(moment))

    assert read == moment


@given(st.text() | st.from_regex(DATE_TIME, fullmatch=True))
def test_a_datetime_is_a_range_or_nothing(text: str) -> None:
    moments = times.parse_datetime(text)

    assert moments is None or moments[0] < moments[1]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2025-12-31T23:00:00", "2026-12-31T23:00:00"),
        ("2026-06", "2026-05-31T22:00:00", "2026-06-30T22:00:00"),
        ("2026-03-29", "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
        ("2026-06-15T12:00:00+02:00", "2026-06-15T10:00:00", "2026-06-15T10:00:01"),
        ("2026-06-15T12:00:00.5Z", "2026-06-15T12:00:00.500000", "2026-06-15T12:00:00.600000"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", "2017-01-01T00:00:01"),
    ],
)
def test_a_datetime_stands_for_what_it_leaves_open(text: str, start: str, end: str) -> None:
    expected = tuple(datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (start, end))

    assert times.parse_datetime(text) == expected


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-06-15T12:00", "2026-06-15T25:00:00Z", "0000"]
)
def test_what_is_no_datetime_is_none(text: str) -> None:
    assert times.parse_datetime(text) is None


@pytest.mark.parametrize(
    "module",
    ["outcome", "bundle", "patient", "consent", "document_rendering", "document_metadata", "references", "times"],
)
def test_answering_needs_no_validation(module: str) -> None:
    code = f"import sys, dmp.fhir.{module}; sys.exit('pydantic' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": str(FUNCTIONS)})

    assert done.returncode == 0

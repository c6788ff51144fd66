"""Figures: what CloudWatch needs to make them of a line, and nothing of anybody."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.audit import AuditOutcome, Interaction
from dmp.domain.requester import RequesterKind
from dmp.metrics import DURATIONS, NAMESPACE, REASONED, Metric, Metrics
from dmp.services.access_figures import figures_of
from tests.audit_factories import audit_entry as entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
METRICS = Metrics("dev", lambda: NOON)
IDENTIFIERS = ["279035121518989", "10101234567", "1t3z09gfg0se8j7zx88avrp8dx", "ey.J0.x", "Camille Duval", "a@b.fr", ""]


def test_a_figure_is_one_line_of_the_embedded_metric_format(capsys: pytest.CaptureFixture[str]) -> None:
    METRICS.count(Metric.DEPOSITS, 3)

    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1772452800000,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Stage"]],
                    "Metrics": [{"Name": "Deposits", "Unit": "Count"}],
                }
            ],
        },
        "Stage": "dev",
        "Deposits": 3,
    }


def test_a_duration_is_told_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    METRICS.measure(Metric.SEAL_LAG, timedelta(minutes=2))

    told = json.loads(capsys.readouterr().out)
    assert told["SealLag"] == 120
    assert told["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "SealLag", "Unit": "Seconds"}]


def test_a_figure_with_a_reason_counts_in_the_sum_and_by_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    METRICS.count(Metric.REFUSALS, reason="not-habilitated")

    told = json.loads(capsys.readouterr().out)
    assert told["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"], ["Stage", "Reason"]]
    assert (told["Refusals"], told["Reason"]) == (1, "not-habilitated")


@pytest.mark.parametrize("reason", IDENTIFIERS)
def test_what_could_be_an_identifier_is_no_reason(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    METRICS.count(Metric.REFUSALS, reason=reason)

    assert json.loads(capsys.readouterr().out)["Reason"] == "other"


@given(st.text())
def test_a_reason_is_at_most_48_letters_and_hyphens(reason: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        lines: list[str] = []
        patched.setattr("sys.stdout", type("Out", (), {"write": staticmethod(lines.append)}))
        METRICS.count(Metric.BACKLOG, reason=reason)

    told = json.loads(lines[0])["Reason"]
    assert told == "other" or (told == reason and len(told) <= 48 and told.replace("-", "").isalpha())


def test_a_reason_of_what_has_none_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    METRICS.count(Metric.ORPHANS_SWEPT, reason="record-closed")

    assert json.loads(capsys.readouterr().out).keys() == {"_aws", "Stage", "OrphansSwept"}


def test_what_is_told_by_reason_or_in_seconds_is_a_figure() -> None:
    assert set(Metric) >= REASONED | DURATIONS


# --- what an entry of the trace adds


def test_an_access_is_counted_and_an_emergency_and_a_deposit_beside_it() -> None:
    assert list(figures_of(entry(interaction=Interaction.FIND_DOCUMENTS))) == [(Metric.ACCESSES, "")]
    assert (Metric.EMERGENCIES, "") in figures_of(entry(interaction=Interaction.EMERGENCY))
    assert (Metric.DEPOSITS, "") in figures_of(entry(interaction=Interaction.PROVIDE_BUNDLE))


def test_a_refused_emergency_is_a_refusal_and_nothing_else() -> None:
    refused = entry(interaction=Interaction.EMERGENCY, outcome=AuditOutcome.REFUSED, reason="not-habilitated")

    assert list(figures_of(refused)) == [(Metric.REFUSALS, "not-habilitated")]


def test_what_our_own_jobs_do_is_nobody_s_access() -> None:
    assert list(figures_of(entry(role=RequesterKind.SERVICE.value, interaction=Interaction.EXPIRE))) == []

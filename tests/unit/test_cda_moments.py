"""Times of clinical statements, as precise as documents tell them."""

import pytest

from dmp.cda.markup import Node
from dmp.cda.moments import end_of, moment, period, start_of


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2018", "2018"),
        ("201801", "2018-01"),
        ("20180114", "2018-01-14"),
        ("20180114+0100", "2018-01-14"),
        ("2018011410", "2018-01-14"),
        ("201801141030", "2018-01-14T10:30:00+01:00"),
        ("20180714103015.123Z", "2018-07-14T10:30:15+00:00"),
        ("19000101000000", "1899-12-31T23:50:39+00:00"),
        ("20180114103000+2300", "2018-01-13T11:30:00+00:00"),
        ("20180230", ""),
        ("hier", ""),
        ("", ""),
    ],
)
def test_a_time_stamp_keeps_its_precision(written: str, told: str) -> None:
    assert moment(written) == told


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        ("2018", "2019", {"start": "2018", "end": "2019"}),
        ("20180114", "", {"start": "2018-01-14"}),
        ("", "2019", {"end": "2019"}),
        ("2019", "2018", {"start": "2019"}),
        ("20180114", "2018", {"start": "2018", "end": "2018"}),
        ("20180114110000", "20180114100000", {"start": "2018-01-14T11:00:00+01:00"}),
        ("", "", {}),
    ],
)
def test_an_interval_is_a_period_in_order(low: str, high: str, told: dict[str, str]) -> None:
    parts = [Node(name, {"value": at}) for name, at in (("low", low), ("high", high)) if at]

    assert period(Node("effectiveTime", children=[*parts])) == told


@pytest.mark.parametrize(
    ("low", "count", "unit", "end"),
    [
        ("20240101", "7", "d", "2024-01-08"),
        ("20240101", "2", "wk", "2024-01-15"),
        ("20240131", "1", "mo", "2024-02-29"),
        ("20231231", "14", "mo", "2025-02-28"),
        ("20240229", "1", "a", "2025-02-28"),
        ("20240101", "48", "h", "2024-01-03"),
        ("202401011000+0100", "8", "h", "2024-01-01T18:00:00+01:00"),
        ("202401", "7", "d", ""),
        ("20240101", "7", "", ""),
        ("20240101", "-7", "d", ""),
        ("20240101", "1.5", "d", ""),
        ("99980101", "9999", "a", ""),
        ("", "7", "d", ""),
    ],
)
def test_an_interval_ends_after_its_width(low: str, count: str, unit: str, end: str) -> None:
    node = Node("effectiveTime", children=[Node("low", {"value": low}), Node("width", {"value": count, "unit": unit})])

    assert end_of(node) == end
    assert period(node).get("end", "") == end


def test_an_end_that_is_written_counts_before_the_width() -> None:
    parts = {"low": {"value": "2024"}, "high": {"value": "2025"}, "width": {"value": "7", "unit": "d"}}

    assert end_of(Node("effectiveTime", children=[Node(name, told) for name, told in parts.items()])) == "2025"


def test_an_interval_begins_where_it_says_or_at_its_middle() -> None:
    assert start_of(Node("effectiveTime", children=[Node("center", {"value": "2018"})])) == "2018"
    assert start_of(None) == ""

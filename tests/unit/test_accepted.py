"""The Accept header: the most exact name counts, and nonsense neither fails nor forbids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.accepted import Accepted

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "name", "expected"),
    [
        ("", "application/pdf", (1.0, 0)),
        ("*/*", "application/pdf", (1.0, 0)),
        ("application/*;q=0.5", "application/pdf", (0.5, 1)),
        ("application/pdf;q=0.25, */*", "application/pdf", (0.25, 2)),
        ("Application/PDF; Q=0.5", "application/pdf", (0.5, 2)),
        ("application/pdf;q=0, */*", "application/pdf", None),
        ("image/png", "application/pdf", None),
        ("application/pdf;q=nonsense", "application/pdf", (1.0, 2)),
        ("application/pdf;q=7", "application/pdf", (1.0, 2)),
        ("application/fhir+json;fhirVersion=4.0;q=0.5", "application/fhir+json", (0.5, 2)),
        (BROWSER, "text/html", (1.0, 2)),
        (BROWSER, "application/pdf", (0.8, 0)),
    ],
)
def test_a_media_type_is_wanted_as_its_most_exact_name_says(
    header: str, name: str, expected: tuple[float, int] | None
) -> None:
    assert Accepted(header).preference(name) == expected


def test_of_names_for_the_same_the_one_wanted_most_counts() -> None:
    assert Accepted("text/xml;q=0.5, application/xml;q=0.9").preference("text/xml", "application/xml") == (0.9, 2)


@given(st.text(max_size=40))
def test_any_header_is_read(header: str) -> None:
    preference = Accepted(header).preference("application/pdf")

    assert preference is None or 0 < preference.quality <= 1

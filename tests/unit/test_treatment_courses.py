"""Whether a treatment of a summary goes on, and how that is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statement_rows import row_of
from dmp.fhir.statements import Statement
from dmp.fhir.summary_alerts import alerts_of
from dmp.fhir.summary_sections import sections_of
from tests.health_record import allergy, medication
from tests.unit.test_statement_identity import AT_ADMISSION, AT_DISCHARGE, TREATMENT, entered, found, product

type Json = dict[str, Any]

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRESCRIBED = "57828-6"


def told(statement: Statement) -> str:
    return row_of([statement], NOW)[2]


def medicines(*statements: Statement) -> list[Statement]:
    return list(dict(sections_of(statements, NOW))["medications"].statements)


def warned_of(*statements: Statement) -> int:
    return len(alerts_of([entered(allergy(), "allergy"), *statements], NOW).issues)


def test_a_treatment_of_the_admission_is_past_where_the_document_lists_those_of_the_discharge() -> None:
    before = found(product("XARELTO", "20 mg"), "letter", AT_ADMISSION, "before")
    after = found(product("ELIQUIS", "5 mg"), "letter", AT_DISCHARGE, "after")

    first, second = medicines(before, after)

    assert (told(first), told(second)) == ("5 mg, en cours", "20 mg, traitement à l'admission")
    assert second.resource["status"] == "unknown"
    assert second.is_over(NOW)


def test_the_same_treatment_before_and_after_is_two_lines_and_the_dose_of_the_discharge_comes_first() -> None:
    before = found(product("BISOPROLOL", "10 mg"), "letter", AT_ADMISSION, "before")
    after = found(product("BISOPROLOL", "2,5 mg"), "letter", AT_DISCHARGE, "after")
    same = found(product("BISOPROLOL", "2,5 mg"), "letter", AT_ADMISSION, "same")

    assert [one.resource["id"] for one in medicines(before, after)] == ["after", "before"]
    assert [one.resource["id"] for one in medicines(same, after)] == ["after", "same"]


def test_a_treatment_of_the_admission_goes_on_where_no_list_of_the_discharge_says_otherwise() -> None:
    before = found(medication(), "letter", AT_ADMISSION)
    elsewhere = found(product(), "another", AT_DISCHARGE)

    [kept] = [one for one in medicines(before, elsewhere) if one.source == "letter"]

    assert told(kept) == "traitement à l'admission, en cours"
    assert not kept.is_over(NOW)
    assert warned_of(kept) == 1


def test_what_was_going_on_when_an_old_document_was_written_is_told_with_its_date() -> None:
    old, young = (product(dateAsserted=date) for date in ("2024-05-10", "2026-01-10"))

    assert told(found(old)) == "1 cp, en cours au 10/05/2024"
    assert told(found(young)) == "1 cp, en cours"


def test_a_treatment_that_came_to_its_end_is_not_told_as_going_on() -> None:
    ended = found(medication(effectivePeriod={"start": "2020", "end": "2025-01-10"}))

    assert told(ended) == "terminé, jusqu'au 10/01/2025"
    assert warned_of(ended) == 0


@pytest.mark.parametrize(
    ("resource", "section", "is_warned_of"),
    [
        (medication(status="intended", effectivePeriod={"start": "2019-01-01"}), PRESCRIBED, False),
        (medication(status="unknown", effectiveDateTime="2019-01-01"), TREATMENT, False),
        (medication(status="active", dateAsserted="2019-01-01"), PRESCRIBED, False),
        (medication(status="active", dateAsserted="2019-01-01"), TREATMENT, True),
        (medication(status="intended", effectivePeriod={"start": "2025-01-01"}), PRESCRIBED, True),
        (medication(status="intended", effectivePeriod={"start": "2019", "end": "2030"}), PRESCRIBED, True),
        (medication(status="intended", effectiveDateTime="2019", dateAsserted="2026-01-01"), PRESCRIBED, True),
        (medication(status="intended"), PRESCRIBED, True),
    ],
)
def test_a_prescription_of_more_than_two_years_without_an_end_is_no_longer_warned_of(
    resource: Json, section: str, is_warned_of: bool
) -> None:
    statement = found(resource, "d", section)

    assert warned_of(statement) == is_warned_of
    assert ("plus de 24 mois" in told(statement)) != is_warned_of
    checked = " ".join(alerts_of([statement], NOW).paragraphs)
    assert ("Prescriptions de plus de 24 mois sans date de fin, non contrôlées : 1." in checked) != is_warned_of


def test_an_entry_counts_from_when_it_was_last_said() -> None:
    resource = medication(status="intended", effectiveDateTime="2019")
    said = {"meta": {"lastUpdated": "2026-01-01T00:00:00Z"}}

    assert warned_of(entered(resource | said)) == 1
    assert warned_of(entered(resource | {"meta": {"lastUpdated": "2019-01-01T00:00:00Z"}})) == 0


def test_the_status_is_told_however_long_the_dosage_is() -> None:
    long = Statement(kind=ProfileKind.MEDICATION, resource=medication(dosage=[{"text": "x" * 900}]), source="")

    assert told(long).endswith("…, en cours")
    assert len(told(long)) < 400

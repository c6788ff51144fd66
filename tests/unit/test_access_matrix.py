"""The habilitation matrix as data: profession by type of document (R.1111-46)."""

import json
from pathlib import Path
from typing import Any

import pytest

from dmp.domain import access_matrix
from dmp.domain.access_matrix import permits
from dmp.domain.code_lists import document_types
from tests.requester_factories import requester_employee, requester_server

DATA = Path(__file__).parents[2] / "functions" / "dmp" / "data" / "access_matrix.json"
SOURCE = Path(__file__).parents[3] / "shared" / "data" / "matrice_habilitations.json"
ROWS: dict[str, dict[str, Any]] = json.loads(DATA.read_bytes())["professions"]


def test_a_physician_reads_every_type_but_the_attestation_of_residence() -> None:
    denied = {code for code in document_types() if not permits("10", code)}

    assert denied == {"ATTEST-RESID"}


@pytest.mark.parametrize("profession", ["21", "38", "39"])
def test_a_pharmacist_reads_prescriptions_but_no_psychiatric_synthesis(profession: str) -> None:
    assert permits(profession, "57833-6")
    assert not permits(profession, "68599-0")
    assert not permits(profession, "EXPPAT_3")


def test_a_nurse_reads_discharge_letters_but_no_medical_certificates() -> None:
    assert permits("60", "11490-0")
    assert not permits("60", "89601-9")


def test_a_closed_list_permits_what_it_names_alone() -> None:
    permitted = {code for code in document_types() if permits("86", code)}

    assert permitted == {"11502-2", "PRESC-BIO"}


def test_professions_that_are_roles_read_nothing() -> None:
    assert not any(permits("99", code) for code in document_types())


@pytest.mark.parametrize("profession", [None, "", "00", "97", "10 ", "sourced"])
def test_an_unknown_profession_reads_nothing(profession: str | None) -> None:
    assert not any(permits(profession, code) for code in document_types())


@pytest.mark.parametrize("code", [None, "", "34109-9", "unknown"])
def test_an_unknown_type_is_read_by_nobody(code: str | None) -> None:
    assert not any(permits(profession, code) for profession in ROWS)


def test_a_secretary_reads_by_the_row_of_secretaries_alone_and_by_default_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secretary = requester_employee()

    assert access_matrix.row_of(secretary) is None
    with monkeypatch.context() as changed:
        changed.setattr(access_matrix, "rows", lambda: {"CPE": frozenset({"11488-4"})})
        assert permits(access_matrix.row_of(secretary), "11488-4")
    assert "CPE" not in access_matrix.professions()
    assert access_matrix.row_of(requester_server()) is None


def test_every_cell_names_a_known_type_and_every_row_its_basis() -> None:
    cells = {
        code for row in ROWS.values() for key in ("denied", "assumed_denied", "allowed") for code in row.get(key, [])
    }

    assert cells <= set(document_types())
    assert all(("allowed" in row) != ("denied" in row) for row in ROWS.values())
    assert all(row["basis"] in ("published", "partly-published", "assumption") for row in ROWS.values())
    assert all("assumed_denied" not in row or row["basis"] == "partly-published" for row in ROWS.values())


@pytest.mark.skipif(not SOURCE.exists(), reason="the collected matrix is not at hand")
def test_every_cell_is_the_one_collected() -> None:
    collected = json.loads(SOURCE.read_bytes())["professions"]

    differences = [
        (profession, code)
        for profession, row in collected.items()
        for code in document_types()
        if permits(profession, code) != (code in row["allow"] if "allow" in row else code not in row["deny"])
    ]

    assert differences == []
    assert set(collected) == set(ROWS) - {"CPE"}

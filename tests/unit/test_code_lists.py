"""The code lists as data: types of document, formats of CDA models, French texts of errors."""

import json
from pathlib import Path

import pytest

from dmp.domain import code_lists
from dmp.domain.code_lists import canonical_system, document_type, document_types, format_of_cda, message

LOINC = "http://loinc.org"
TRE_A05 = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"
SOURCE = Path(__file__).parents[3] / "shared" / "data" / "nos" / "dmp_type_codes.json"


def test_there_are_102_types_in_11_classes() -> None:
    types = document_types().values()

    assert len(types) == 102
    assert {kind.class_code for kind in types} == {"10", "11", "31", "42", "43", "44", "45", "52", "60", "90", "95"}
    assert all(kind.display and kind.class_display for kind in types)


@pytest.mark.parametrize("system", [LOINC, "urn:oid:2.16.840.1.113883.6.1"])
def test_a_loinc_type_is_found_by_url_and_by_oid(system: str) -> None:
    found = document_type(system, "11490-0")

    assert found
    assert (found.system, found.class_code, found.class_display) == (LOINC, "10", "Compte rendu")


@pytest.mark.parametrize("system", [TRE_A05, "urn:oid:1.2.250.1.213.1.1.4.12"])
def test_a_french_type_is_found_by_url_and_by_oid(system: str) -> None:
    found = document_type(system, "SYNTH")

    assert found
    assert (found.system, found.class_code) == (TRE_A05, "11")


@pytest.mark.parametrize(
    ("system", "code"),
    [(LOINC, "0000-0"), (LOINC, "SYNTH"), (TRE_A05, "11490-0"), ("", "SYNTH"), (LOINC, ""), ("urn:oid:1.2.3", "REMB")],
)
def test_a_code_that_its_system_does_not_hold_is_unknown(system: str, code: str) -> None:
    found = document_type(system, code)

    assert found is None


def test_patients_may_deposit_the_types_made_for_them() -> None:
    by_patient = {kind.code for kind in document_types().values() if kind.patient_may_deposit}

    assert {"DOCPAT01", "DOCPAT09", "EXPPAT_1", "EXPPAT_2", "EXPPAT_3", "74465-6"} <= by_patient
    assert "11490-0" not in by_patient


def test_a_system_without_an_alias_stays_as_it_is() -> None:
    assert canonical_system("urn:oid:1.2.250.1.213.2.3.1") == "urn:oid:1.2.250.1.213.2.3.1"
    assert code_lists.class_system().endswith("TRE-A03-ClasseDocument")


def test_the_format_of_an_unstructured_body_follows_its_media_type() -> None:
    template_ids = ("1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20")

    found = format_of_cda(template_ids, "application/pdf")

    assert found
    assert found.code == "urn:ihe:iti:xds-sd:pdf:2008"


def test_the_format_of_a_structured_body_follows_its_most_precise_model() -> None:
    template_ids = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.13")

    found = format_of_cda(template_ids, None)

    assert found
    assert found.code == "urn:asip:ci-sis:vsm:2012"


@pytest.mark.parametrize("media_type", [None, "application/zip"])
def test_an_unknown_model_has_no_format(media_type: str | None) -> None:
    assert format_of_cda(("1.2.3",), media_type) is None


def test_every_format_in_use_has_its_system_and_label() -> None:
    lists = json.loads((Path(code_lists.__file__).parents[1] / "data" / "format_codes.json").read_bytes())

    used = {*lists["by_template"].values(), *lists["by_body"].values(), lists["unlisted"]}

    assert used == set(lists["formats"])


def test_an_error_code_has_a_french_text() -> None:
    assert message("blocked") == "Le patient vous a bloqué l'accès à son dossier."


def test_an_error_code_without_a_text_says_nothing_of_the_inside() -> None:
    assert message("no-such-code") == message("internal-error")


@pytest.mark.skipif(not SOURCE.exists(), reason="the published code lists are not at hand")
def test_the_types_are_those_published() -> None:
    published = json.loads(SOURCE.read_bytes())["types"]

    ours = {(kind.code, kind.system, kind.display, kind.class_code) for kind in document_types().values()}

    dmp_types = {(kind["code"], kind["system"], kind["display"], kind["classCode"]) for kind in published}
    assert ours == dmp_types

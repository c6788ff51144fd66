"""$open, $close and $reopen are read strictly; the Patient is rendered with what the caller may see."""

from typing import Any

import pytest

from dmp.domain.errors import DmpError, Invalid
from dmp.domain.identifiers import INS_NIR, Identifier
from dmp.domain.record import Closure, ClosureMotive, OpeningMethod, Record, RecordStatus, Telecom
from dmp.fhir import systems as s
from dmp.fhir.parsing import parse_resource
from dmp.fhir.patient import render_patient
from dmp.fhir.patient_reading import read_closure, read_opening, read_reopening
from tests import fhir_factories as make
from tests.fhir_validity import assert_valid_r4


def refused(**given: Any) -> Invalid:
    with pytest.raises(Invalid) as error:
        read_opening(make.opening(**given), make.NOW)
    return error.value


def record(**changes: Any) -> Record:
    identity = read_opening(make.opening(), make.NOW).identity
    complete: dict[str, Any] = {
        "id": make.RECORD,
        "version": 5,
        "patient_version": 2,
        "updated": make.NOW,
        "status": RecordStatus.OPEN,
        "identity": identity,
        "opened_at": make.NOW,
    }
    return Record(**(complete | changes))


def test_an_opening_is_read() -> None:
    opening = read_opening(make.opening(guardian=make.guardian()), make.NOW)

    identity = opening.identity
    assert identity.ins == Identifier(make.INS_SYSTEM, make.INS)
    assert (identity.birth_name, identity.usual_name) == ("PAT-TROIS", "")
    assert identity.given_names == ("DOMINIQUE", "MARIE-LOUISE")
    assert (identity.birth_date, identity.gender, identity.birth_place) == ("1979-03-28", "female", "51215")
    assert identity.telecom == (Telecom("email", "dominique@example.org"),)
    assert (opening.method, opening.attestation) == (OpeningMethod.ELECTRONIC, "Consentement recueilli au guichet")
    assert opening.guardian is not None
    assert opening.guardian.relationships == ("FTH",)
    assert "patient" not in opening.guardian.resource


@pytest.mark.parametrize(
    ("given", "code", "parameter"),
    [
        ({"method": None}, "consent-required", "method"),
        ({"method": ("valueCode", "telepathic")}, "invalid-parameter", "method"),
        ({"method": ("valueString", "electronic")}, "invalid-parameter", "method"),
        ({"date": None}, "consent-required", "date"),
        ({"date": ("valueDateTime", "2026")}, "invalid-parameter", "date"),
        ({"date": ("valueDateTime", "2026-06-16")}, "invalid-parameter", "date"),
        ({"patient": None}, "missing-parameter", "patient"),
        ({"patient": ("valueString", "x")}, "invalid-parameter", "patient"),
    ],
)
def test_the_evidence_of_consent_is_complete(given: make.Json, code: str, parameter: str) -> None:
    error = refused(**given)

    assert (error.code, error.expression) == (code, f"Parameters.parameter.where(name='{parameter}')")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identifier": None}, "ins-required"),
        ({"identifier": [{"system": "http://other", "value": "1"}]}, "ins-required"),
        (
            {"identifier": [{"system": make.INS_SYSTEM, "value": v} for v in (make.INS, "185032A00402129")]},
            "ins-invalid",
        ),
        ({"name": None}, "ins-invalid"),
        ({"name": [{"use": "usual", "family": "X", "given": ["Y"]}]}, "ins-invalid"),
        ({"name": [{"use": "official", "family": "X"}]}, "ins-invalid"),
        ({"name": [{"use": "official", "given": ["X"]}]}, "ins-invalid"),
        ({"gender": None}, "ins-invalid"),
        ({"birthDate": None}, "ins-invalid"),
        ({"birthDate": "1979"}, "ins-invalid"),
        ({"birthDate": "2030-01-01"}, "ins-invalid"),
        ({"extension": None}, "ins-invalid"),
        ({"gender": "F"}, "invalid-resource"),
    ],
)
def test_every_trait_of_the_ins_is_required(changes: make.Json, code: str) -> None:
    real = {"identifier": [{"system": INS_NIR, "value": make.INS}]}

    error = refused(patient=make.patient(**{**real, **changes}))

    assert error.code == code
    assert str(error.expression).startswith("Parameters.parameter.where(name='patient').resource")


def test_a_day_is_enough_to_date_a_consent() -> None:
    opening = read_opening(make.opening(date=("valueDateTime", "2026-06-15")), make.NOW)

    assert opening.date.isoformat() == "2026-06-14T22:00:00+00:00"


def test_a_guardian_who_tells_no_relationship_is_one() -> None:
    opening = read_opening(make.opening(guardian=make.guardian(relationship=None)), make.NOW)

    assert opening.guardian
    assert opening.guardian.relationships == ("GUARD",)


def test_a_parameter_given_twice_is_refused() -> None:
    parameters = make.opening()
    parameters["parameter"].append(parameters["parameter"][1])

    with pytest.raises(Invalid):
        read_opening(parameters, make.NOW)


def test_a_closure_is_read() -> None:
    given = make.parameters(motive=("valueCode", "deces"), reason=("valueString", "Acte de décès"))

    assert read_closure(given, make.NOW) == Closure(make.NOW, ClosureMotive.DEATH, "Acte de décès")


def test_a_closure_has_a_motive() -> None:
    with pytest.raises(Invalid) as error:
        read_closure({"resourceType": "Parameters"}, make.NOW)

    assert error.value.code == "missing-parameter"


def test_a_reopening_is_read() -> None:
    given = make.parameters(method=("valueCode", "verbal"), date=("valueDateTime", "2026-06-15T09:00:00Z"))

    method, date = read_reopening(given, make.NOW)

    assert (method, date.isoformat()) == (OpeningMethod.VERBAL, "2026-06-15T09:00:00+00:00")


def test_a_whole_patient_comes_back_as_it_was_sent() -> None:
    patient = render_patient(record(), full=True, authorisation="VALIDE", attending=True)

    assert_valid_r4(patient)
    assert read_opening(make.opening(patient=patient), make.NOW).identity == record().identity
    assert patient["meta"]["versionId"] == "2"


def test_a_stranger_sees_the_state_alone() -> None:
    patient = render_patient(record(), full=False, authorisation="NON_EXISTE", attending=False)

    assert_valid_r4(patient)
    assert patient.keys() == {"resourceType", "id", "meta", "extension", "identifier", "active"}
    found = {extension["url"]: extension for extension in patient["extension"]}
    assert found[s.DMP_AUTHORISATION]["valueCode"] == "NON_EXISTE"
    assert found[s.DMP_ATTENDING_PHYSICIAN]["valueBoolean"] is False


def test_a_closed_record_says_when_and_why() -> None:
    closure = Closure(make.NOW, ClosureMotive.PATIENT, "Ne souhaite plus")

    patient = render_patient(record(status=RecordStatus.CLOSED, closure=closure), full=False)

    assert_valid_r4(patient)
    assert patient["active"] is False
    parts = {part["url"]: part for part in patient["extension"][0]["extension"]}
    assert parts["dateFermeture"]["valueDateTime"] == "2026-06-15T09:30:00.000Z"
    assert parts["motifFermeture"]["valueCode"] == "patient-demande"
    assert parts["raisonFermeture"]["valueString"] == "Ne souhaite plus"


@pytest.mark.parametrize("junk", [7, True, "x", ["x"], [{"a": "b"}], {"code": 5}, {"url": "x"}], ids=repr)
def test_junk_at_any_place_of_an_opening_is_refused_or_harmless(junk: Any) -> None:
    whole = make.opening(guardian=make.guardian())

    for broken in make.spoilt(whole, junk):
        try:
            read_opening(parse_resource(make.as_bytes(broken), "Parameters"), make.NOW)
        except DmpError:
            continue

"""Who is told as the author of an entry of the profile, when several people of one structure say it (L.1111-15)."""

from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.requester import Requester
from tests import bodies
from tests import profile_bodies as made
from tests.api_client import ApiClient, Response
from tests.open_record import OpenRecord, extension, open_record
from tests.profile_bodies import BODIES
from tests.requester_factories import (
    STRUCTURE,
    requester_employee,
    requester_professional,
    requester_server,
)

type Json = dict[str, Any]

DOCTOR = requester_professional()
NURSE = requester_professional("10102223334", STRUCTURE, profession="60", name="Dominique PETIT")
OTHERS: dict[str, Requester] = {
    "nurse": NURSE,
    "secretary": requester_employee(structure_name="Cabinet du Parc"),
    "server": requester_server(structure_name="Cabinet du Parc"),
}
NAMES = {
    "nurse": "Dominique PETIT",
    "secretary": "Cabinet du Parc",  # pragma: allowlist secret
    "server": "Cabinet du Parc",
}


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record in which whoever is of the practice reads."""
    opened = open_record(api)
    opened.consent(bodies.authorisation_of_structure(opened.id, STRUCTURE))
    return opened


def entered(record: OpenRecord, kind: str = "AllergyIntolerance", as_: Requester = DOCTOR, **elements: Any) -> Json:
    response = record.api.post(f"/fhir/{kind}", BODIES[ProfileKind(kind)](record.id, **elements), as_=as_)
    assert response.status == 201, response.body
    return response.json


def put(record: OpenRecord, body: Json, as_: Requester) -> Response:
    response = record.api.put(f"/fhir/{body['resourceType']}/{body['id']}", body, as_=as_)
    assert response.status == 200, response.body
    return response


def recorded_by(resource: Json) -> Json:
    found: Json = extension(resource, "dmp-recorded-by").get("valueReference", {})
    return found


NOTE = {"note": [{"text": "Précisé ce jour"}]}


@pytest.mark.parametrize("who", OTHERS)
def test_who_says_it_last_is_told_as_its_author(record: OpenRecord, who: str) -> None:
    entry = entered(record)

    changed = put(record, {**entry, **NOTE}, OTHERS[who]).json

    by = OTHERS[who].identifier if who == "nurse" else OTHERS[who].structure
    assert by
    told = recorded_by(changed)
    assert (told["identifier"]["value"], told["display"]) == (by.value, NAMES[who])
    assert record.api.get(f"/fhir/AllergyIntolerance/{entry['id']}", as_=DOCTOR).json == changed
    history = record.api.get(f"/fhir/AllergyIntolerance/{entry['id']}/_history", as_=DOCTOR).resources
    assert [recorded_by(one)["display"] for one in history] == [NAMES[who], "Alix MARTIN"]


FILLED = {
    "AllergyIntolerance": "recorder",
    "Condition": "recorder",
    "Procedure": "recorder",
    "MedicationStatement": "informationSource",
    "Observation": "performer",
}


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("kind", FILLED)
def test_what_was_filled_in_for_the_former_author_follows(record: OpenRecord, kind: str, who: str) -> None:
    entry = entered(record, kind)

    changed = put(record, {**entry, **NOTE}, OTHERS[who]).json

    told = recorded_by(changed)
    records_nothing = FILLED[kind] == "recorder" and who != "nurse"  # a structure does not, in person
    assert changed.get(FILLED[kind]) == (None if records_nothing else [told] if kind == "Observation" else told)
    assert "Alix MARTIN" not in str(changed)


def test_who_was_named_by_the_author_stays_named(record: OpenRecord) -> None:
    entry = entered(record, recorder={"display": "Dr Autre"})

    changed = put(record, {**entry, **NOTE}, NURSE).json

    assert (changed["recorder"], recorded_by(changed)["display"]) == ({"display": "Dr Autre"}, "Dominique PETIT")


def test_other_labels_make_no_other_author(record: OpenRecord) -> None:
    entry = entered(record)
    masked = {**entry, "meta": {"security": [made.NORMAL, made.MASK]}}

    by_put = put(record, masked, NURSE).json
    by_patient = put(record, {**by_put, "meta": {"security": [made.NORMAL]}}, record.patient).json
    patch = [{"op": "add", "path": "/meta/security/-", "value": made.MASK}]
    by_patch = record.api.patch(f"/fhir/AllergyIntolerance/{entry['id']}", patch, as_=NURSE).json

    assert [one["meta"]["versionId"] for one in (by_put, by_patient, by_patch)] == ["2", "3", "4"]
    assert {recorded_by(one)["display"] for one in (by_put, by_patient, by_patch)} == {"Alix MARTIN"}
    assert by_patch["recorder"] == entry["recorder"]


def test_the_same_said_again_by_somebody_else_makes_no_version(record: OpenRecord) -> None:
    entry = entered(record)

    assert put(record, entry, NURSE).json == entry


def test_what_is_said_in_a_secret_connection_names_nobody_from_then_on(record: OpenRecord) -> None:
    entry = entered(record)
    secretly = requester_professional(is_secret=True)

    secret = put(record, {**entry, **NOTE}, secretly).json
    openly = put(record, {**secret, "note": [{"text": "Autre"}]}, NURSE).json

    assert (recorded_by(secret), "recorder" in secret) == ({}, False)
    assert recorded_by(openly)["display"] == openly["recorder"]["display"] == "Dominique PETIT"

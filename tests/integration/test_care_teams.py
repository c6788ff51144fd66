"""Who cares for the patient, as their decisions in force tell, and who may know (FHIR R4 CareTeam)."""

from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

type Json = dict[str, Any]

HEALER = requester_professional()
COLLEAGUE = requester_professional("10101112223", "1310000003", name="Sacha PETIT")
STRANGER = requester_professional("10109999999", "1310000004")
HOSPITAL = "1310000005"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


def team(record: OpenRecord, as_: Caller = None) -> Response:
    return record.api.get(f"/fhir/CareTeam?patient={record.id}", as_=as_ or record.patient)


def members(record: OpenRecord, as_: Caller = None) -> list[tuple[str, str]]:
    """Role and identifier of each participant."""
    [found] = team(record, as_).resources
    participants = found.get("participant", [])
    return [(p["role"][0]["coding"][0]["code"], p["member"]["identifier"]["value"]) for p in participants]


def named(body: Json, display: str) -> Json:
    body["provision"]["actor"][0]["reference"]["display"] = display
    return body


def made(response: Response) -> Response:
    assert response.status == 201, response.body
    return response


def test_the_team_is_the_medecin_traitant_and_whoever_is_authorised(record: OpenRecord) -> None:
    record.authorise("810101112223")
    made(record.consent(named(bodies.authorisation_of_structure(record.id, HOSPITAL), "Hôpital Nord")))
    made(record.consent(named(bodies.attending_physician(record.id), "Dr MARTIN")))

    found = team(record)

    [shown] = found.resources
    assert (found.status, found.json["total"]) == (200, 1)
    assert (shown["status"], shown["subject"]) == ("active", {"reference": f"Patient/{record.id}"})
    assert shown["participant"] == [
        participant("attending-physician", "Médecin traitant", PS_IDNAT, "810101234567", "Dr MARTIN"),
        participant("authorisation", "Professionnel autorisé", PS_IDNAT, "810101112223", until="2027-03-02"),
        participant("authorisation", "Structure autorisée", STRUCT_IDNAT, HOSPITAL, "Hôpital Nord", "2027-03-02"),
    ]
    assert record.api.get(f"/fhir/CareTeam/{shown['id']}", as_=record.patient).json == shown
    assert found.json["entry"][0]["fullUrl"] == f"https://dmp.example/fhir/CareTeam/{shown['id']}"


def participant(role: str, text: str, system: str, value: str, name: str = "", until: str = "") -> Json:
    coding = {"system": bodies.KIND, "code": role}
    kind = "Organization" if system == STRUCT_IDNAT else "Practitioner"
    period = {"start": "2026-03-02T12:00:00.000Z", **({"end": f"{until}T12:00:00.000Z"} if until else {})}
    reference = {"type": kind, "identifier": {"system": system, "value": value}}
    return {
        "role": [{"coding": [coding], "text": text}],
        "member": {**reference, **({"display": name} if name else {})},
        "period": period,
    }


def test_a_professional_who_attested_is_named_by_the_token(record: OpenRecord) -> None:
    body = {**bodies.authorisation(record.id, "810101112223"), "performer": [{"reference": f"Patient/{record.id}"}]}
    made(record.consent(body, as_=COLLEAGUE))

    [shown] = team(record).resources

    assert shown["participant"][0]["member"]["display"] == "Sacha PETIT"


def test_whoever_holds_several_authorisations_is_there_once_for_all_the_time(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    attested = {**bodies.authorisation(record.id, "810101112223"), "performer": [{"reference": f"Patient/{record.id}"}]}
    made(
        record.consent(attested | {"provision": {**attested["provision"], "period": {"end": "2026-12-31"}}}, COLLEAGUE)
    )
    clock.shift(60)
    short = {**attested, "provision": {**attested["provision"], "period": {"end": "2026-06-30"}}}
    made(record.consent(short, COLLEAGUE))

    [shown] = team(record).resources

    [one] = shown["participant"]
    assert one["period"] == {"start": "2026-03-02T12:00:00.000Z", "end": "2026-12-31T23:00:00.000Z"}


def test_the_team_changes_with_the_decisions_and_with_time(record: OpenRecord, clock: TimeMachineFixture) -> None:
    steps: dict[str, list[tuple[str, str]]] = {"nobody": members(record)}
    authorised = record.authorise("810101112223", period={"end": "2026-03-10"}).id
    steps["authorised"] = members(record)
    record.revoke(authorised)
    steps["revoked"] = members(record)
    record.authorise("810101112223", period={"end": "2026-03-10"})
    clock.shift(9 * 86_400)
    steps["over"] = members(record)
    record.authorise("810101112223")
    made(record.consent(bodies.block(record.id, "810101112223")))
    steps["blocked"] = members(record)

    colleague = [("authorisation", "810101112223")]
    assert steps == {"nobody": [], "authorised": colleague, "revoked": [], "over": [], "blocked": []}


def test_whoever_sees_the_people_around_the_patient_sees_the_team(record: OpenRecord) -> None:
    record.authorise("810101112223")
    made(record.consent(bodies.attending_physician(record.id)))
    readers = {"patient": record.patient, "médecin traitant": HEALER, "authorised": COLLEAGUE}
    others = {
        "without a right": STRANGER,
        "employee": requester_employee(),
        "server": requester_server(),
        "agent": requester_cpam_agent(),
        "stranger": requester_patient(bodies.qualified(bodies.new_ins())),
    }
    [shown] = team(record).resources

    def statuses(who: Requester) -> set[int]:
        return {team(record, who).status, record.api.get(f"/fhir/CareTeam/{shown['id']}", as_=who).status}

    assert {who: statuses(caller) for who, caller in readers.items()} == {who: {200} for who in readers}
    refused = {who: {404 if who == "stranger" else 403} for who in others}
    assert {who: statuses(caller) for who, caller in others.items()} == refused


def test_what_was_decided_in_a_connexion_secrete_is_no_news_for_representatives(api: ApiClient) -> None:
    ins, mothers = bodies.new_ins(), bodies.new_ins()
    mother = requester_patient(bodies.qualified(mothers))
    opening = bodies.opening(
        ins,
        patient={"resource": bodies.patient(ins, birthDate="2011-06-01")},
        guardian={"resource": bodies.guardian(mothers)},
    )
    identity = made(api.post("/fhir/Patient/$open", opening, as_=mother)).id
    minors = OpenRecord(api, ins, identity, requester_patient(bodies.qualified(ins)))
    body = {**bodies.authorisation(identity, "810101112223"), "performer": [{"reference": f"Patient/{identity}"}]}
    secret = {"X-Confidentiality-Code": "INVISIBLE_REPRESENTANTS_LEGAUX"}

    made(minors.consent(body, as_=COLLEAGUE, headers=secret))

    assert members(minors, mother) == []
    assert members(minors) == [("authorisation", "810101112223")]


def test_nobody_writes_a_team_and_no_other_one_is_there(record: OpenRecord) -> None:
    [shown] = team(record).resources
    address = f"/fhir/CareTeam/{shown['id']}"

    refused = [
        record.api.post("/fhir/CareTeam", shown, as_=record.patient),
        record.api.put(address, shown, as_=record.patient),
        record.api.patch(address, [], as_=record.patient),
        record.api.delete(address, as_=record.patient),
    ]
    missing = [
        record.api.get(f"/fhir/CareTeam/{record.id}.{'1' * 26}", as_=record.patient),
        record.api.get("/fhir/CareTeam/x", as_=record.patient),
    ]

    assert {(r.status, r.code) for r in refused} == {(405, "method-not-allowed")}
    assert {(r.status, r.code) for r in missing} == {(404, "not-found")}


def test_a_search_names_the_patient_and_may_name_the_status(record: OpenRecord) -> None:
    by_ins = record.api.search(
        "/fhir/CareTeam", {"patient.identifier": bodies.qualified(record.ins)}, as_=record.patient
    )
    statuses = [
        len(record.api.get(f"/fhir/CareTeam?patient={record.id}&status={status}", as_=record.patient).resources)
        for status in ("active", "inactive")
    ]
    nobody = record.api.get("/fhir/CareTeam", as_=record.patient)

    assert by_ins.resources == team(record).resources
    assert record.ins not in str(by_ins.json)
    assert statuses == [1, 0]
    assert (nobody.status, nobody.code) == (400, "missing-parameter")


def test_whoever_reads_the_team_is_in_the_trace(record: OpenRecord, clock: TimeMachineFixture) -> None:
    [shown] = team(record).resources
    for who in (record.patient, STRANGER):
        clock.shift(60)
        record.api.get(f"/fhir/CareTeam/{shown['id']}", as_=who)

    told = record.trace()[:2]
    assert [(event["action"], event["outcome"]) for event in told] == [("E", "8"), ("R", "0")]
    assert f"CareTeam/{shown['id']}" in {entity["what"].get("reference") for entity in told[1]["entity"]}


def test_what_a_team_costs(record: OpenRecord) -> None:
    with counted() as alone:
        team(record)
    record.authorise()
    with counted() as together:
        team(record)

    assert alone == ["GetItem", "PutItem"]
    assert together == ["GetItem", "BatchGetItem", "PutItem"]


def test_when_the_team_changed_tells_nothing_of_who_is_not_in_it(record: OpenRecord, clock: TimeMachineFixture) -> None:
    def changed() -> str:
        [shown] = team(record, HEALER).resources
        return str(shown["meta"]["lastUpdated"])

    record.authorise(HEALER.identifier.value)
    clock.shift(60)
    before = changed()
    made(record.consent(bodies.block(record.id, STRANGER.identifier.value)))

    blocked = changed()
    record.authorise(COLLEAGUE.identifier.value)

    assert before == blocked == "2026-03-02T12:00:00.000Z"
    assert changed() == "2026-03-02T12:01:00.000Z"

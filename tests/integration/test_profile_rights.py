"""Who may do what to the structured profile, what hides an entry, and what the trace tells (L.1111-15, R.1111-43)."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests import profile_bodies as made
from tests.api_client import ApiClient, Caller, Response
from tests.open_record import OpenRecord, open_record
from tests.profile_bodies import BODIES
from tests.requester_factories import (
    requester_cnam_feed,
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

type Json = dict[str, Any]

DOCTOR = requester_professional("10107777777", "1310000009", name="Claude NOIR")
URL = "/fhir/AllergyIntolerance"
MASKED: Json = {"meta": {"security": [made.NORMAL, made.MASK]}}
INVISIBLE: Json = {"meta": {"security": [made.NORMAL, made.INVISIBLE]}}
KEPT_FROM_PARENTS = {"system": made.VISIBILITY, "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


@pytest.fixture
def callers(record: OpenRecord) -> dict[str, Requester]:
    """Everybody around the record, each with the right that makes them so."""
    found = {
        "patient": record.patient,
        "representative": requester_patient(bodies.qualified(bodies.new_ins())),
        "caregiver": requester_patient(bodies.qualified(bodies.new_ins())),
        "physician": requester_professional(),
        "author": DOCTOR,
        "authorised": requester_professional("10101112223", "1310000003"),
        "ambulance": requester_professional("10101112224", "1310000005", profession="36"),
        "blocked": requester_professional("10101112225", "1310000006"),
        "emergency": requester_professional("10105550015", "1750000150"),
        "without a right": requester_professional("10109999999", "1310000004"),
        "stranger": requester_patient(bodies.qualified(bodies.new_ins())),
        "employee": requester_employee(),
        "server": requester_server(),
        "agent": requester_cpam_agent(),
        "feed": requester_cnam_feed(),
    }
    for who, code in {"representative": "GUARD", "caregiver": "NBOR"}.items():
        delegate(record, found[who].identifier.value, code)
    record.consent(bodies.attending_physician(record.id))
    for rpps in ("810101112223", "810101112224"):
        record.authorise(rpps)
    record.consent(bodies.block(record.id, "810101112225"))
    reason = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Patient inconscient"})
    record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", reason, as_=found["emergency"])
    return found


def delegate(record: OpenRecord, ins: str, code: str) -> None:
    """The patient lets somebody act for them."""
    relationship = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}
    person = {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": INS_NIR_TEST, "value": ins}],
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"coding": [relationship]}],
    }
    identity = record.api.post("/fhir/RelatedPerson", person, as_=record.patient).id
    body = bodies.consent(record.id, "delegation", "permit", None, PS_IDNAT)
    body["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{identity}"}}]
    assert record.consent(body).status == 201


def entered(record: OpenRecord, as_: Caller = None, kind: str = "AllergyIntolerance", **elements: Any) -> Response:
    body = BODIES[ProfileKind(kind)](record.id, **elements)
    response = record.api.post(f"/fhir/{kind}", body, as_=as_ or record.patient)
    assert response.status == 201, response.body
    return response


def get(record: OpenRecord, identity: str, as_: Caller = None) -> Response:
    return record.api.get(f"{URL}/{identity}", as_=as_ or record.patient)


def put(record: OpenRecord, body: Json, as_: Caller, **options: Any) -> Response:
    return record.api.put(f"{URL}/{body['id']}", body, as_=as_, **options)


def patch(record: OpenRecord, identity: str, as_: Caller, *operations: Json, **options: Any) -> Response:
    return record.api.patch(f"{URL}/{identity}", list(operations), as_=as_, **options)


def search(record: OpenRecord, as_: Caller) -> Response:
    return record.api.get(f"{URL}?patient={record.id}", as_=as_)


def labels(resource: Json) -> list[str]:
    return [coding["code"] for coding in resource["meta"]["security"]]


ADD_MASK = {"op": "add", "path": "/meta/security/-", "value": made.MASK}
UNMASK = {"op": "replace", "path": "/meta/security", "value": [made.NORMAL]}

# --- who may


HIDDEN = {"stranger"}
READERS = {"patient", "representative", "caregiver", "physician", "author", "authorised", "emergency"}
FEEDERS = READERS | {"ambulance", "without a right", "employee", "server"}
AUTHORS = {"author"}
MASKERS = {"patient", "representative", "physician", "author"}


def test_entries_are_read_fed_and_changed_by_whom_the_law_says(
    record: OpenRecord, callers: dict[str, Requester]
) -> None:
    entry = entered(record, DOCTOR)
    numbers = count(1)

    def under(*labels: Json) -> Json:
        return {**get(record, entry.id, DOCTOR).json, "meta": {"security": [made.NORMAL, *labels]}}

    operations: dict[str, tuple[set[str], Callable[[Requester], Response]]] = {
        "read": (READERS, lambda who: get(record, entry.id, who)),
        "vread": (READERS, lambda who: get(record, f"{entry.id}/_history/1", who)),
        "history": (READERS, lambda who: get(record, f"{entry.id}/_history", who)),
        "create": (FEEDERS, lambda who: record.api.post(URL, made.allergy(record.id), as_=who)),
        "create wrongly": (FEEDERS, lambda who: record.api.post(URL, made.allergy(record.id, mood="x"), as_=who)),
        "update": (AUTHORS, lambda who: put(record, {**entry.json, "note": [{"text": f"Note {next(numbers)}"}]}, who)),
        "mask": (MASKERS, lambda who: put(record, under(made.MASK), who)),
        "unmask": (MASKERS, lambda who: patch(record, entry.id, who, UNMASK)),
        "hide": (AUTHORS, lambda who: put(record, under(made.INVISIBLE), who)),
        "delete": (AUTHORS, lambda who: record.api.delete(f"{URL}/{entered(record, DOCTOR).id}", as_=who)),
    }
    done = {"create": 201, "create wrongly": 422, "delete": 204}

    for what, (permitted, operation) in operations.items():
        statuses = {}
        for who, caller in callers.items():
            statuses[who] = operation(caller).status
            if what in ("mask", "hide"):
                patch(record, entry.id, DOCTOR, UNMASK)

        expected = {who: 404 if who in HIDDEN else 403 for who in callers}
        assert statuses == {who: done.get(what, 200) if who in permitted else expected[who] for who in callers}, what


def test_a_search_answers_as_the_reading_does(record: OpenRecord, callers: dict[str, Requester]) -> None:
    entry = entered(record, DOCTOR)

    answers = {who: search(record, caller) for who, caller in callers.items()}

    assert {who for who, answer in answers.items() if answer.status == 200} == READERS | {"ambulance"}
    assert {tuple(one["id"] for one in answers[who].resources) for who in READERS} == {(entry.id,)}
    assert answers["ambulance"].resources == []
    assert {answers[who].status for who in ("stranger",)} == {404}


def test_a_patient_changes_what_they_entered_and_not_what_others_did(record: OpenRecord) -> None:
    own, other = entered(record).json, entered(record, DOCTOR).json

    answers = [put(record, {**one, "criticality": "low"}, record.patient) for one in (own, other)]

    assert [(r.status, r.json.get("criticality")) for r in answers] == [(200, "low"), (403, None)]


def test_vaccinations_and_biology_stand_in_columns_of_the_matrix_of_their_own(record: OpenRecord) -> None:
    assistant = requester_professional("10101112226", "1310000007", profession="31")
    record.authorise("810101112226")
    biology = [made.concept(f"{made.HL7}/observation-category", "laboratory")]
    entries = {
        "an allergy": entered(record, DOCTOR),
        "a vaccination": entered(record, DOCTOR, "Immunization"),
        "a weight": entered(record, DOCTOR, "Observation"),
        "biology": entered(record, DOCTOR, "Observation", category=biology),
    }

    answers = {w: record.api.get(f"/fhir/{e.json['resourceType']}/{e.id}", as_=assistant) for w, e in entries.items()}

    expected = {"an allergy": 200, "a vaccination": 403, "a weight": 200, "biology": 403}
    assert {what: answer.status for what, answer in answers.items()} == expected
    assert answers["biology"].code == "not-habilitated"
    found = record.api.get(f"/fhir/Observation?patient={record.id}", as_=assistant)
    assert [one["id"] for one in found.resources] == [entries["a weight"].id]


def test_in_a_closed_record_nothing_is_seen_or_entered(record: OpenRecord) -> None:
    entry = entered(record)
    record.close()

    refusals = [
        get(record, entry.id),
        search(record, record.patient),
        put(record, entry.json, record.patient),
        record.api.delete(f"{URL}/{entry.id}", as_=record.patient),
        record.api.post(URL, made.allergy(record.id), as_=record.patient),
    ]

    assert {(r.status, r.code) for r in refusals} == {(403, "record-closed")}


# --- what hides


def test_a_masked_entry_looks_missing(record: OpenRecord, callers: dict[str, Requester]) -> None:
    entry = entered(record, DOCTOR)
    patch(record, entry.id, record.patient, ADD_MASK)
    missing = f"{record.id}.{'0' * 26}"

    for who in ("authorised", "emergency"):
        hidden = [get(record, one, callers[who]) for one in (entry.id, missing)]
        changed = [put(record, {**entry.json, "id": one}, callers[who]) for one in (entry.id, missing)]
        assert {(r.status, r.body) for r in (*hidden, *changed)} == {(404, hidden[0].body)}
        assert (search(record, callers[who]).json["total"], search(record, callers[who]).resources) == (0, [])
    seen = {who: get(record, entry.id, callers[who]).status for who in MASKERS}
    assert seen == dict.fromkeys(MASKERS, 200)


def test_a_version_from_before_the_mask_is_hidden_with_the_entry_and_one_that_was_masked_stays_so(
    record: OpenRecord, callers: dict[str, Requester]
) -> None:
    entry = entered(record, DOCTOR)
    patch(record, entry.id, record.patient, ADD_MASK)
    while_masked = get(record, f"{entry.id}/_history/1", callers["authorised"]).status
    patch(record, entry.id, record.patient, UNMASK)

    versions = [get(record, f"{entry.id}/_history/{n}", callers["authorised"]).status for n in (1, 2, 3)]
    history = get(record, f"{entry.id}/_history", callers["authorised"]).json["entry"]

    assert (while_masked, versions) == (404, [200, 404, 200])
    assert [one["resource"]["meta"]["versionId"] for one in history] == ["3", "1"]


def test_a_put_without_labels_leaves_them(record: OpenRecord) -> None:
    body = entered(record, DOCTOR, **MASKED).json
    silent = {name: value for name, value in body.items() if name != "meta"}

    changed = put(record, {**silent, "criticality": "low"}, DOCTOR)

    assert labels(changed.json) == ["N", "MASQUE_PS"]


def test_other_labels_are_kept_beside_ours(record: OpenRecord) -> None:
    restricted = {"system": f"{made.HL7}/v3-ActCode", "code": "PSY"}

    body = entered(record, DOCTOR, meta={"security": [restricted]}).json
    masked = put(record, {**body, "meta": {"security": [made.MASK, restricted]}}, record.patient)

    assert labels(body) == ["N", "PSY"]
    assert labels(masked.json) == ["N", "PSY", "MASQUE_PS"]


def test_by_the_patients_choice_what_is_new_arrives_masked(record: OpenRecord) -> None:
    record.consent(bodies.consent(record.id, "default-visibility", "deny", None, PS_IDNAT))

    assert labels(entered(record, DOCTOR).json) == ["N", "MASQUE_PS"]


def test_only_a_professional_hides_from_the_patient(record: OpenRecord, callers: dict[str, Requester]) -> None:
    entry = entered(record, DOCTOR, **INVISIBLE)
    refusal = record.api.post(URL, made.allergy(record.id, **INVISIBLE), as_=record.patient)

    seen = {who: get(record, entry.id, callers[who]).status for who in sorted(READERS)}

    assert (refusal.status, refusal.code) == (422, "label-not-permitted")
    hidden = {"patient", "representative", "caregiver"}
    assert seen == {who: 404 if who in hidden else 200 for who in sorted(READERS)}
    assert search(record, record.patient).resources == []


def test_what_is_kept_from_representatives_the_patient_sees(record: OpenRecord, callers: dict[str, Requester]) -> None:
    entry = entered(record, DOCTOR, meta={"security": [KEPT_FROM_PARENTS]})

    seen = {who: get(record, entry.id, callers[who]).status for who in ("patient", "representative", "authorised")}

    assert seen == {"patient": 200, "representative": 404, "authorised": 200}


# --- patches


def test_a_patch_masks_in_either_format(record: OpenRecord) -> None:
    entry = entered(record, DOCTOR)
    add = {
        "name": "operation",
        "part": [
            {"name": "type", "valueCode": "add"},
            {"name": "path", "valueString": "AllergyIntolerance.meta"},
            {"name": "name", "valueString": "security"},
            {"name": "value", "valueCoding": made.MASK},
        ],
    }
    remove = {
        "name": "operation",
        "part": [
            {"name": "type", "valueCode": "delete"},
            {"name": "path", "valueString": "AllergyIntolerance.meta.security.where(code='MASQUE_PS')"},
        ],
    }

    answers = [
        patch(record, entry.id, record.patient, ADD_MASK, headers={"If-Match": 'W/"1"'}),
        patch(record, entry.id, record.patient, {"op": "remove", "path": "/meta/security/1"}),
        *(
            record.api.patch(
                f"{URL}/{entry.id}", {"resourceType": "Parameters", "parameter": [one]}, as_=record.patient
            )
            for one in (add, remove, remove)
        ),
        patch(record, entry.id, record.patient, {"op": "remove", "path": "/meta/security"}),
    ]

    assert [r.status for r in answers] == [200] * 6
    assert [labels(r.json)[1:] for r in answers] == [["MASQUE_PS"], [], ["MASQUE_PS"], [], [], []]
    assert answers[-1].headers["etag"] == 'W/"5"'


BAD_PATCHES: dict[str, tuple[Json, int, str]] = {
    "another element": ({"op": "replace", "path": "/criticality", "value": "low"}, 405, "patch-path-forbidden"),
    "all of meta": ({"op": "replace", "path": "/meta", "value": {"source": "urn:x"}}, 405, "patch-path-forbidden"),
    "a tag": ({"op": "remove", "path": "/meta/tag/0"}, 405, "patch-path-forbidden"),
    "no label": ({"op": "add", "path": "/meta/security/-", "value": "N"}, 422, "invalid-resource"),
    "a label that does not exist": (
        {"op": "add", "path": "/meta/security/-", "value": {"system": made.VISIBILITY, "code": "X"}},
        422,
        "unknown-code",
    ),
    "nowhere": ({"op": "remove", "path": "/meta/security/7"}, 422, "invalid-parameter"),
    "no operation": ({"path": "/meta/security/0"}, 400, "malformed-request"),
}


@pytest.mark.parametrize("what", BAD_PATCHES)
def test_a_patch_changes_labels_alone(record: OpenRecord, what: str) -> None:
    operation, status, code = BAD_PATCHES[what]
    entry = entered(record)

    refusal = patch(record, entry.id, record.patient, operation)

    assert (refusal.status, refusal.code) == (status, code)
    assert get(record, entry.id).headers["etag"] == 'W/"1"'


def test_a_patch_of_another_version_is_stale(record: OpenRecord) -> None:
    entry = entered(record)

    refusal = patch(record, entry.id, record.patient, ADD_MASK, headers={"If-Match": 'W/"2"'})

    assert (refusal.status, refusal.code) == (412, "version-conflict")


# --- the trace


def test_every_access_and_every_refusal_is_traced(record: OpenRecord, callers: dict[str, Requester]) -> None:
    entry = entered(record, DOCTOR)
    get(record, entry.id, callers["authorised"])
    get(record, entry.id, callers["without a right"])
    put(record, {**entry.json, "criticality": "low"}, DOCTOR)
    patch(record, entry.id, record.patient, ADD_MASK)
    get(record, f"{entry.id}/_history", DOCTOR)
    record.api.delete(f"{URL}/{entry.id}", as_=DOCTOR)
    search(record, callers["authorised"])

    about = [event for event in record.trace() if f"AllergyIntolerance/{entry.id}" in str(event["entity"])]
    found = [coding["code"] for event in record.trace() for coding in event["subtype"]]

    assert sorted((e["action"], e["outcome"]) for e in about) == [
        *(("C", "0"), ("D", "0"), ("E", "8")),
        *(("R", "0"), ("R", "0"), ("U", "0"), ("U", "0")),
    ]
    assert "search" in found


def test_the_trace_tells_the_patient_nothing_of_what_is_hidden_from_them(record: OpenRecord) -> None:
    physician = requester_professional()
    record.consent(bodies.attending_physician(record.id))
    entry = entered(record, DOCTOR, **INVISIBLE)
    get(record, entry.id, DOCTOR)
    put(record, {**entry.json, "criticality": "low"}, DOCTOR)

    def telling(as_: Requester) -> list[str]:
        events = record.api.get(f"/fhir/AuditEvent?patient={record.id}&_count=100", as_=as_).resources
        return sorted(event["action"] for event in events if entry.id in str(event))

    hidden, close = telling(record.patient), telling(physician)
    patch(record, entry.id, DOCTOR, {"op": "remove", "path": "/meta/security/1"})

    assert (hidden, close) == ([], ["C", "R", "U"])
    assert telling(record.patient) == ["C", "R", "U", "U"]


def test_who_asks_for_a_hidden_entry_finds_the_question_as_for_one_that_is_not_there(record: OpenRecord) -> None:
    hidden, missing = entered(record, DOCTOR, **INVISIBLE).id, f"{record.id}.{'0' * 26}"
    for one in (hidden, missing):
        assert get(record, one).status == 404

    found = [e for e in record.trace() if e["action"] == "E" and e["outcome"] == "8"]

    assert [e["outcomeDesc"] for e in found] == ["Refus : document introuvable."] * 2
    told = [str(e["entity"]).replace(one, "x") for e, one in zip(found, (missing, hidden), strict=True)]
    assert len(told[0]) == len(told[1])

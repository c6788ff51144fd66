"""Searches of the structured profile: what was entered, then what documents offer, page by page (FHIR R4 search)."""

import base64
from random import Random
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws, profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileKind, candidate_local
from dmp.domain.document import Coding, Visibility
from tests import bodies
from tests import profile_bodies as made
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record
from tests.health_record import HealthRecord, condition, procedure
from tests.profile_bodies import BODIES
from tests.requester_factories import requester_professional

type Json = dict[str, Any]

ALLERGY = "AllergyIntolerance"
OPHTHALMOLOGIST = requester_professional("10102222222", "1310000003", profession="28")
ANOTHER = requester_professional("10104444444", "1310000099")


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record while time stands still, whose patient authorised the specialist."""
    fed = open_record(api, stack)
    fed.authorise(SPECIALIST)
    return fed


def entered(record: FedRecord, kind: str = ALLERGY, as_: Caller = None, **elements: Any) -> str:
    response = record.api.post(
        f"/fhir/{kind}", BODIES[ProfileKind(kind)](record.id, **elements), as_=as_ or record.patient
    )
    assert response.status == 201, response.body
    return response.id


def find(record: FedRecord, query: str = "", as_: Caller = None, kind: str = ALLERGY) -> Response:
    return record.api.get(f"/fhir/{kind}?patient={record.id}{query}", as_=as_ or record.patient)


def found(record: FedRecord, query: str = "", as_: Caller = None, kind: str = ALLERGY) -> list[str]:
    response = find(record, query, as_, kind)
    assert response.status == 200, response.body
    return [one["id"] for one in response.resources]


def offered(record: FedRecord, document: str, *codes: str, kind: str = ALLERGY) -> list[str]:
    """Let a document offer entries of these codes; their ids."""
    local = document.partition(".")[2]
    candidates = tuple(candidate(ProfileKind(kind), code) for code in codes)
    extraction = Extraction(record=record.id, local=local, candidates=candidates)
    item = profile_items.write_extraction(extraction)
    aws.client("dynamodb").put_item(TableName=record.stores["RECORDS_TABLE"], Item=item)
    return [f"{record.id}.{candidate_local(local, n)}" for n in range(len(codes))]


def candidate(kind: ProfileKind, code: str) -> Candidate:
    """What a section of a document says."""
    content = BODIES[kind]("")
    content = {name: value for name, value in content.items() if name not in ("patient", "subject")}
    content["medicationCodeableConcept" if kind is ProfileKind.MEDICATION else "code"] = made.concept(made.ATC, code)
    return Candidate(
        kind=kind,
        section=Coding("http://loinc.org", "48765-2", "Allergies"),
        section_title="Allergies et intolérances",
        resource=content,
    )


# --- parameters


def test_parameters_narrow_what_is_found(record: FedRecord, clock: TimeMachineFixture) -> None:
    resolved = made.concept(f"{made.HL7}/allergyintolerance-clinical", "resolved")
    old = entered(record, clinicalStatus=resolved, recordedDate="2010-05", category=["food"])
    clock.shift(60)
    new = entered(record, as_=AUTHOR, identifier=[{"system": "urn:oid:2.25.7", "value": "A1"}])

    assert found(record) == [new, old]
    assert found(record, "&clinical-status=resolved") == [old]
    assert found(record, f"&clinical-status={made.HL7}/allergyintolerance-clinical|active") == [new]
    assert found(record, "&category=food,environment") == [old]
    assert found(record, f"&code={made.ATC}|J01C") == [new, old]
    assert found(record, "&code=J01C&criticality=low") == []
    assert found(record, "&date=2010") == [old]
    assert found(record, "&onset=1998") == [new, old]
    assert found(record, f"&_id={old}") == [old]
    assert found(record, "&_lastUpdated=ge2026-03-02T12:01:00Z") == [new]
    assert found(record, "&_tag=professional") == [new]
    assert found(record, "&identifier=urn:oid:2.25.7|A1") == [new]


@pytest.mark.parametrize(
    ("kind", "query", "other"),
    [
        ("Condition", "onset-date=2004&category=problem-list-item", "abatement-date=2004"),
        ("Condition", "date=2004-05&code=http://hl7.org/fhir/sid/icd-10|J45", "clinical-status=resolved"),
        ("MedicationStatement", "status=active&code=C07AB03&effective=2026-02-01", "effective=lt2025"),
        ("Immunization", "vaccine-code=J07AM01&date=2021-06-04&status=completed", "date=2022"),
        ("Immunization", "code=J07AM01", "target-disease=x"),
        ("Procedure", "code=urn:oid:1.2.250.1.213.2.5|HHFA001&date=1999", "status=in-progress"),
        ("FamilyMemberHistory", "relationship=MTH&code=E11&date=2026", "relationship=FTH"),
        ("Observation", "code=29463-7&category=vital-signs&date=2026-02-20", "component-code=8480-6"),
    ],
)
def test_each_kind_has_parameters_of_its_own(record: FedRecord, kind: str, query: str, other: str) -> None:
    entry = entered(record, kind)

    assert found(record, f"&{query}", kind=kind) == [entry]
    assert found(record, f"&{other}", kind=kind) == []


def test_a_search_by_ins_works_and_no_link_carries_it(record: FedRecord) -> None:
    entry = entered(record)

    answer = record.api.search(
        f"/fhir/{ALLERGY}", {"patient.identifier": bodies.qualified(record.ins)}, as_=record.patient
    )

    assert [one["id"] for one in answer.resources] == [entry]
    assert answer.links["self"] == f"https://dmp.example/fhir/{ALLERGY}?patient={record.id}"


def test_somebody_must_be_named_and_a_strict_search_knows_its_parameters(record: FedRecord) -> None:
    nobody = record.api.get(f"/fhir/{ALLERGY}", as_=record.patient)
    unknown = record.api.get(
        f"/fhir/{ALLERGY}?patient={record.id}&mood=sunny", as_=record.patient, headers={"Prefer": "handling=strict"}
    )

    assert [(r.status, r.code) for r in (nobody, unknown)] == [(400, "missing-parameter"), (400, "unknown-parameter")]


# --- pages


def test_pages_hold_everything_once_what_was_entered_first(record: FedRecord, clock: TimeMachineFixture) -> None:
    made_ = []
    for _ in range(3):
        clock.shift(60)
        made_.append(entered(record))
    first, second = (record.publish(content=f"%PDF-1.4 {n}".encode(), date=f"2026-0{n}-01T00:00:00Z") for n in (1, 2))
    older = offered(record, first, "A01", "A02", "A03")
    newer = offered(record, second, "A04")
    everything = [*made_[::-1], *newer, *older]

    for count in (1, 2, 3, 4):
        pages, url = [], f"/fhir/{ALLERGY}?patient={record.id}&_count={count}"
        while url:
            pages.append(record.api.get(url, as_=record.patient))
            url = pages[-1].links.get("next", "")

        assert [one["id"] for page in pages for one in page.resources] == everything
    assert find(record, "&_count=2&_total=accurate").json["total"] == 7
    assert find(record).json["total"] == 7
    assert "total" not in find(record, "&_count=2").json
    following = find(record, "&_count=2").links["next"]
    foreign = [record.api.get(following, as_=SPECIALIST), record.api.get(following + "x", as_=record.patient)]
    assert {(r.status, r.code) for r in foreign} == {(400, "invalid-cursor")}


@pytest.mark.parametrize("sort", ["date", "-date", "_lastUpdated", "-_lastUpdated", "_id", "-_id"])
def test_pages_come_in_the_order_that_is_asked(record: FedRecord, clock: TimeMachineFixture, sort: str) -> None:
    moments = ["2026-02-20T08:00:00+01:00", "2026-01", "2025-12-24", "2026-02-20T07:30:00Z"]
    weights = []
    for moment in moments:
        clock.shift(60)
        weights.append(entered(record, "Observation", effectiveDateTime=moment))
    (offer,) = offered(record, record.publish(), "29463-7", kind="Observation")
    oldest_first = {
        "date": [weights[2], weights[1], weights[0], offer, weights[3]],
        "_lastUpdated": [*weights, offer],
        "_id": sorted([*weights, offer]),
    }

    pages, url = [], f"/fhir/Observation?patient={record.id}&_count=2&_sort={sort}"
    while url:
        pages.append(record.api.get(url, as_=record.patient))
        url = pages[-1].links.get("next", "")

    seen = [one["id"] for page in pages for one in page.resources]
    expected = oldest_first[sort.removeprefix("-")]
    if sort.endswith("date"):
        assert {seen[2], seen[3]} == {weights[0], offer} or {seen[1], seen[2]} == {weights[0], offer}
        seen, expected = ([one for one in found if one != offer] for found in (seen, expected))
    assert seen == (expected[::-1] if sort.startswith("-") else expected)


# --- candidates


def test_a_candidate_tells_where_it_was_found(record: FedRecord) -> None:
    document = record.publish()
    (identity,) = offered(record, document, "C07AB03", kind="MedicationStatement")

    answer = record.api.get(f"/fhir/MedicationStatement/{identity}", as_=SPECIALIST)

    assert answer.status == 200, answer.body
    (source,) = [e for e in answer.json["extension"] if e["url"].endswith("/dmp-source")]
    parts = {one["url"]: one for one in source["extension"]}
    assert parts["document"]["valueReference"] == {"reference": f"DocumentReference/{document}"}
    assert parts["section"]["valueCodeableConcept"]["text"] == "Allergies et intolérances"
    assert answer.json["derivedFrom"] == [{"reference": f"DocumentReference/{document}"}]
    assert [tag["code"] for tag in answer.json["meta"]["tag"]] == ["document"]
    assert answer.json["subject"] == {"reference": f"Patient/{record.id}"}
    assert found(record, "&_tag=document&code=C07AB03", kind="MedicationStatement") == [identity]
    vread = record.api.get(f"/fhir/MedicationStatement/{identity}/_history/1", as_=SPECIALIST)
    history = record.api.get(f"/fhir/MedicationStatement/{identity}/_history", as_=SPECIALIST).json["entry"]
    assert [vread.json, *(one["resource"] for one in history)] == [answer.json, answer.json]
    assert record.api.get(f"/fhir/MedicationStatement/{identity}/_history/2", as_=SPECIALIST).code == "no-version"


def test_a_candidate_is_nobodys_to_change(record: FedRecord) -> None:
    (identity,) = offered(record, record.publish(), "A01")
    body = {**made.allergy(record.id), "id": identity}
    label = [{"op": "add", "path": "/meta/security/-", "value": made.MASK}]
    url = f"/fhir/{ALLERGY}/{identity}"

    refusals = [
        record.api.put(url, body, as_=AUTHOR),
        record.api.patch(url, label, as_=AUTHOR),
        record.api.delete(url, as_=AUTHOR),
        record.api.delete(f"/fhir/{ALLERGY}/{record.id}.{'0' * 29}", as_=AUTHOR),
    ]

    assert {(r.status, r.code) for r in refusals} == {(405, "candidate-read-only")}


def test_what_a_document_offers_is_shown_where_the_document_is(record: FedRecord) -> None:
    document = record.publish()
    (identity,) = offered(record, document, "A01")
    url = f"/fhir/{ALLERGY}/{identity}"
    seen: dict[str, list[Any]] = {}

    def look(when: str) -> None:
        readers = (record.patient, SPECIALIST, AUTHOR, STRANGER)
        seen[when] = [record.api.get(url, as_=who).status for who in readers]
        seen[when] += [len(find(record, as_=who).resources) for who in readers[:2]]

    look("shown")
    record.mask(document)
    look("masked")
    unmask = [{"op": "remove", "path": "/securityLabel/1"}]
    assert record.api.patch(f"/fhir/DocumentReference/{document}", unmask, as_=record.patient).status == 200
    hidden = [{"op": "add", "path": "/securityLabel/-", "value": {"coding": [made.INVISIBLE]}}]
    assert record.api.patch(f"/fhir/DocumentReference/{document}", hidden, as_=AUTHOR).status == 200
    look("invisible")
    assert record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 204
    look("deleted")

    assert seen == {
        "shown": [200, 200, 200, 403, 1, 1],
        "masked": [200, 404, 200, 404, 1, 0],
        "invisible": [404, 200, 200, 403, 0, 1],
        "deleted": [404, 404, 404, 404, 0, 0],
    }


def test_a_superseded_document_offers_nothing(record: FedRecord) -> None:
    former = record.publish()
    (identity,) = offered(record, former, "A01")
    target = {"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}

    record.publish(content=b"%PDF-1.4 newer", relatesTo=[target])

    assert record.api.get(f"/fhir/{ALLERGY}/{identity}", as_=AUTHOR).status == 404
    assert found(record) == []


def test_a_candidate_that_is_not_there_looks_like_a_hidden_one(record: FedRecord) -> None:
    document = record.publish()
    (identity,) = offered(record, document, "A01")
    missing, foreign = identity[:-1] + "1", identity.replace(ALLERGY, "Condition")
    record.mask(document)

    answers = [
        record.api.get(url, as_=SPECIALIST)
        for url in (
            f"/fhir/{ALLERGY}/{identity}",
            f"/fhir/{ALLERGY}/{missing}",
            f"/fhir/Condition/{foreign}",
            f"/fhir/{ALLERGY}/{record.id}.{'0' * 26}",
        )
    ]

    assert {(r.status, r.code, r.body) for r in answers} == {(404, "not-found", answers[0].body)}


def test_the_matrix_is_that_of_the_document(record: FedRecord) -> None:
    record.authorise(OPHTHALMOLOGIST)
    (identity,) = offered(record, record.publish(), "A01")

    refusal = record.api.get(f"/fhir/{ALLERGY}/{identity}", as_=OPHTHALMOLOGIST)

    assert (refusal.status, refusal.code) == (403, "not-habilitated")
    assert found(record, as_=OPHTHALMOLOGIST) == []


def test_who_has_no_right_finds_what_is_their_own_and_else_is_refused(record: FedRecord) -> None:
    refused = find(record, as_=STRANGER)
    own = entered(record, as_=STRANGER)
    entered(record)

    assert (refused.status, refused.code) == (403, "not-authorised")
    assert found(record, as_=STRANGER) == [own]
    assert found(record, "&criticality=low", as_=STRANGER) == []
    assert find(record, as_=STRANGER, kind="Condition").status == 403


# --- cost


def test_a_search_is_two_reads_at_most_and_its_trace(record: FedRecord) -> None:
    entered(record)
    with counted() as alone:
        find(record)
    documents = [record.publish(content=f"%PDF-1.4 {n}".encode()) for n in range(3)]
    for n, document in enumerate(documents):
        offered(record, document, f"A0{n}")
    with counted() as both:
        assert len(find(record).resources) == 4
    with counted() as candidate_read:
        record.api.get(f"/fhir/{ALLERGY}/{found(record, '&_tag=document')[0]}", as_=record.patient)

    assert alone == ["Query", "PutItem"]
    assert both == ["Query", "BatchGetItem", "PutItem"]
    assert candidate_read[-2:] == ["BatchGetItem", "PutItem"]


# --- a profile that no single read brings


@pytest.mark.parametrize("count", [7, 100])
def test_a_large_profile_is_read_in_pages_that_hold_everything_once(record: FedRecord, count: int) -> None:
    noise = [base64.b64encode(Random(n).randbytes(66_000)).decode() for n in range(20)]
    acts = [HealthRecord(record).enter(procedure(note=[{"text": text}])) for text in noise]
    documents = [record.publish(content=f"%PDF-1.4 {n}".encode()) for n in range(3)]
    candidates = [one for n in documents for one in offered(record, n, "P1", "P2", kind="Procedure")]
    allergies = [entered(record) for _ in range(3)]

    for kind, expected in (("Procedure", acts + candidates), (ALLERGY, allergies)):
        seen, url = [], f"/fhir/{kind}?patient={record.id}&_count={count}"
        while url:
            page = record.api.get(url, as_=record.patient)
            seen += [one["id"] for one in page.resources]
            url = page.links.get("next", "")
        assert sorted(seen) == sorted(expected)
        assert find(record, "&_count=1&_total=accurate", kind=kind).json["total"] == len(expected)
    with counted() as calls:
        in_order = found(record, "&_count=100", kind="Procedure")
    assert [one in acts for one in in_order] == [True] * 20 + [False] * 6
    assert calls.count("Query") > 1


def test_what_is_hidden_is_not_told_of_by_pages_either_however_much_it_is(record: FedRecord) -> None:
    health = HealthRecord(record)
    own = health.enter(condition("0", "Saisi"), by=AUTHOR, visibility=[Visibility.MASQUE_PS])
    for number in range(24):
        noise = base64.b64encode(Random(number).randbytes(280_000)).decode()
        health.enter(condition(f"{number}", note=[{"text": noise}]), by=ANOTHER, visibility=[Visibility.MASQUE_PS])

    stranger = find(record, as_=STRANGER, kind="Condition")
    authorised = find(record, as_=SPECIALIST, kind="Condition")

    assert (stranger.status, stranger.code) == (403, "not-authorised")
    assert (authorised.status, authorised.resources, authorised.json["total"]) == (200, [], 0)
    assert "next" not in authorised.links
    assert found(record, as_=AUTHOR, kind="Condition") == [own]

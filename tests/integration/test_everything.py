"""$everything: page by page all that the caller may see, as the searches would show it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.closed_record import close
from tests.delegates import GUARDIAN, NEIGHBOUR, delegated
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.health_record import HealthRecord, allergy, condition
from tests.open_record import extension
from tests.profile_bodies import BODIES
from tests.reimbursements import fed, line
from tests.requester_factories import requester_cnam_feed, requester_cpam_agent, requester_patient

A07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
SEARCHED = ("DocumentReference", "List", "Consent", "RelatedPerson", "Communication", "ExplanationOfBenefit")

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


@pytest.fixture
def full(record: FedRecord) -> FedRecord:
    """A record with something of every type."""
    for kind, body in BODIES.items():
        answer = record.api.post(f"/fhir/{kind}", body(record.id), as_=record.patient)
        assert answer.status == 201, answer.body
    person = {"resourceType": "RelatedPerson", "patient": {"reference": f"Patient/{record.id}"}, "active": True}
    assert record.api.post("/fhir/RelatedPerson", person, as_=record.patient).status == 201
    assert record.api.post("/fhir", bodies.submission(record.id, bodies.PDF), as_=HOSPITAL).status == 200
    record.publish(content=bodies.PDF + b"masked")
    fed(record.api, line(record.id))
    return record


def ask(record: FedRecord, query: str = "", as_: Requester | None = None, **options: Any) -> Response:
    return record.api.get(f"/fhir/Patient/{record.id}/$everything{query}", as_=as_ or record.patient, **options)


def pages(record: FedRecord, query: str = "", as_: Requester | None = None) -> Iterator[Response]:
    page = ask(record, query, as_)
    while True:
        assert page.status == 200, page.body
        yield page
        if "next" not in page.links:
            return
        page = record.api.get(page.links["next"], as_=as_ or record.patient)


def found(record: FedRecord, query: str = "", as_: Requester | None = None) -> list[str]:
    """Type and id of all that all pages hold."""
    return [f"{one['resourceType']}/{one['id']}" for page in pages(record, query, as_) for one in page.resources]


def types(references: list[str]) -> set[str]:
    return {one.partition("/")[0] for one in references}


# --- what comes


def test_everything_of_a_record_is_there_once_and_just_as_it_is_read(full: FedRecord) -> None:
    answer = ask(full, "?_count=100")

    references = [f"{one['resourceType']}/{one['id']}" for one in answer.resources]
    assert types(references) == {"Patient", *SEARCHED, *BODIES}
    assert len(set(references)) == len(references) == answer.json["total"]
    for entry in answer.json["entry"]:
        assert entry["fullUrl"].endswith(f"{entry['resource']['resourceType']}/{entry['resource']['id']}")
        assert full.api.get(entry["fullUrl"], as_=full.patient).json == entry["resource"]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_pages_hold_what_one_page_does_in_the_same_order(full: FedRecord, count: int) -> None:
    whole = found(full, "?_count=100")

    divided = list(pages(full, f"?_count={count}"))

    assert [f"{one['resourceType']}/{one['id']}" for page in divided for one in page.resources] == whole
    assert all(len(page.resources) <= count for page in divided)
    assert not any("total" in page.json for page in divided)


def test_a_page_holds_twenty_where_nothing_is_said_and_a_hundred_at_most(record: FedRecord) -> None:
    for number in range(21):
        record.publish(content=bodies.PDF + str(number).encode())

    assert len(ask(record, "?_type=DocumentReference").resources) == 20
    assert ask(record, "?_count=1000").links["self"].endswith("?_count=100")
    assert ask(record, "?_count=0").code == "invalid-parameter"


@pytest.mark.parametrize("query", ["?_type=Patient,DocumentReference", "?_type=Patient&_type=DocumentReference"])
def test_types_are_chosen(full: FedRecord, query: str) -> None:
    references = found(full, query)

    assert types(references) == {"Patient", "DocumentReference"}


@pytest.mark.parametrize("query", ["?_type=Encounter", "?_type=Patient,nothing", "?_type=patient", "?_since=yesterday"])
def test_what_is_no_type_of_a_record_or_no_moment_is_refused(record: FedRecord, query: str) -> None:
    answer = ask(record, query)

    assert (answer.status, answer.code) == (400, "invalid-parameter")
    assert record.trace()[-1]["act"] != "everything"


def test_an_unknown_parameter_is_left_out_or_refused(record: FedRecord) -> None:
    strict = {"Prefer": "handling=strict"}

    assert ask(record, "?start=2026-01-01&_count=5").links["self"].endswith("$everything?_count=5")
    assert ask(record, "?start=2026-01-01", headers=strict).code == "unknown-parameter"


def test_what_has_not_changed_since_is_left_out(record: FedRecord, clock: TimeMachineFixture) -> None:
    former = record.publish()
    clock.shift(60)
    changed = record.publish(content=bodies.PDF + b"later")

    references = found(record, "?_since=2026-03-02T13:00:30%2B01:00")

    assert f"DocumentReference/{changed}" in references
    assert f"DocumentReference/{former}" not in references
    assert types(references) == {"DocumentReference", "Communication"}
    assert found(record, "?_since=2026-03-02T13:00:30+01:00") == references
    assert f"DocumentReference/{former}" in found(record, "?_since=2026-03-02")


def test_what_documents_state_comes_with_its_source_and_is_divided_between_pages(record: FedRecord) -> None:
    health = HealthRecord(record)
    health.offer(allergy(display="Pénicilline"), condition(display="Asthme"), condition(display="Diabète"))
    health.offer(condition(display="Migraine"), content=bodies.PDF + b"other")

    stated = [one for page in pages(record, "?_type=Condition,AllergyIntolerance&_count=1") for one in page.resources]

    assert sorted(one["code"]["text"] for one in stated) == ["Asthme", "Diabète", "Migraine", "Pénicilline"]
    assert all(extension(one, "dmp-source") for one in stated)


# --- silence


def hidden(code: str) -> Json:
    """The labels of a document with an extra code."""
    return {"securityLabel": [{"coding": [{"system": A07, "code": code}]}]}


@pytest.fixture
def divided(record: FedRecord) -> FedRecord:
    """A record of whose documents everybody sees others: masked, invisible, deleted, replaced, in lists too."""
    record.name_attending_physician(AUTHOR)
    record.mask(record.publish(content=bodies.PDF + b"1"))
    record.publish(content=bodies.PDF + b"2", **hidden("INVISIBLE_PATIENT"))
    record.publish(content=bodies.PDF + b"3", **hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
    gone, former = (record.publish(content=bodies.PDF + name) for name in (b"4", b"5"))
    assert record.api.delete(f"/fhir/DocumentReference/{gone}", as_=AUTHOR).status == 204
    replaced = [{"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}]
    record.mask(record.publish(content=bodies.PDF + b"6", relatesTo=replaced))
    masked = bodies.submission(record.id, bodies.PDF + b"7", **hidden("MASQUE_PS"))
    assert record.api.post("/fhir", masked, as_=HOSPITAL).status == 200
    return record


@pytest.mark.parametrize("who", ["patient", "guardian", "neighbour", "specialist", "physician"])
def test_nobody_finds_more_or_less_than_by_searching(divided: FedRecord, who: str) -> None:
    callers = {"patient": divided.patient, "specialist": SPECIALIST, "physician": AUTHOR}
    delegates = {"guardian": GUARDIAN, "neighbour": NEIGHBOUR}
    caller = callers.get(who) or delegated(divided, delegates[who])

    references = found(divided, "?_count=4", caller)

    assert sorted(references) == sorted(searched(divided, caller))
    assert sorted(found(divided, "?_count=100", caller)) == sorted(references)


def test_what_is_shown_is_silent_about_what_is_not(divided: FedRecord) -> None:
    for page in pages(divided, "?_type=DocumentReference,List", SPECIALIST):
        for resource in page.resources:
            url = f"/fhir/{resource['resourceType']}/{resource['id']}"
            assert divided.api.get(url, as_=SPECIALIST).json == resource


def searched(record: FedRecord, as_: Requester) -> list[str]:
    """What the searches of all types find, where they are permitted."""
    statuses = {"DocumentReference": "&status=current,superseded", "List": "&status=current"}
    references = [f"Patient/{record.id}"]
    for name in (*SEARCHED, *BODIES):
        patient = "recipient=Patient/" if name == "Communication" else "patient="
        url = f"/fhir/{name}?{patient}{record.id}{statuses.get(name, '')}&_count=100"
        answer = record.api.get(url, as_=as_)
        assert answer.status in (200, 403), answer.body
        if answer.status == 200:
            references += [f"{name}/{one['id']}" for one in answer.resources]
    return references


# --- who may


def test_whoever_has_no_right_to_the_record_is_refused(record: FedRecord) -> None:
    record.publish()

    refused = [ask(record, as_=who) for who in (STRANGER, AUTHOR, requester_cpam_agent(), requester_cnam_feed())]

    assert {(one.status, one.code) for one in refused} == {(403, "not-authorised")}
    assert [entry["outcome"] for entry in record.trace() if entry["act"] == "everything"] == ["8"] * 4


def test_to_another_person_there_is_no_record(record: FedRecord) -> None:
    somebody = requester_patient(bodies.qualified(bodies.new_ins()))

    answers = [ask(record, as_=somebody), record.api.get("/fhir/Patient/unknown/$everything", as_=record.patient)]

    assert {(one.status, one.code) for one in answers} == {(404, "no-record")}


def test_the_state_of_a_closed_record_forbids_it(record: FedRecord) -> None:
    assert close(record).status == 200

    assert (ask(record).status, ask(record).code) == (409, "record-closed")


def test_a_revocation_holds_in_the_midst_of_the_pages(record: FedRecord) -> None:
    record.publish()
    record.publish(content=bodies.PDF + b"2")
    following = ask(record, "?_count=1", SPECIALIST).links["next"]

    record.block(SPECIALIST)

    assert record.api.get(following, as_=SPECIALIST).status == 403


# --- links


def test_a_link_holds_for_its_caller_and_its_query_alone(record: FedRecord) -> None:
    record.name_attending_physician(AUTHOR)
    following = ask(record, "?_count=1", SPECIALIST).links["next"]
    cursor = following.rpartition("_cursor=")[2]
    other = open_record(record.api, record.stores)

    spoilt = [
        record.api.get(following, as_=AUTHOR),
        ask(record, f"?_count=2&_cursor={cursor}", SPECIALIST),
        ask(record, f"?_count=1&_type=Patient&_cursor={cursor}", SPECIALIST),
        ask(record, f"?_count=1&_cursor={cursor[:-2]}AA", SPECIALIST),
        other.api.get(f"/fhir/Patient/{other.id}/$everything?_count=1&_cursor={cursor}", as_=SPECIALIST),
    ]

    assert {(one.status, one.code) for one in spoilt} == {(400, "invalid-cursor")}
    assert record.api.get(following, as_=SPECIALIST).links["self"] == following
    assert record.ins not in following


# --- cost and trace


def test_each_page_is_one_entry_of_the_trace(full: FedRecord) -> None:
    answered = list(pages(full, "?_count=6&_type=Patient,Consent,DocumentReference,Communication"))

    told = [entry for entry in full.trace() if entry["act"] == "everything"]
    assert len(told) == len(answered) > 1
    assert {(one["action"], one["outcome"], *one["what"]) for one in told} == {("E", "0", f"Patient/{full.id}")}
    assert {one["query"] for one in told} == {"_count=6&_type=Patient,Consent,DocumentReference,Communication"}


def test_a_page_costs_the_same_however_many_documents_there_are(record: FedRecord) -> None:
    costs = []
    for begin in (0, 30):
        for number in range(begin, begin + 30):
            record.publish(content=bodies.PDF + str(number).encode())
        with counted() as calls:
            assert len(ask(record, "?_type=DocumentReference&_count=10").resources) == 10
        costs.append(list(calls))

    assert costs == [["GetItem", "Query", "PutItem"]] * 2


def test_a_page_of_everything_is_a_few_reads(full: FedRecord) -> None:
    with counted() as calls:
        assert ask(full, "?_count=100").status == 200

    assert len(calls) <= 14


# --- apps


def test_an_app_finds_what_its_scopes_name(full: FedRecord) -> None:
    granted = ("patient/AllergyIntolerance.rs", "patient/DocumentReference.rs", "patient/Patient.r")
    app = replace(full.patient, scopes=granted)
    without_patient = replace(full.patient, scopes=granted[:2])

    references = found(full, "", app)

    assert types(references) == {"Patient", "AllergyIntolerance", "DocumentReference"}
    assert (ask(full, as_=without_patient).status, ask(full, as_=without_patient).code) == (403, "out-of-scope")
    assert full.api.post(f"/fhir/Patient/{full.id}/$export", as_=app).code == "out-of-scope"

"""The history of reimbursements: fed line by line by the insurer, read by those who may, gone after 24 months."""

from collections.abc import Callable
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR, INS_NIR_TEST
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted, meanwhile
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record
from tests.reimbursements import FEED, SYSTEM, URL, by_ins, fed, feed, line
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record while time stands still, at noon of 2 March 2026."""
    return open_record(api, stack)


def get(record: FedRecord, identity: str, as_: Caller = None) -> Response:
    return record.api.get(f"{URL}/{identity}", as_=as_ or record.patient)


def search(record: FedRecord, query: str = "", as_: Caller = None, **options: Any) -> Response:
    return record.api.get(f"{URL}?patient={record.id}{query}", as_=as_ or record.patient, **options)


def found(record: FedRecord, query: str = "") -> list[str]:
    answer = search(record, query)
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.resources]


def lines_of(record: FedRecord) -> list[Json]:
    return [item for item in record.items() if item["sk"]["S"].startswith("B#")]


# --- feeding


def test_a_line_that_is_fed_is_read_as_it_was_sent(record: FedRecord) -> None:
    body = line(record.id)

    made = fed(record.api, body)

    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["last-modified"] == "Mon, 02 Mar 2026 12:00:00 GMT"
    assert made.headers["location"] == f"https://dmp.example{URL}/{made.id}/_history/1"
    told = get(record, made.id)
    assert (told.status, told.json) == (200, made.json)
    assert {name: value for name, value in told.json.items() if name in body} == body
    assert [coding["code"] for coding in told.json["meta"]["security"]] == ["N"]
    assert get(record, f"{made.id}/_history/1").json == made.json
    assert get(record, f"{made.id}/_history/2").status == 404


def test_the_same_line_again_is_the_first_one(record: FedRecord) -> None:
    body = line(record.id)
    made = fed(record.api, body)

    again = feed(record.api, {**body, "id": "other", "meta": {"versionId": "7"}, "patient": by_ins(record.ins)})

    assert (again.status, again.json) == (200, made.json)
    assert again.headers["location"] == made.headers["location"]
    assert len(lines_of(record)) == 1


def test_other_content_under_the_same_identifier_clashes(record: FedRecord) -> None:
    made = fed(record.api, line(record.id, identifier="one"))

    clashes = [
        feed(record.api, line(record.id, identifier="one", act="CS")),
        feed(record.api, line(record.id, identifier="one", care="2026-02-17")),
        feed(record.api, line(record.id, identifier="one", status="cancelled")),
    ]
    elsewhere = feed(record.api, line(open_record(record.api, record.stores).id, identifier="one", act="CS"))

    assert {(r.status, r.code) for r in clashes} == {(409, "duplicate-unique-id")}
    assert found(record) == [made.id]
    assert elsewhere.status == 201


def test_a_line_without_an_identifier_is_known_by_what_it_says(record: FedRecord) -> None:
    body = {name: value for name, value in line(record.id).items() if name != "identifier"}
    made = fed(record.api, body)

    again, other = feed(record.api, body), feed(record.api, {**body, "created": "2026-02-21"})

    assert (again.status, again.id, other.status) == (200, made.id, 201)


def test_a_conditional_creation_finds_what_is_there(record: FedRecord) -> None:
    condition = {"If-None-Exist": f"identifier={SYSTEM}|one"}
    made = feed(record.api, line(record.id, identifier="one"), headers=condition)

    match = feed(record.api, line(record.id, identifier="one", act="CS"), headers=condition)
    under_a_name = feed(record.api, line(record.id), headers={"If-None-Exist": f"identifier={SYSTEM}|two"})
    by_that_name = feed(record.api, line(record.id, act="CS"), headers={"If-None-Exist": f"identifier={SYSTEM}|two"})
    other = feed(record.api, line(record.id), headers={"If-None-Exist": "status=active"})

    assert (made.status, match.status, match.json) == (201, 200, made.json)
    assert (under_a_name.status, by_that_name.status, by_that_name.id) == (201, 200, under_a_name.id)
    assert (other.status, other.code) == (400, "unsupported-criterion")


def test_of_two_that_race_one_is_new(record: FedRecord) -> None:
    body, first = line(record.id), []

    with meanwhile("TransactWriteItems", lambda: first.append(feed(record.api, body))):
        second = feed(record.api, body)

    assert (first[0].status, second.status, second.json) == (201, 200, first[0].json)
    assert len(lines_of(record)) == 1


def test_the_patient_is_named_in_any_way(record: FedRecord) -> None:
    identifier = {"system": INS_NIR_TEST, "value": record.ins}
    ways: list[Json] = [
        {"reference": f"Patient/{record.id}"},
        {"reference": f"https://dmp.example/fhir/Patient/{record.id}"},
        by_ins(record.ins),
        {"identifier": identifier, "display": "PAT-TEST"},
        {"reference": f"Patient/{record.id}", "identifier": identifier},
    ]

    made = [fed(record.api, line(way)) for way in ways]

    assert {one.json["patient"]["reference"] for one in made} == {f"Patient/{record.id}"}
    assert record.ins not in made[3].body.decode()


def test_who_is_not_there_is_told_apart(record: FedRecord) -> None:
    other = bodies.new_ins()
    real = {"identifier": {"system": INS_NIR, "value": "284067505608800"}}
    two = {"reference": f"Patient/{record.id}", "identifier": {"system": INS_NIR_TEST, "value": other}}

    answers = {
        "unknown person": feed(record.api, line(by_ins(other))),
        "unknown record": feed(record.api, line("0" * 26)),
        "wrong key": feed(record.api, line(real)),
        "somebody else": feed(record.api, line(two)),
        "nobody": feed(record.api, line({"display": "PAT-TEST"})),
    }

    assert {who: (r.status, r.code) for who, r in answers.items()} == {
        "unknown person": (404, "no-record"),
        "unknown record": (404, "no-record"),
        "wrong key": (422, "ins-invalid"),
        "somebody else": (422, "ins-mismatch"),
        "nobody": (422, "unknown-reference"),
    }
    assert lines_of(record) == []


def test_people_without_a_record_do_not_count_against_the_feed(record: FedRecord) -> None:
    def calls_of(caller: Caller) -> list[str]:
        with counted() as calls:
            answer = feed(record.api, line(by_ins(bodies.new_ins())), caller)
        assert (answer.status, answer.code) == (404, "no-record")
        return calls

    assert calls_of(FEED) == ["GetItem"]
    assert calls_of(STRANGER) == ["GetItem", "UpdateItem"]


BROKEN: dict[str, dict[str, Any]] = {
    "status": {"status": "paid"},
    "type": {"type": None},
    "use": {"use": None},
    "created": {"created": "yesterday"},
    "insurer": {"insurer": None},
    "provider": {"provider": None},
    "outcome": {"outcome": "good"},
    "insurance": {"insurance": None},
    "mood": {"mood": "sunny"},
    "item[0].productOrService": {"item": [{"sequence": 1}]},
    "item[0].servicedDate": {"item": [{"sequence": 1, "productOrService": {"text": "x"}, "servicedDate": "16/02"}]},
    "total": {"total": []},
    "disposition": {"disposition": ""},
}


@pytest.mark.parametrize("place", BROKEN)
def test_a_line_that_breaks_the_model_is_refused_with_its_place(record: FedRecord, place: str) -> None:
    answer = feed(record.api, line(record.id, **BROKEN[place]))

    assert (answer.status, answer.code) == (422, "invalid-resource")
    assert answer.json["issue"][0]["expression"] == [f"ExplanationOfBenefit.{place}"]
    assert lines_of(record) == []


def test_a_whole_line_keeps_every_element(record: FedRecord) -> None:
    body = whole_line(record.id)

    made = fed(record.api, body)

    assert {name: value for name, value in made.json.items() if name not in ("id", "meta")} == body


def whole_line(patient: str) -> Json:
    """A line with an element of each kind, contained people and cover."""
    concept, money, somebody = {"text": "x"}, {"value": 1.5, "currency": "EUR"}, {"reference": "#doctor"}
    paid = [{"category": concept, "reason": concept, "amount": money, "value": 0.7}]
    priced = {
        "productOrService": concept,
        "modifier": [concept],
        "quantity": {"value": 2},
        "unitPrice": money,
        "factor": 1.0,
        "net": money,
        "noteNumber": [1],
        "adjudication": paid,
    }
    part = {"sequence": 1, "revenue": concept, "category": concept, "programCode": [concept], **priced}
    cover = {
        "resourceType": "Coverage",
        "id": "cover",
        "status": "active",
        "beneficiary": {"display": "PAT-TEST"},
        "payor": [{"display": "CNAM"}],
        "class": [{"type": concept, "value": "1"}],
    }
    return line(patient) | {
        "contained": [
            {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "MARTIN"}]},
            cover,
        ],
        "subType": concept,
        "billablePeriod": {"start": "2026-02-16", "end": "2026-02-17"},
        "enterer": somebody,
        "provider": somebody,
        "priority": concept,
        "related": [{"claim": {"display": "x"}, "relationship": concept, "reference": {"value": "1"}}],
        "payee": {"type": concept, "party": somebody},
        "facility": {"display": "Cabinet"},
        "disposition": "Payé",
        "preAuthRef": ["A1"],
        "careTeam": [{"sequence": 1, "provider": somebody, "responsible": True, "role": concept}],
        "supportingInfo": [
            {
                "sequence": 1,
                "category": concept,
                "timingDate": "2026-02-16",
                "valueString": "x",
                "reason": {"code": "a"},
            }
        ],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": concept, "type": [concept]}],
        "procedure": [{"sequence": 1, "date": "2026-02-16", "procedureCodeableConcept": concept}],
        "precedence": 1,
        "insurance": [{"focal": True, "coverage": {"reference": "#cover"}, "preAuthRef": ["A1"]}],
        "accident": {"date": "2026-02-15", "type": concept, "locationAddress": {"city": "Reims"}},
        "item": [
            {
                **part,
                "servicedPeriod": {"start": "2026-02-16", "end": "2026-02-17"},
                "locationCodeableConcept": concept,
                "bodySite": concept,
                "subSite": [concept],
                "careTeamSequence": [1],
                "detail": [{**part, "subDetail": [part]}],
            }
        ],
        "addItem": [
            {**priced, "itemSequence": [1], "servicedDate": "2026-02-16", "detail": [{**priced, "subDetail": [priced]}]}
        ],
        "adjudication": paid,
        "payment": {
            "type": concept,
            "adjustment": money,
            "adjustmentReason": concept,
            "date": "2026-02-19",
            "amount": money,
            "identifier": {"value": "1"},
        },
        "processNote": [{"number": 1, "type": "display", "text": "x"}],
        "benefitPeriod": {"start": "2026-01-01", "end": "2026-12-31"},
        "benefitBalance": [
            {"category": concept, "excluded": False, "financial": [{"type": concept, "allowedMoney": money}]}
        ],
    }


def test_a_closed_record_is_not_fed(record: FedRecord) -> None:
    made = fed(record.api, line(record.id))
    motive = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})
    record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient)

    answers = [
        feed(record.api, line(record.id)),
        feed(record.api, line(by_ins(record.ins))),
        feed(record.api, line(record.id, status="paid")),
        get(record, made.id),
        search(record),
    ]

    assert {(r.status, r.code) for r in answers} == {(403, "record-closed")}
    told = [entry for entry in record.trace() if entry["reason"] == "record-closed" and entry["action"] == "C"]
    assert len(told) == 3


def test_a_line_is_traced_with_who_fed_it(record: FedRecord, clock: TimeMachineFixture) -> None:
    made = fed(record.api, line(record.id))
    clock.shift(1)
    feed(record.api, made.json)
    clock.shift(1)
    get(record, made.id)
    clock.shift(1)
    search(record, "&item-code=GS")

    told = [entry for entry in record.trace() if entry["type"] == "ExplanationOfBenefit"]

    assert [(entry["act"], entry["action"], entry["reason"]) for entry in told] == [
        ("create", "C", "reimbursing"),
        ("create", "C", "reimbursing"),
        ("read", "R", "patient"),
        ("search", "E", "patient"),
    ]
    assert told[0]["what"] == told[1]["what"] == [f"ExplanationOfBenefit/{made.id}"]
    assert told[0]["purpose"] == "HPAYMT"
    assert told[3]["query"] == f"item-code=GS&patient={record.id}"
    events = record.api.get(
        f"/fhir/AuditEvent?patient={record.id}&entity=ExplanationOfBenefit/{made.id}", as_=record.patient
    )
    assert len(events.resources) == 3


# --- who may


def test_lines_are_read_by_those_whom_the_matrix_and_the_patient_let(record: FedRecord) -> None:
    made = fed(record.api, line(record.id))
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    blocked = requester_professional("10107777777", "1310000007")
    record.authorise(blocked)
    record.block(blocked)
    orthoptist = requester_professional("10108888888", "1310000008", profession="28")
    record.authorise(orthoptist)
    callers = {
        "patient": record.patient,
        "médecin traitant": AUTHOR,
        "authorised": SPECIALIST,
        "authorised, not habilitated": orthoptist,
        "without a right": STRANGER,
        "blocked": blocked,
        "stranger": requester_patient(bodies.qualified(bodies.new_ins())),
        "employee": requester_employee(),
        "server": requester_server(),
        "agent": requester_cpam_agent(),
        "feed": FEED,
    }

    read = {who: get(record, made.id, caller) for who, caller in callers.items()}
    sought = {who: search(record, "", caller) for who, caller in callers.items()}
    fed_by = {who: feed(record.api, line(record.id), caller) for who, caller in callers.items() if caller is not FEED}

    refused = {"without a right": 403, "blocked": 403, "employee": 403, "server": 403, "agent": 403, "feed": 403}
    permitted = dict.fromkeys(("patient", "médecin traitant", "authorised"), 200)
    assert {who: r.status for who, r in read.items()} == {
        **permitted,
        **refused,
        "authorised, not habilitated": 403,
        "stranger": 404,
    }
    assert read["authorised, not habilitated"].code == "not-habilitated"
    assert {who: r.status for who, r in sought.items()} == {
        **permitted,
        **refused,
        "authorised, not habilitated": 200,
        "stranger": 404,
    }
    assert sought["authorised, not habilitated"].resources == []
    assert {who: r.status for who, r in fed_by.items()} == dict.fromkeys(fed_by, 403) | {"stranger": 404}
    assert len(lines_of(record)) == 1


def test_an_emergency_shows_the_lines(record: FedRecord) -> None:
    made = fed(record.api, line(record.id))
    reason = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Patient inconscient"})
    record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", reason, as_=STRANGER)

    assert [one["id"] for one in search(record, "", STRANGER).resources] == [made.id]


def test_a_line_that_is_not_there_looks_like_one_that_may_not_be_known(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    missing = f"{record.id}.{'0' * 26}"

    answers = {who: get(record, missing, who) for who in (record.patient, SPECIALIST, STRANGER)}

    assert [(r.status, r.code) for r in answers.values()] == [
        (404, "not-found"),
        (404, "not-found"),
        (404, "not-found"),
    ]
    assert get(record, "x").status == 404


def test_nothing_of_a_line_is_changed_or_deleted(record: FedRecord) -> None:
    made = fed(record.api, line(record.id))

    answers = [
        record.api.put(f"{URL}/{made.id}", made.json, as_=FEED),
        record.api.patch(f"{URL}/{made.id}", [], as_=FEED),
        record.api.delete(f"{URL}/{made.id}", as_=FEED),
    ]

    assert {r.status for r in answers} == {405}


# --- searching


def test_lines_are_found_by_date_and_act_newest_care_first(record: FedRecord) -> None:
    cases = [("2025-03-01", "GS"), ("2026-01-10", "CS"), ("2025-12-24", "GS"), ("2026-02-28", "GS")]
    ids = {care: fed(record.api, line(record.id, care=care, act=act)).id for care, act in cases}
    order = ["2026-02-28", "2026-01-10", "2025-12-24", "2025-03-01"]

    def cares(query: str) -> list[str]:
        of = {identity: care for care, identity in ids.items()}
        return [of[identity] for identity in found(record, query)]

    assert cares("") == order
    assert cares("&_sort=service-date") == order[::-1]
    assert cares("&service-date=ge2026-01-01") == cares("&date=ge2026-01-01") == order[:2]
    assert cares("&service-date=2026-01-10") == ["2026-01-10"]
    assert cares("&service-date=ge2025-12-01&service-date=lt2026-02-28") == ["2026-01-10", "2025-12-24"]
    assert cares("&item-code=GS") == cares("&act=https://insurer.example/acts|GS") == [order[0], order[2], order[3]]
    assert cares("&item-code=CS,XX&date=2026") == ["2026-01-10"]
    assert cares("&item-code=XX") == []
    assert cares("&created=2026-02-20") == order
    assert cares("&_lastUpdated=lt2026-03-02") == []
    assert cares(f"&_id={ids['2026-01-10']}") == ["2026-01-10"]
    assert cares("&provider.identifier=810101234567&status=active&type=professional") == order
    assert cares("&provider:identifier=urn:oid:1.2.250.1.71.4.2.1|810000000000") == []


def test_an_identifier_finds_its_line_and_links_carry_no_ins(record: FedRecord) -> None:
    made = fed(record.api, line(record.id, identifier="one"))
    fed(record.api, line(record.id))
    form = {"patient.identifier": bodies.qualified(record.ins), "identifier": f"{SYSTEM}|one"}

    answer = record.api.search(URL, form, as_=record.patient)

    assert [one["id"] for one in answer.resources] == [made.id]
    assert answer.json["total"] == 1
    assert answer.links["self"] == f"https://dmp.example{URL}?patient={record.id}&identifier={SYSTEM}%7Cone"
    assert record.api.get(URL, as_=record.patient).code == "missing-parameter"
    assert search(record, "&colour=red", headers={"Prefer": "handling=strict"}).code == "unknown-parameter"


def test_pages_hold_every_line_once(record: FedRecord) -> None:
    made = [fed(record.api, line(record.id, care=f"2026-01-{day:02}")).id for day in range(1, 16)]

    pages, url = [], f"{URL}?patient={record.id}&_count=4"
    while url:
        pages.append(record.api.get(url, as_=record.patient))
        url = pages[-1].links.get("next", "")

    assert [one["id"] for page in pages for one in page.resources] == made[::-1]
    assert [len(page.resources) for page in pages] == [4, 4, 4, 3]
    assert "total" not in pages[0].json
    assert search(record, "&_count=4&_total=accurate").json["total"] == 15
    following = pages[0].links["next"]
    foreign = [record.api.get(following, as_=AUTHOR), record.api.get(following + "x", as_=record.patient)]
    assert {(r.status, r.code) for r in foreign} == {(400, "invalid-cursor")}


def calls_of(ask: Callable[[], Response]) -> list[str]:
    with counted() as calls:
        ask()
    return calls


def test_the_calls_of_a_line_are_few(record: FedRecord) -> None:
    made = fed(record.api, line(record.id))
    body = line(record.id)
    requests: dict[str, Callable[[], Response]] = {
        "feed": lambda: feed(record.api, body),
        "feed again": lambda: feed(record.api, body),
        "read": lambda: get(record, made.id),
        "search": lambda: search(record, "&date=2026&item-code=GS"),
    }

    calls = {what: calls_of(ask) for what, ask in requests.items()}

    assert calls == {
        "feed": ["BatchGetItem", "TransactWriteItems"],
        "feed again": ["BatchGetItem", "PutItem", "BatchGetItem"],
        "read": ["BatchGetItem", "PutItem"],
        "search": ["GetItem", "Query", "PutItem"],
    }

"""The trace: who reads it, what a search of it finds, and that nobody changes it."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, refused
from tests.requester_factories import requester_patient, requester_professional, requester_server

HEALER = requester_professional()
STRANGER = requester_professional("10107654321", "1310000003")
HOSPITAL = requester_server("1690000005")
PSEUDONYM = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-person"


class Case:
    """One record with a trace: opened, authorised, and read by a professional."""

    def __init__(self, api: ApiClient, clock: TimeMachineFixture) -> None:
        self.api = api
        self.clock = clock
        self.ins = bodies.new_ins()
        self.patient = requester_patient(bodies.qualified(self.ins))
        self.record = self.done(api.post("/fhir/Patient/$open", bodies.opening(self.ins), as_=self.patient)).id
        self.later()
        consent = self.done(api.post("/fhir/Consent", bodies.authorisation(self.record), as_=self.patient))
        self.consent = f"Consent/{consent.id}"
        self.later()

    @staticmethod
    def done(response: Response) -> Response:
        assert response.status < 300, response.body
        return response

    def later(self, seconds: float = 60) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    def read(self, as_: Requester = HEALER, **headers: str) -> Response:
        """A request that leaves one entry."""
        answer = self.api.get(f"/fhir/Patient/{self.record}", as_=as_, headers=headers)
        self.later()
        return answer

    def search(self, as_: Requester | None = None, headers: dict[str, str] | None = None, **values: Any) -> Response:
        query = urlencode({"patient": self.record, **values}, doseq=True)
        return self.api.get(f"/fhir/AuditEvent?{query}", as_=as_ or self.patient, headers=headers)

    def found(self, **values: Any) -> list[dict[str, Any]]:
        response = self.done(self.search(**values))
        self.later()
        return response.resources


@pytest.fixture
def case(api: ApiClient, clock: TimeMachineFixture) -> Case:
    return Case(api, clock)


def interactions(events: list[dict[str, Any]]) -> list[str]:
    return [event["subtype"][0]["code"] for event in events]


def requesting(event: dict[str, Any]) -> dict[str, Any]:
    [agent] = [one for one in event["agent"] if one["requestor"]]
    return dict(agent["who"])


def test_the_patient_finds_every_access_newest_first(case: Case) -> None:
    case.read()

    events = case.found()

    assert interactions(events) == ["read", "create", "open"]
    assert [event["recorded"] for event in events] == sorted((e["recorded"] for e in events), reverse=True)
    assert requesting(events[0])["identifier"]["value"] == HEALER.identifier.value
    assert requesting(events[2]) == {"reference": f"Patient/{case.record}", "display": case.patient.name}


def test_a_refusal_is_one_event_with_outcome_8(case: Case) -> None:
    assert case.read(STRANGER).status == 403

    [event] = case.found(outcome="8")

    assert requesting(event)["identifier"]["value"] == STRANGER.identifier.value
    assert event["outcomeDesc"] == "Refus : aucune autorisation en cours."


def test_the_request_id_of_a_client_is_found_in_its_event(case: Case) -> None:
    answer = case.read(HEALER, **{"X-Request-Id": "call-4711"})

    [event] = case.found(_count=1)
    assert answer.headers["x-request-id"] == "call-4711"
    assert {"value": "call-4711"} in [one.get("what", {}).get("identifier") for one in event["entity"]]


def test_an_event_rests_on_the_consent_that_permitted_it(case: Case) -> None:
    case.read()

    events = case.found(entity=case.consent)

    assert interactions(events) == ["read", "create"]


def test_reading_the_trace_is_traced(case: Case) -> None:
    case.found(outcome="0")

    [event, *_] = case.found()

    assert requesting(event)["reference"] == f"Patient/{case.record}"
    [query] = [one["query"] for one in event["entity"] if "query" in one]
    assert parse_qsl(base64.b64decode(query).decode()) == [("outcome", "0"), ("patient", case.record)]
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")


def test_one_event_is_read_by_its_id_and_that_is_traced(case: Case) -> None:
    [first, *_] = case.found()

    read = case.api.get(f"/fhir/AuditEvent/{first['id']}", as_=case.patient)
    case.later()

    assert read.json == first
    assert read.headers["etag"] == 'W/"1"'
    assert f"AuditEvent/{first['id']}" in [
        one.get("what", {}).get("reference") for one in case.found(_count=1)[0]["entity"]
    ]


def test_the_medecin_traitant_reads_the_trace_and_an_authorised_professional_does_not(case: Case) -> None:
    assert case.search(HEALER).status == 403
    case.later()
    case.done(case.api.post("/fhir/Consent", bodies.attending_physician(case.record), as_=case.patient))
    case.later()

    assert case.search(HEALER).status == 200


@pytest.mark.parametrize("stranger", [STRANGER, HOSPITAL, requester_professional("10101234599")])
def test_nobody_else_reads_the_trace_and_the_attempt_is_in_it(case: Case, stranger: Requester) -> None:
    answer = case.search(stranger)
    case.later()

    assert (answer.status, answer.code) == (403, "not-authorised")
    assert requesting(case.found(_count=1)[0])["identifier"]["value"] == stranger.identifier.value


def test_to_another_person_the_record_does_not_exist(case: Case) -> None:
    other = requester_patient(bodies.qualified(bodies.new_ins()))
    [event, *_] = case.found()

    for answer in (case.search(other), case.api.get(f"/fhir/AuditEvent/{event['id']}", as_=other)):
        assert (answer.status, answer.code) == (404, "no-record")
        case.later()
    [attempt, *_] = case.found(outcome="8")
    assert requesting(attempt)["identifier"]["system"] == PSEUDONYM


def test_the_patient_reads_the_trace_of_a_closed_record(case: Case) -> None:
    motive = {"resourceType": "Parameters", "parameter": [{"name": "motive", "valueCode": "patient-demande"}]}
    case.done(case.api.post(f"/fhir/Patient/{case.record}/$close", motive, as_=case.patient))
    case.later()

    assert interactions(case.found()) == ["close", "create", "open"]
    assert case.search(HEALER).status == 403


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"action": "C"}, ["create", "open"]),
        ({"action": "R"}, ["read"]),
        ({"action": "R,C"}, ["read", "create", "open"]),
        ({"type": "110113"}, []),
        ({"type": "http://terminology.hl7.org/CodeSystem/audit-event-type|rest"}, ["read", "create", "open"]),
        ({"outcome": "0", "action": "C"}, ["create", "open"]),
        ({"agent": f"{HEALER.identifier}"}, ["read"]),
        ({"agent": HEALER.identifier.value}, ["read"]),
        ({"agent": f"{HEALER.structure}"}, ["read"]),
        ({"agent": "urn:oid:1.2.3|810101234567"}, []),
        ({"date": "2026-03-02", "_count": "2"}, ["read", "create"]),
        ({"date": "2026-03-01"}, []),
        ({"date": "ge2026-03-02T12:01:00Z"}, ["read", "create"]),
        ({"date": "gt2026-03-02T12:01:00Z"}, ["read"]),
        ({"date": "lt2026-03-02T12:01:00Z"}, ["open"]),
        ({"date": "le2026-03-02T12:01:00Z"}, ["create", "open"]),
        ({"date": ["ge2026-03-02T12:01:00Z", "lt2026-03-02T12:02:00Z"]}, ["create"]),
        ({"date": ["ge2027", "le2025"]}, []),
        ({"date": "ne2026-03-02T12:01:00Z"}, ["read", "open"]),
        ({"agent": "nobody"}, []),
    ],
)
def test_a_search_finds_what_its_parameters_mean(case: Case, values: dict[str, Any], expected: list[str]) -> None:
    case.read()

    assert interactions(case.found(**values)) == expected


def test_the_patient_is_found_as_agent_and_as_entity(case: Case) -> None:
    case.read()

    assert interactions(case.found(agent=f"Patient/{case.record}")) == ["create", "open"]
    assert len(case.found(entity=f"Patient/{case.record}", action="C,R")) == 3


@pytest.mark.parametrize("narrowing", [{}, {"action": "R"}, {"agent": HEALER.identifier.value, "outcome": "0"}])
def test_pages_hold_every_event_once(case: Case, narrowing: dict[str, Any]) -> None:
    for _ in range(7):
        case.read()
    values = {"date": "lt2026-03-02T12:09:00Z", **narrowing}
    whole = case.found(**values)

    pages = [case.done(case.search(**values, _count="3"))]
    while "next" in pages[-1].links:
        case.later()
        pages.append(case.done(case.api.get(pages[-1].links["next"], as_=case.patient)))

    assert len(whole) >= 7
    assert [event["id"] for page in pages for event in page.resources] == [event["id"] for event in whole]
    assert [len(page.resources) for page in pages[:-1]] == [3] * (len(pages) - 1)


def test_a_page_by_ins_continues_without_it(case: Case) -> None:
    case.read()
    form = {"patient.identifier": bodies.qualified(case.ins), "_count": "1"}

    first = case.done(case.api.search("/fhir/AuditEvent", form, as_=case.patient))
    following = case.done(case.api.get(first.links["next"], as_=case.patient))

    assert case.ins not in json.dumps(first.json)
    assert parse_qsl(urlsplit(first.links["self"]).query) == [("patient", case.record), ("_count", "1")]
    assert first.resources[0]["id"] != following.resources[0]["id"]


def test_a_cursor_serves_nobody_else_and_no_other_query(case: Case, clock: TimeMachineFixture) -> None:
    case.read()
    link = case.done(case.search(_count="1")).links["next"]
    case.done(case.api.post("/fhir/Consent", bodies.attending_physician(case.record), as_=case.patient))
    other = Case(case.api, clock)
    cursor = dict(parse_qsl(urlsplit(link).query))["_cursor"]

    altered = [
        case.api.get(link, as_=HEALER),
        case.search(_count="2", _cursor=cursor),
        case.search(_count="1", outcome="0", _cursor=cursor),
        case.search(_count="1", _cursor=cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")),
        case.search(_count="1", _cursor="nonsense"),
        other.search(_count="1", _cursor=cursor),
    ]

    assert {(answer.status, answer.code) for answer in altered} == {(400, "invalid-cursor")}


def test_the_total_is_told_when_it_is_known_or_asked_for(case: Case) -> None:
    case.read()

    whole = case.search(_count="50")
    case.later()
    part = case.search(_count="1")
    case.later()
    asked = case.search(_count="1", _total="accurate")
    case.later()
    narrowed = case.search(_count="1", _total="accurate", action="C")

    assert whole.json["total"] == 3
    assert "total" not in part.json
    assert asked.json["total"] == 5
    assert narrowed.json["total"] == 2


@pytest.mark.parametrize("query", ["", "outcome=8", "patient=", "entity=Patient/x"])
def test_a_search_without_a_patient_is_refused_by_name(case: Case, query: str) -> None:
    answer = case.api.get(f"/fhir/AuditEvent?{query}", as_=case.patient)

    assert (answer.status, answer.code) == (400, "missing-parameter")
    assert answer.json["issue"][0]["expression"] == ["http.patient"]


@pytest.mark.parametrize("query", ["patient=unknown", f"patient={'0' * 26}", "patient.identifier=urn:oid:1.2.3|x"])
def test_an_unknown_patient_is_no_record(case: Case, query: str) -> None:
    answer = case.api.get(f"/fhir/AuditEvent?{query}", as_=case.patient)

    assert (answer.status, answer.code) == (404, "no-record")


def test_an_unknown_parameter_is_left_out_of_self_or_refused_when_strict(case: Case) -> None:
    lenient = case.search(site="Lyon")
    strict = case.search(headers={"Prefer": "handling=strict"}, site="Lyon")

    assert "site" not in lenient.links["self"]
    assert (strict.status, strict.code) == (400, "unknown-parameter")


@pytest.mark.parametrize("identity", ["x", "0" * 26, f"{'0' * 26}.{'0' * 26}", "%24other", "_search"])
def test_an_unknown_event_is_not_found(case: Case, identity: str) -> None:
    assert case.api.get(f"/fhir/AuditEvent/{identity}", as_=case.patient).status in (404, 405)
    assert case.api.get(f"/fhir/AuditEvent/{case.record}.{'0' * 26}", as_=case.patient).status == 404


def test_nobody_writes_changes_or_deletes_an_event(case: Case) -> None:
    [event, *_] = case.found()
    place = f"/fhir/AuditEvent/{event['id']}"
    patch = [{"op": "replace", "path": "/outcome", "value": "8"}]

    answers = [
        case.api.post("/fhir/AuditEvent", event, as_=case.patient),
        case.api.put(place, event, as_=case.patient),
        case.api.patch(place, patch, as_=case.patient),
        case.api.delete(place, as_=case.patient),
        case.api.delete(f"/fhir/AuditEvent?patient={case.record}", as_=case.patient),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(405, "method-not-allowed")}
    assert case.api.get(place, as_=case.patient).json == event


def test_without_a_token_nothing_is_told(case: Case) -> None:
    answer = case.api.get(f"/fhir/AuditEvent?patient={case.record}")

    assert answer.status == 401


@pytest.mark.parametrize("more", [0, 60])
def test_a_page_costs_the_head_one_query_and_one_put(case: Case, stack: dict[str, str], more: int) -> None:
    fill(case, stack, more)
    case.search()

    with counted() as calls:
        page = case.search(_count="50")

    assert page.status == 200
    assert calls == ["GetItem", "Query", "PutItem"]


def test_an_event_costs_two_gets_and_one_put(case: Case) -> None:
    [event, *_] = case.found()

    with counted() as calls:
        case.api.get(f"/fhir/AuditEvent/{event['id']}", as_=case.patient)

    assert calls == ["GetItem", "GetItem", "PutItem"]


def test_a_trace_that_cannot_be_written_is_not_shown(case: Case) -> None:
    with refused("PutItem"):
        answer = case.search()

    assert (answer.status, answer.code) == (503, "service-unavailable")


def fill(case: Case, stack: dict[str, str], count: int) -> None:
    """Copies of an entry, as `count` further reads would leave them."""
    table = boto3.client("dynamodb")
    pk = {"S": f"R#{case.record}"}
    [item, *_] = table.query(
        TableName=stack["AUDIT_TABLE"], KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": pk}
    )["Items"]
    entry = json.loads(item["entry"]["S"])
    for number in range(count):
        local = entry["id"][:-4] + f"{number:04d}"
        body = json.dumps(entry | {"id": local})
        table.put_item(TableName=stack["AUDIT_TABLE"], Item={"pk": pk, "sk": {"S": local}, "entry": {"S": body}})


def test_a_look_at_an_entry_that_is_not_there_is_traced(case: Case) -> None:
    missing = f"AuditEvent/{case.record}.{'0' * 26}"

    answer = case.api.get(f"/fhir/{missing}", as_=case.patient)

    newest = case.found()[0]
    assert answer.status == 404
    assert missing in [entity["what"].get("reference") for entity in newest["entity"]]

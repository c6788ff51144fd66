"""$emergency-access: break-glass and centre 15, for an hour, with a reason, and told at once (R.1111-48)."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws, record_items
from dmp.domain.consent import ConsentKind, Directive, Grantor
from dmp.domain.identifiers import PS_IDNAT, local_id, professional
from dmp.domain.record import Record
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import answer_lost, counted, meanwhile
from tests.aws_stack import forget_handlers
from tests.conftest import NOON
from tests.fed_record import AUTHOR, STRANGER, FedRecord, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

HEALER = requester_professional("10108880001", "1690000005", name="Noa BERNARD")
"""Of this module alone: what one professional declares in an hour is counted."""
REGULATOR = requester_professional("10105555555", "1940000009", name="Lou SAMU", regulates_emergency_calls=True)
HOUR = timedelta(hours=1)
INSTANT = timedelta(milliseconds=1)
REASON = "Patient inconscient, sans accompagnant"
PHARMACY = "75496-0"
REVOKE = [{"op": "replace", "path": "/status", "value": "inactive"}]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    return open_record(api, stack)


def declaration(mode: str | None = "BTG", reason: str | None = REASON, **others: Json) -> Json:
    values: Json = {"mode": {"valueCode": mode}, "reason": {"valueString": reason}, **others}
    return bodies.parameters(**{name: value for name, value in values.items() if None not in value.values()})


def declare(record: FedRecord, as_: Requester = HEALER, mode: str = "BTG", **headers: str) -> Response:
    url = f"/fhir/Patient/{record.id}/$emergency-access"
    return record.api.post(url, declaration(mode), as_=as_, headers=headers)


def declared(record: FedRecord, as_: Requester = HEALER, mode: str = "BTG") -> Response:
    answer = declare(record, as_, mode)
    assert answer.status == 201, answer.body
    return answer


def decided(record: FedRecord, kind: str, permit: str, purpose: str, as_: Requester | None = None) -> str:
    """The patient's choice about emergencies."""
    body = bodies.consent(record.id, kind, permit, None, "", purpose=[{"system": PURPOSES, "code": purpose}])
    answer = record.api.post("/fhir/Consent", body, as_=as_ or record.patient)
    assert answer.status == 201, answer.body
    return answer.id


PURPOSES = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def status(record: FedRecord, document: str, as_: Requester = HEALER) -> tuple[int, str]:
    answer = record.api.get(f"/fhir/DocumentReference/{document}", as_=as_)
    return answer.status, "" if answer.status == 200 else answer.code


def emergencies(record: FedRecord) -> dict[str, str]:
    """Every emergency Consent of a record with its status, oldest first."""
    items = [item for item in record.items() if item["sk"]["S"].startswith("C#")]
    found = {item["local"]["S"]: (json.loads(item["body"]["S"])["directive"][1], item["st"]["S"]) for item in items}
    return {local: status for local, (kind, status) in found.items() if kind == "emergency"}


def in_head(record: FedRecord) -> list[str]:
    """The emergencies that the head holds, by local id."""
    return [d.consent for d in head(record).directives if d.kind is ConsentKind.EMERGENCY]


def head(record: FedRecord) -> Record:
    return record_items.read_record(next(item for item in record.items() if item["sk"]["S"] == "D~"))


def purposes(event: Json) -> list[str]:
    return [concept["coding"][0]["code"] for concept in event["agent"][0].get("purposeOfUse", [])]


def events(record: FedRecord, query: str = "") -> list[Json]:
    answer = record.api.get(f"/fhir/AuditEvent?patient={record.id}&_count=100{query}", as_=record.patient)
    assert answer.status == 200, answer.body
    return answer.resources


class TestBreakGlass:
    def test_it_answers_the_consent_that_opens_the_record_for_an_hour(self, record: FedRecord) -> None:
        answer = declared(record)

        consent = answer.json
        assert answer.headers["location"] == f"https://dmp.example/fhir/Consent/{consent['id']}/_history/1"
        assert (answer.headers["etag"], answer.headers["last-modified"]) == ('W/"1"', "Mon, 02 Mar 2026 12:00:00 GMT")
        assert consent["category"][1]["coding"][0]["code"] == "emergency"
        assert consent["patient"] == {"reference": f"Patient/{record.id}"}
        assert consent["performer"][0]["identifier"]["value"] == HEALER.identifier.value
        assert base64.b64decode(consent["sourceAttachment"]["data"]).decode() == REASON
        provision = consent["provision"]
        assert provision["type"] == "permit"
        assert provision["actor"][0]["reference"]["identifier"]["value"] == HEALER.identifier.value
        assert [purpose["code"] for purpose in provision["purpose"]] == ["BTG"]
        start, end = provision["period"]["start"], provision["period"]["end"]
        assert (start[11:19], end[11:19]) == ("12:00:00", "13:00:00")
        assert record.api.get(f"/fhir/Consent/{consent['id']}", as_=HEALER).json == consent
        assert record.api.get(f"/fhir/Consent/{consent['id']}", as_=record.patient).json == consent

    def test_it_opens_what_the_matrix_permits_until_the_minute(
        self, record: FedRecord, clock: TimeMachineFixture
    ) -> None:
        pharmacist = requester_professional("10102222222", "1690000006", profession="21")
        letter, other = record.publish(), record.publish(content=b"%PDF-1.4 other", type_code=PHARMACY)
        assert status(record, letter, pharmacist) == (403, "not-authorised")

        declared(record, pharmacist)

        assert status(record, letter, pharmacist) == (200, "")
        assert status(record, other, pharmacist) == (403, "not-habilitated")
        assert record.found(pharmacist) == [letter]
        assert record.api.get(f"/fhir/Binary/{letter}", as_=pharmacist).body == bodies.PDF
        assert record.api.get(f"/fhir/Patient/{record.id}", as_=pharmacist).status == 200
        assert status(record, letter, STRANGER) == (403, "not-authorised")
        clock.move_to(NOON + HOUR - INSTANT, tick=False)
        assert status(record, letter, pharmacist) == (200, "")
        clock.move_to(NOON + HOUR, tick=False)
        assert status(record, letter, pharmacist) == (403, "not-authorised")
        assert record.find(pharmacist).status == 403

    @pytest.mark.parametrize("choice", [None, "deny"])
    def test_what_is_masked_stays_so(self, record: FedRecord, choice: str | None) -> None:
        document = record.publish()
        record.mask(document)
        if choice:
            decided(record, "masked-in-emergency", choice, "BTG")

        declared(record)

        assert status(record, document) == (404, "no-document")
        assert record.found(HEALER) == []

    def test_what_is_masked_is_shown_where_the_patient_wants_it(self, record: FedRecord) -> None:
        document = record.publish()
        record.mask(document)
        choice = decided(record, "masked-in-emergency", "permit", "BTG")
        record.authorise(HEALER)
        assert status(record, document) == (404, "no-document")

        emergency = declared(record).id

        assert (status(record, document), record.found(HEALER)) == ((200, ""), [document])
        assert status(record, document, STRANGER) == (404, "no-document")
        read = next(e for e in record.trace() if e["act"] == "read" and e["outcome"] == "0")
        assert (read["reason"], read["purpose"]) == ("emergency", "BTG")
        assert read["basis"] == [emergency.partition(".")[2], choice.partition(".")[2]]

    @pytest.mark.parametrize("way", ["opposition", "revocation", "block"])
    def test_the_person_can_end_it_at_once(self, record: FedRecord, way: str) -> None:
        document, consent = record.publish(), declared(record).id
        assert status(record, document) == (200, "")

        match way:
            case "opposition":
                decided(record, "opposition", "deny", "BTG")
            case "revocation":
                record.api.patch(f"/fhir/Consent/{consent}", REVOKE, as_=record.patient)
            case _:
                record.block(HEALER)

        assert status(record, document) == (403, "blocked" if way == "block" else "not-authorised")
        assert emergencies(record) == {consent.partition(".")[2]: "inactive"}

    def test_it_is_refused_where_the_person_opposes_that_mode(self, record: FedRecord) -> None:
        decided(record, "opposition", "deny", "BTG")

        refused, other = declare(record, REGULATOR), declare(record, REGULATOR, "ETREAT")

        assert (refused.status, refused.code) == (403, "emergency-opposed")
        assert other.status == 201
        event = events(record, "&outcome=8")[0]
        assert (purposes(event), event["outcomeDesc"][:7]) == (["BTG"], "Refus :")


def test_centre_15_needs_the_right_to_regulate_and_no_authorisation(record: FedRecord) -> None:
    document = record.publish()
    refused = declare(record, HEALER, "ETREAT")

    declared(record, REGULATOR, "ETREAT")

    assert (refused.status, refused.code) == (403, "not-authorised")
    assert status(record, document, REGULATOR) == (200, "")
    read = next(event for event in events(record) if event["outcome"] == "0" and event["action"] == "R")
    assert purposes(read) == ["ETREAT"]
    # the same person with a token that has lost the right is in no emergency
    assert status(record, document, requester_professional("10105555555", "1940000009")) == (403, "not-authorised")


def test_an_emergency_can_be_declared_by_ins(record: FedRecord) -> None:
    ins = {"valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": record.ins}}

    answer = record.api.post("/fhir/Patient/$emergency-access", declaration(identifier=ins), as_=HEALER)
    escaped = record.api.post("/fhir/Patient/%24emergency-access", declaration(identifier=ins), as_=HEALER)

    assert (answer.status, escaped.status) == (201, 201)
    assert answer.json["patient"] == {"reference": f"Patient/{record.id}"}
    assert record.ins not in answer.body.decode() + str(answer.headers)


REFUSED = {
    "a secretary": (requester_employee(), 403, "not-authorised"),
    "a server": (requester_server(), 403, "not-authorised"),
    "an agent": (requester_cpam_agent(), 403, "not-authorised"),
    "an occupational physician": (
        requester_professional("10106666666", "1690000007", specialties=("SM25",)), 403, "not-authorised",
    ),
    "another person": (requester_patient(bodies.qualified(bodies.new_ins())), 404, "no-record"),
}  # fmt: skip


@pytest.mark.parametrize("who", REFUSED)
def test_only_an_identified_professional_declares_one(record: FedRecord, who: str) -> None:
    requester, expected, code = REFUSED[who]

    answer = declare(record, requester)

    assert (answer.status, answer.code) == (expected, code)
    assert emergencies(record) == {}
    assert [entry["outcome"] for entry in record.trace() if entry["act"] == "emergency-access"] == ["8"]


def test_an_occupational_physician_declares_none_even_with_the_patients_authorisation(record: FedRecord) -> None:
    physician = requester_professional("10106666666", "1690000007", specialties=("SM25",))
    record.authorise(physician)

    answer = declare(record, physician)

    assert (answer.status, answer.code) == (403, "not-authorised")


def test_the_person_declares_none_in_the_own_record(record: FedRecord) -> None:
    answer = declare(record, record.patient)

    assert (answer.status, answer.code) == (403, "not-authorised")


def test_blocked_closed_and_unknown_are_told_apart(record: FedRecord) -> None:
    unknown = record.api.post(f"/fhir/Patient/{'0' * 26}/$emergency-access", declaration(), as_=HEALER)
    ins = {"valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": bodies.new_ins()}}
    nobody = record.api.post("/fhir/Patient/$emergency-access", declaration(identifier=ins), as_=HEALER)
    record.block(HEALER)
    blocked = declare(record)
    close = bodies.parameters(motive={"valueCode": "patient-demande"})
    record.api.post(f"/fhir/Patient/{record.id}/$close", close, as_=record.patient)
    closed = declare(record, STRANGER)

    told = [(answer.status, answer.code) for answer in (unknown, nobody, blocked, closed)]
    assert told == [(404, "no-record"), (404, "no-record"), (403, "blocked"), (409, "record-closed")]
    reasons = {entry["reason"] for entry in record.trace() if entry["act"] == "emergency-access"}
    assert reasons == {"blocked", "record-closed"}


WRONG = {
    "no mode": (declaration(mode=None), "missing-parameter"),
    "another mode": (declaration(mode="TREAT"), "invalid-parameter"),
    "no reason": (declaration(reason=None), "reason-required"),
    "a blank reason": (declaration(reason="   "), "invalid-resource"),
    "a novel": (declaration(reason="a" * 1001), "invalid-parameter"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_declaration_is_told_after_the_decision(record: FedRecord, what: str) -> None:
    body, code = WRONG[what]
    url = f"/fhir/Patient/{record.id}/$emergency-access"

    answer, secretary = (record.api.post(url, body, as_=who) for who in (HEALER, requester_employee()))

    assert (answer.status, answer.code) == (422, code)
    assert secretary.status == 403
    assert emergencies(record) == {}


def test_what_is_no_declaration_at_all_is_refused_first(record: FedRecord) -> None:
    url = f"/fhir/Patient/{record.id}/$emergency-access"
    by_ins = "/fhir/Patient/$emergency-access"
    other = {"valueIdentifier": {"system": PS_IDNAT, "value": "810101234567"}}

    unreadable = record.api.post(url, b"{", as_=HEALER)
    nobody = record.api.post(by_ins, declaration(), as_=HEALER)
    no_person = record.api.post(by_ins, declaration(identifier=other), as_=HEALER)

    assert [(a.status, a.code) for a in (unreadable, nobody, no_person)] == [
        (400, "malformed-json"),
        (422, "ins-required"),
        (422, "ins-required"),
    ]


def test_a_declaration_is_one_read_one_count_and_one_transaction(record: FedRecord) -> None:
    with counted() as calls:
        declared(record)

    assert calls == ["GetItem", "UpdateItem", "TransactWriteItems"]


class TestTelling:
    def test_the_person_and_the_attending_physician_are_told_in_the_same_transaction(self, record: FedRecord) -> None:
        record.name_attending_physician(AUTHOR)

        consent = declared(record).id
        declared(record, AUTHOR)

        told = [json.loads(i["body"]["S"]) for i in record.items() if i["sk"]["S"].startswith("M#")]
        about = [(m["recipient"], m["kind"], m["about"]) for m in told if m["about"] == [f"Consent/{consent}"]]
        assert sorted(about) == [
            ("patient", "emergency-access", [f"Consent/{consent}"]),
            (str(AUTHOR.identifier), "emergency-access", [f"Consent/{consent}"]),
        ]
        own = [m["recipient"] for m in told if m["kind"] == "emergency-access" and m["about"] != [f"Consent/{consent}"]]
        assert own == ["patient"]

    def test_the_trace_shows_it_apart(self, record: FedRecord, clock: TimeMachineFixture) -> None:
        document = record.publish()
        record.authorise(HEALER)
        clock.shift(INSTANT)
        status(record, document)
        clock.shift(INSTANT)
        consent = declared(record).id
        clock.shift(INSTANT)
        status(record, document)
        clock.shift(INSTANT)
        record.find(HEALER)

        found, read, made, before = events(record)[:4]

        assert {"110127", "create"} <= {subtype["code"] for subtype in made["subtype"]}
        assert (made["outcome"], made["action"], purposes(made)) == ("0", "C", ["BTG"])
        assert f"Consent/{consent}" in [entity["what"].get("reference") for entity in made["entity"]]
        assert [purposes(event) for event in (found, read, before)] == [["BTG"], ["BTG"], ["TREAT"]]
        assert [event["outcomeDesc"] for event in (read, before)] == [
            "Accès en urgence.",
            "Accès autorisé par le patient.",
        ]


class TestAnother:
    def test_a_new_one_of_the_same_mode_ends_the_former(self, record: FedRecord, clock: TimeMachineFixture) -> None:
        document = record.publish()
        declared(record, REGULATOR), declared(record, REGULATOR, "ETREAT"), declared(record, HEALER)
        clock.shift(HOUR / 2)

        declared(record, REGULATOR)

        assert sorted(emergencies(record).values()) == ["active"] * 3 + ["inactive"]
        clock.move_to(NOON + HOUR, tick=False)
        assert status(record, document, REGULATOR) == (200, "")
        assert status(record, document, HEALER) == (403, "not-authorised")

    def test_of_two_at_once_one_is_left(self, record: FedRecord) -> None:
        with meanwhile("TransactWriteItems", lambda: declared(record)):
            declared(record)

        assert sorted(emergencies(record).values()) == ["active", "inactive"]
        assert [emergencies(record)[one] for one in in_head(record)] == ["active"]

    def test_one_whose_answer_was_lost_is_declared_again(self, record: FedRecord) -> None:
        with answer_lost("TransactWriteItems"):
            lost = declare(record)
        again = declared(record)

        assert (lost.status, lost.code) == (503, "service-unavailable")
        assert sorted(emergencies(record).values()) == ["active", "inactive"]
        assert in_head(record) == [again.id.partition(".")[2]]

    def test_an_opposition_meanwhile_wins(self, record: FedRecord) -> None:
        with meanwhile("TransactWriteItems", lambda: decided(record, "opposition", "deny", "BTG")):
            answer = declare(record)

        assert (answer.status, answer.code) == (403, "emergency-opposed")
        assert emergencies(record) == {}

    def test_a_full_head_keeps_nobody_out(self, record: FedRecord, stack: dict[str, str]) -> None:
        fill(record, stack["RECORDS_TABLE"], ConsentKind.AUTHORISATION, 300)

        declared(record)

        assert len(head(record).directives) == 302

    def test_of_very_many_the_oldest_ends_so_that_an_opposition_ends_them_all(
        self, record: FedRecord, stack: dict[str, str]
    ) -> None:
        document = record.publish()
        fill(record, stack["RECORDS_TABLE"], ConsentKind.EMERGENCY, 29)
        declared(record, STRANGER)

        declared(record, HEALER)

        assert len(in_head(record)) == 30
        assert [status(record, document, who)[0] for who in (STRANGER, HEALER)] == [200, 200]
        decided(record, "opposition", "deny", "BTG")
        assert in_head(record) == []


def fill(record: FedRecord, table: str, kind: ConsentKind, count: int) -> None:
    """Put directives of that many actors into a head."""
    former = head(record)
    more = tuple(
        Directive(
            consent=local_id(NOON, number.to_bytes(10)),
            kind=kind,
            permit=True,
            actor=professional(f"899{number:09d}"),
            start=NOON,
            end=NOON + HOUR,
            granted_by=Grantor.PROFESSIONAL,
            purposes=("BTG",) if kind is ConsentKind.EMERGENCY else (),
        )
        for number in range(count)
    )
    item = record_items.write_record(former.deciding((*former.directives, *more), NOON))
    aws.client("dynamodb").put_item(TableName=table, Item=item)


class TestSecret:
    def test_representatives_learn_nothing_of_a_secret_one(
        self, api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
    ) -> None:
        ins, parent = bodies.new_ins(), bodies.new_ins()
        as_parent = requester_patient(bodies.qualified(parent))
        child = {"resource": bodies.patient(ins, birthDate="2012-05-05")}
        body = bodies.opening(ins, patient=child, guardian={"resource": bodies.guardian(parent)})
        opened = api.post("/fhir/Patient/$open", body, as_=as_parent)
        record = FedRecord(api, opened.id, ins, requester_patient(bodies.qualified(ins)), stack)
        document = record.publish()

        consent = declare(record, HEALER, **{"X-Confidentiality-Code": "INVISIBLE_REPRESENTANTS_LEGAUX"}).id
        assert status(record, document) == (200, "")
        unknown = api.get(f"/fhir/Consent/{record.id}.{'0' * 26}", as_=as_parent)
        hidden = api.get(f"/fhir/Consent/{consent}", as_=as_parent)

        assert (hidden.status, hidden.body) == (404, unknown.body)
        seen = {who: everything(record, who) for who in (as_parent, record.patient)}
        assert consent not in seen[as_parent]
        assert HEALER.identifier.value not in seen[as_parent]
        assert consent in seen[record.patient]
        clock.shift(HOUR)
        declared(record, STRANGER)
        api.run("ConsentExpiry")
        assert emergencies(record)[consent.partition(".")[2]] == "inactive"
        api.get(f"/fhir/Consent/{consent}", as_=record.patient)
        api.patch(f"/fhir/Consent/{consent}", REVOKE, as_=record.patient)
        assert consent not in everything(record, as_parent)
        told = [json.loads(item["body"]["S"]) for item in record.items() if item["sk"]["S"].startswith("M#")]
        assert [message["secret"] for message in told if message["kind"] == "emergency-access"] == [True, False]


def everything(record: FedRecord, as_: Requester) -> str:
    """What somebody finds of Consents and trace."""
    urls = (f"/fhir/Consent?patient={record.id}", f"/fhir/AuditEvent?patient={record.id}&_count=100")
    return "".join(record.api.get(url, as_=as_).body.decode() for url in urls)


@pytest.fixture
def strict(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> Iterator[FedRecord]:
    """Two emergencies an hour."""
    monkeypatch.setenv("EMERGENCIES_AN_HOUR", "2")
    forget_handlers()
    yield record
    forget_handlers()


def test_a_professional_declares_so_many_an_hour(strict: FedRecord, clock: TimeMachineFixture) -> None:
    busy, colleague = (requester_professional(f"1010777777{n}", "1690000008") for n in (7, 8))
    answers = [declare(strict, busy) for _ in range(3)]
    other = declare(strict, colleague)

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert (answers[2].code, answers[2].headers["retry-after"]) == ("quota-exceeded", "3600")
    assert other.status == 201
    refused = [entry for entry in strict.trace() if entry["outcome"] == "8"]
    assert [(entry["act"], entry["reason"]) for entry in refused] == [("emergency-access", "quota-exceeded")]
    clock.shift(HOUR)
    assert declare(strict, busy).status == 201

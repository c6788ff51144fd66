"""Mails for messages: sent for each that has an address, marked, never telling what they are about."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import boto3
import pytest
from time_machine import TimeMachineFixture

from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import answer_lost, counted, refused
from tests.requester_factories import requester_patient

EMAIL = "dominique@example.org"
TELLING = ("PAT-TEST", "DOMINIQUE", "Lettre", "11490-0", "MARTIN", "R#", "urn:oid")


class Case:
    """A record whose authorisation is about to end, and the messages that tell of it."""

    def __init__(self, api: ApiClient, table: str, clock: TimeMachineFixture, email: str = EMAIL) -> None:
        self.api = api
        self.table = table
        self.ins = bodies.new_ins()
        patient = requester_patient(bodies.qualified(self.ins))
        person = bodies.patient(self.ins)
        if email:
            person["telecom"] = [{"system": "email", "value": email}]
        opened = api.post("/fhir/Patient/$open", bodies.opening(self.ins, patient={"resource": person}), as_=patient)
        assert opened.status == 201, opened.body
        self.record = opened.id
        assert api.post("/fhir/Consent", bodies.authorisation(self.record), as_=patient).status == 201
        clock.shift(timedelta(days=340))
        api.run("ConsentExpiry")

    def items(self) -> list[dict[str, Any]]:
        """The messages as they stand, in the order they were written."""
        return boto3.client("dynamodb").query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :m)",
            ExpressionAttributeValues={":pk": {"S": f"R#{self.record}"}, ":m": {"S": "M#"}},
            ConsistentRead=True,
        )["Items"]

    def statuses(self) -> list[str]:
        """By the recipient: the patient's first."""
        own = sorted(self.items(), key=lambda item: json.loads(item["body"]["S"])["email"] == "")
        return [item["st"]["S"] for item in own]

    def deliver(self, *, event: str = "INSERT") -> list[str]:
        """Hand the messages over as the stream does; the sequence numbers that failed come back."""
        changes = [change(item, number, event) for number, item in enumerate(self.items())]
        return failures(self.api.run("Notifications", {"Records": changes}))


def change(item: dict[str, Any], number: int, event: str = "INSERT") -> dict[str, Any]:
    key = {name: item[name] for name in ("pk", "sk")}
    return {"eventName": event, "dynamodb": {"Keys": key, "NewImage": item, "SequenceNumber": str(number)}}


def failures(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def outbox() -> Sequence[Any]:
    from moto.ses.models import ses_backends

    return ses_backends["123456789012"]["eu-west-3"].sent_messages


def sent_since(before: int) -> list[Any]:
    return list(outbox()[before:])


@pytest.fixture
def case(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> Case:
    return Case(api, stack["RECORDS_TABLE"], clock)


def test_the_patient_is_mailed_once_and_the_message_marked(case: Case) -> None:
    before = len(outbox())

    first, second = case.deliver(), case.deliver()

    [mail] = sent_since(before)
    assert mail.destinations["ToAddresses"] == [EMAIL]
    assert case.statuses() == ["completed", "preparation"]
    assert first == second == []


def test_a_mail_leads_to_the_portal_and_tells_nothing_of_the_person(case: Case, stack: dict[str, str]) -> None:
    before = len(outbox())

    case.deliver()

    [mail] = sent_since(before)
    assert stack["PORTAL_URL"] in mail.body
    assert mail.subject == "Dossier médical partagé : une autorisation arrive à échéance"
    text = mail.subject + mail.body
    assert not [part for part in (*TELLING, case.ins, case.record, EMAIL) if part in text]


def test_the_end_of_an_authorisation_has_a_mail_of_its_own(case: Case, clock: TimeMachineFixture) -> None:
    case.deliver()
    before = len(outbox())
    clock.shift(timedelta(days=40))
    case.api.run("ConsentExpiry")

    case.deliver()

    assert [mail.subject for mail in sent_since(before)] == ["Dossier médical partagé : une autorisation a pris fin"]


def test_without_an_address_nothing_is_sent_and_nothing_fails(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    case, before = Case(api, stack["RECORDS_TABLE"], clock, email=""), len(outbox())

    assert case.deliver() == []

    assert len(outbox()) == before
    assert case.statuses() == ["preparation", "preparation"]


def test_a_mail_that_ses_refuses_for_now_is_tried_again(case: Case) -> None:
    before = len(outbox())

    with refused("SendEmail", "TooManyRequestsException", 429):
        failed = case.deliver()
    again = case.deliver()

    assert len(failed) == 1
    assert again == []
    assert len(sent_since(before)) == 1
    assert case.statuses() == ["completed", "preparation"]


def test_from_the_first_failure_on_the_batch_comes_back(case: Case) -> None:
    [message, *_] = [item for item in case.items() if EMAIL in item["body"]["S"]]

    with refused("SendEmail", "TooManyRequestsException", 429), counted() as calls:
        answer = case.api.run("Notifications", {"Records": [change(message, 5), change(message, 6)]})

    assert failures(answer) == ["5"]
    assert calls.count("GetItem") == 1


def test_an_address_that_no_mail_can_reach_holds_up_nobody(case: Case) -> None:
    with refused("SendEmail", "BadRequestException", 400):
        failed = case.deliver()

    assert failed == []
    assert case.statuses() == ["not-done", "preparation"]


def test_a_mark_whose_answer_was_lost_is_not_a_second_mail(case: Case) -> None:
    before = len(outbox())

    with answer_lost("UpdateItem"):
        failed = case.deliver()
    again = case.deliver()

    assert len(failed) == 1
    assert again == []
    assert len(sent_since(before)) == 1


def test_a_message_that_cannot_be_read_is_tried_again(case: Case) -> None:
    before = len(outbox())

    with refused("GetItem"):
        failed = case.deliver()

    assert failed == ["0"]
    assert len(outbox()) == before


@pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
def test_only_new_messages_are_mailed(case: Case, event: str) -> None:
    before = len(outbox())

    assert case.deliver(event=event) == []

    assert len(outbox()) == before


def test_a_message_that_is_gone_and_a_change_of_something_else_are_passed_over(api: ApiClient) -> None:
    gone = {"pk": {"S": f"R#{'0' * 26}"}, "sk": {"S": f"M#{'0' * 26}"}}
    other = {"pk": {"S": f"R#{'0' * 26}"}, "sk": {"S": "D~"}}

    answer = api.run("Notifications", {"Records": [change(gone, 1), change(other, 2)]})

    assert failures(answer) == []


def test_a_mail_costs_one_read_one_mail_and_one_mark(case: Case) -> None:
    [message, *_] = [item for item in case.items() if EMAIL in item["body"]["S"]]

    with counted() as calls:
        case.api.run("Notifications", {"Records": [change(message, 1)]})

    assert calls == ["GetItem", "SendEmail", "UpdateItem"]

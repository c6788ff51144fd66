"""Mails for messages: each leaves once, however often the stream brings it, and tells nothing of what it is about."""

import random
from collections import Counter
from contextlib import nullcontext
from uuid import uuid4

import pytest

from dmp.domain.identifiers import professional, structure
from dmp.domain.notification import Kind
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import answer_lost, counted, meanwhile, refused
from tests.given_stream import GivenStream, mappings_of
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import requester_patient
from tests.told import change, deliver, lost, mail_state, messages, outbox, sent_to, spoil, tell

DOCTOR = professional("810101234567")
RELAY = "810101234567@messagerie.example"


@pytest.fixture
def email() -> str:
    """An address that no other test writes to."""
    return f"{uuid4().hex}@example.org"


@pytest.fixture
def record(api: ApiClient, email: str) -> OpenRecord:
    return open_record(api, telecom=[{"system": "email", "value": email}])


@pytest.fixture
def message(record: OpenRecord) -> str:
    [told] = tell(record.id)
    return told


def test_the_patient_and_the_professional_are_mailed_once_each(
    record: OpenRecord, stack: dict[str, str], email: str
) -> None:
    told, relayed = tell(record.id, also=(DOCTOR,)), len(outbox(RELAY))

    first, second = deliver(record.api, *told), deliver(record.api, *told, *told)

    assert first == second == []
    assert [mail.destinations["ToAddresses"] for mail in outbox(email)] == [[email]]
    assert len(outbox(RELAY)) == relayed + 1
    assert [mail_state(stack, one) for one in told] == ["sent", "sent"]


def test_without_an_address_nothing_is_sent_and_nothing_fails(api: ApiClient, stack: dict[str, str]) -> None:
    ins = bodies.new_ins()
    nowhere = requester_patient(bodies.qualified(ins), email="")
    record = api.post("/fhir/Patient/$open", bodies.opening(ins), as_=nowhere).id
    told = tell(record, also=(structure("1750100125"),))

    with counted() as calls:
        failed = deliver(api, *told)

    assert failed == []
    assert calls == ["GetItem", "GetItem"]
    assert [mail_state(stack, one) for one in told] == ["none", "none"]


def test_no_mail_of_any_kind_tells_of_the_person_or_of_what_happened(
    record: OpenRecord, stack: dict[str, str], email: str
) -> None:
    about = (f"DocumentReference/{record.id}.{'0' * 26}", f"Consent/{record.id}.{'1' * 26}")
    told = {kind: tell(record.id, kind, about=about, also=(DOCTOR,)) for kind in Kind}
    canaries = [record.id, record.ins, email, DOCTOR.value, "PAT-TEST", "DOMINIQUE", "urn:oid", "1979", "0" * 26]

    for kind, [own, other] in told.items():
        before = len(outbox(email)), len(outbox(RELAY))
        assert deliver(record.api, own, other) == []
        [mine], [theirs] = outbox(email)[before[0] :], outbox(RELAY)[before[1] :]
        text = mine.subject + mine.body
        assert (theirs.subject, theirs.body) == (mine.subject, mine.body), kind
        assert not [canary for canary in canaries if canary.casefold() in text.casefold()], kind
        is_invited = kind not in {Kind.RECORD_CLOSED, Kind.RECORD_SUSPENDED}  # the message is not to be read there
        assert (stack["PORTAL_URL"] in mine.body) is is_invited, kind


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 429),
        ("Throttling", 500),
        ("ServiceUnavailable", 503),
        ("SendingPausedException", 400),
    ],
)
def test_a_mail_that_ses_refuses_for_now_waits_and_holds_up_nobody(
    api: ApiClient, stack: dict[str, str], message: str, email: str, code: str, status: int
) -> None:
    with refused("SendEmail", code, status):
        failed = deliver(api, message)
    between = mail_state(stack, message)

    again = deliver(api, message)

    assert (failed, between, again) == ([], "to-send", [])
    assert len(outbox(email)) == 1


@pytest.mark.parametrize(("code", "status"), [("InternalFailure", 500), ("502", 502), ("503", 503)])
def test_a_mail_at_which_ses_or_something_before_it_broke_may_have_left(
    api: ApiClient, stack: dict[str, str], message: str, email: str, code: str, status: int
) -> None:
    with refused("SendEmail", code, status):
        failed = deliver(api, message)

    again = deliver(api, message)

    assert (failed, mail_state(stack, message), again, outbox(email)) == ([], "claimed", [], [])


def test_a_mail_of_which_nobody_knows_whether_it_left_is_not_sent_again_and_that_is_logged(
    api: ApiClient, message: str, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    with answer_lost("SendEmail"):
        first = deliver(api, message)
    second = deliver(api, message)

    assert (first, second, len(outbox(email))) == ([], [], 1)
    assert caplog.messages == ["mail_in_doubt", "mail_in_doubt"]
    written = str([record.__dict__ for record in caplog.records])
    assert not [secret for secret in (email, *message.split(".")) if secret in written]


def test_one_that_fails_delays_no_other_of_its_batch(api: ApiClient, record: OpenRecord, stack: dict[str, str]) -> None:
    addresses = [f"{uuid4().hex}@example.org" for _ in range(3)]
    first, bad, last = (message.id for message in messages(record.id, addresses))
    spoil(stack, bad)

    failed = deliver(api, first, bad, last)

    assert failed == []
    assert [one["keys"]["sk"]["S"] for one in lost(stack)] == [f"M#{bad.partition('.')[2]}"]
    assert [len(outbox(address)) for address in addresses] == [1, 0, 1]
    assert mail_state(stack, bad) == "to-send"


def test_an_address_that_no_mail_can_reach_holds_up_nobody(api: ApiClient, stack: dict[str, str], message: str) -> None:
    with refused("SendEmail", "BadRequestException", 400):
        failed = deliver(api, message)
    with counted() as calls:
        again = deliver(api, message)

    assert (failed, again, mail_state(stack, message)) == ([], [], "undeliverable")
    assert "SendEmail" not in calls


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "SendEmail"])
def test_two_that_deliver_one_message_at_once_send_one_mail(
    api: ApiClient, stack: dict[str, str], message: str, email: str, operation: str
) -> None:
    with meanwhile(operation, lambda: deliver(api, message)):
        failed = deliver(api, message)

    assert (failed, len(outbox(email)), mail_state(stack, message)) == ([], 1, "sent")


@pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
def test_only_new_messages_are_mailed(api: ApiClient, message: str, email: str, event: str) -> None:
    answer = api.run("Notifications", {"Records": [change(message, event=event)]})

    assert (answer, outbox(email)) == ({"batchItemFailures": []}, [])


def test_a_message_that_is_gone_and_a_change_of_something_else_are_passed_over(api: ApiClient) -> None:
    other = change("0" * 26 + "." + "0" * 26, 2)
    other["dynamodb"]["Keys"]["sk"] = {"S": "D~"}

    answer = api.run("Notifications", {"Records": [change("0" * 26 + "." + "1" * 26, 1), other]})

    assert answer == {"batchItemFailures": []}


def test_a_mail_costs_one_read_one_claim_one_mail_and_one_mark(api: ApiClient, message: str) -> None:
    with counted() as calls:
        deliver(api, message)

    assert calls == ["GetItem", "UpdateItem", "SendEmail", "UpdateItem"]


@pytest.mark.parametrize("count", [60, pytest.param(1_000, marks=pytest.mark.long)])
def test_shuffled_and_triplicated_events_give_each_mail_once_whatever_breaks(
    api: ApiClient, record: OpenRecord, count: int
) -> None:
    domain = f"{uuid4().hex}.example"
    made = [message.id for message in messages(record.id, [f"{number}@{domain}" for number in range(count)])]
    chance = random.Random(count)
    events = chance.sample(made * 3, 3 * count)
    batches = [events[start : start + 25] for start in range(0, len(events), 25)]

    faults = {0: refused("SendEmail", "TooManyRequestsException", 429, nth=5), 1: refused("UpdateItem", nth=4)}

    for number, batch in enumerate(batches):
        with faults.get(number, nullcontext()):
            assert deliver(api, *batch) == []
    deliver(api, *made)

    assert Counter(sent_to(domain)) == Counter(f"{number}@{domain}" for number in range(count))


def test_a_poison_message_ends_in_the_queue_of_the_lost_and_the_others_are_mailed(
    api: ApiClient, record: OpenRecord, stack: dict[str, str]
) -> None:
    lost(stack)
    domain, [mapping] = f"{uuid4().hex}.example", mappings_of("Notifications")
    made = [message.id for message in messages(record.id, [f"{number}@{domain}" for number in range(40)])]
    spoil(stack, made[11])
    given = [change(message, number) for number, message in enumerate(made)]

    GivenStream(mapping, "never", api.functions, given).consume()

    [put_aside] = lost(stack)
    batch = put_aside["DDBStreamBatchInfo"]
    assert (batch["batchSize"], batch["startSequenceNumber"], put_aside["failure"]) == (1, "11", "KeyError")
    assert sorted(sent_to(domain)) == sorted(f"{number}@{domain}" for number in range(40) if number != 11)

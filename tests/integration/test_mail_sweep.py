"""The job that sends the mails that could not leave when their message was new: an outage delays, and loses none."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from time_machine import TimeMachineFixture

from tests.api_client import ApiClient
from tests.aws_calls import meanwhile, refused
from tests.closed_record import Remaining, forget_what_is_due, small_stack
from tests.open_record import open_record
from tests.told import deliver, mail_state, messages, outbox, spoil, stored

JOB = "MailSweep"
GRACE = timedelta(minutes=5)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture(autouse=True)
def nothing_due(stack: dict[str, str]) -> None:
    """No mail of another test waits."""
    forget_what_is_due(stack)


def waiting(api: ApiClient, number: int = 1) -> dict[str, str]:
    """New messages, each with the address of its mail, which nobody was told to send."""
    addresses = [f"{uuid4().hex}@example.org" for _ in range(number)]
    made = messages(open_record(api).id, addresses)
    return {message.id: address for message, address in zip(made, addresses, strict=True)}


def mails(given: dict[str, str]) -> list[int]:
    """How many each address got."""
    return [len(outbox(address)) for address in given.values()]


def is_indexed(stack: dict[str, str], message: str) -> bool:
    return {"gx_month", "gx_at"} <= stored(stack, message).keys()


def test_after_an_outage_of_hours_every_mail_leaves_once(api: ApiClient, clock: TimeMachineFixture) -> None:
    given = waiting(api, 3)
    with refused("SendEmail", "ServiceUnavailable", 503):
        assert deliver(api, *given) == []
        during: list[Any] = []
        for _ in range(3):
            clock.shift(timedelta(hours=3))
            during.append(api.run(JOB))
    between = mails(given)

    swept, again = api.run(JOB), api.run(JOB)

    assert during == [{"handled": 0, "waiting": 3, "failed": 0, "done": False}] * 3
    assert (between, mails(given)) == ([0, 0, 0], [1, 1, 1])
    assert (swept, again) == ({"handled": 3, "waiting": 0, "failed": 0, "done": True}, swept | {"handled": 0})


def test_a_mail_whose_message_the_stream_never_brought_leaves_all_the_same_but_not_before_its_turn(
    api: ApiClient, clock: TimeMachineFixture
) -> None:
    given = waiting(api)

    clock.shift(GRACE - timedelta(seconds=1))
    early = api.run(JOB)["handled"]
    clock.shift(timedelta(seconds=1))
    late = api.run(JOB)["handled"]

    assert (early, late, mails(given)) == (0, 1, [1])


def test_a_mail_of_last_month_is_found(api: ApiClient, clock: TimeMachineFixture) -> None:
    clock.move_to("2026-03-31T23:50:00Z", tick=False)
    given = waiting(api)

    clock.move_to("2026-04-01T00:10:00Z", tick=False)
    api.run(JOB)

    assert mails(given) == [1]


@pytest.mark.parametrize(
    ("code", "status", "state"),
    [("TooManyRequestsException", 429, "to-send"), ("BadRequestException", 400, "undeliverable"),
     ("InternalFailure", 500, "claimed")],
)  # fmt: skip
def test_only_what_still_waits_stands_in_the_index(
    api: ApiClient, stack: dict[str, str], code: str, status: int, state: str
) -> None:
    [message, other] = waiting(api, 2)
    [silent] = messages(open_record(api).id, [""])

    before = is_indexed(stack, message)
    with refused("SendEmail", code, status):
        deliver(api, message)
    deliver(api, other)

    assert (before, is_indexed(stack, silent.id)) == (True, False)
    assert (mail_state(stack, message), is_indexed(stack, message)) == (state, state == "to-send")
    assert (mail_state(stack, other), is_indexed(stack, other)) == ("sent", False)


def test_a_mail_that_nobody_takes_for_a_week_is_given_up(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, caplog: pytest.LogCaptureFixture
) -> None:
    [message] = given = waiting(api)
    clock.shift(timedelta(days=7))
    with refused("SendEmail", "MessageRejected", 400):
        kept = api.run(JOB)
        clock.shift(timedelta(seconds=1))
        given_up = api.run(JOB)

    assert (kept["waiting"], given_up["handled"], given_up["done"]) == (1, 1, True)
    assert (mail_state(stack, message), mails(given)) == ("undeliverable", [0])
    assert not is_indexed(stack, message)
    assert next(iter(given.values())) not in caplog.text


def test_a_message_that_cannot_be_read_delays_no_other(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    bad, *_ = given = waiting(api, 3)
    spoil(stack, bad)
    clock.shift(GRACE)

    swept = api.run(JOB)

    assert (swept["handled"], swept["failed"], swept["done"]) == (2, 1, False)
    assert mails(given) == [0, 1, 1]


def test_a_run_ends_in_time_and_the_next_one_goes_on(api: ApiClient, clock: TimeMachineFixture) -> None:
    given = waiting(api, 3)
    clock.shift(GRACE)

    first = import_module("handlers.notifications").mail_sweep({}, Remaining(1))
    second = api.run(JOB)

    assert (first["handled"], first["done"], second["handled"]) == (1, False, 2)
    assert mails(given) == [1, 1, 1]


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "SendEmail"])
def test_a_sweep_beside_the_stream_sends_one_mail(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, operation: str
) -> None:
    [message] = given = waiting(api)
    clock.shift(GRACE)

    with meanwhile(operation, lambda: deliver(api, message)):
        api.run(JOB)

    assert (mails(given), mail_state(stack, message)) == ([1], "sent")

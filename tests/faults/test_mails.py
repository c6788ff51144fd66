"""Whatever call to AWS breaks while a mail is sent: it leaves once, or at most once where nobody can tell."""

from contextlib import suppress
from uuid import uuid4

import pytest

from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted
from tests.faults.test_crashes import fault
from tests.open_record import open_record
from tests.told import deliver, messages, outbox

CALLS = ("GetItem", "UpdateItem", "SendEmail", "UpdateItem")
SENT, IN_DOUBT, LOST_IN_DOUBT = (1, False), (1, True), (0, True)
"""How many mails leave, and whether somebody is told that nobody knows."""
FATES = {
    ("GetItem", 1): {"before": SENT, "after": SENT, "answer lost": SENT, "refused": SENT},
    ("UpdateItem", 1): {"before": SENT, "after": LOST_IN_DOUBT, "answer lost": SENT, "refused": SENT},
    ("SendEmail", 1): {"before": LOST_IN_DOUBT, "after": IN_DOUBT, "answer lost": IN_DOUBT, "refused": SENT},
    ("UpdateItem", 2): {"before": IN_DOUBT, "after": SENT, "answer lost": SENT, "refused": IN_DOUBT},
}
"""What becomes of a mail when the nth call of an operation breaks."""


@pytest.mark.parametrize(("call", "mode"), [(call, mode) for call, modes in FATES.items() for mode in modes], ids=str)
def test_a_mail_leaves_once_at_most_and_a_retry_does_what_is_left(
    api: ApiClient, caplog: pytest.LogCaptureFixture, call: tuple[str, int], mode: str
) -> None:
    address = f"{uuid4().hex}@example.org"
    [message] = messages(open_record(api).id, [address])
    operation, nth = call

    with suppress(Killed), fault("ThrottlingException" if mode == "refused" else mode, operation, nth):
        deliver(api, message.id)
    for _ in range(2):
        assert deliver(api, message.id) == []

    assert (len(outbox(address)), "mail_in_doubt" in caplog.messages) == FATES[call][mode]


def test_an_undisturbed_delivery_makes_the_calls_that_are_broken(api: ApiClient) -> None:
    [message] = messages(open_record(api).id, [f"{uuid4().hex}@example.org"])

    with counted() as calls:
        deliver(api, message.id)

    assert tuple(calls) == CALLS
    assert {(call, CALLS[: place + 1].count(call)) for place, call in enumerate(CALLS)} == set(FATES)

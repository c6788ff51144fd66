"""Queue consumers of the local stack: what is done with goes, what failed stays until it is given up."""

import os
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from infra.local.event_sources import QueueMapping
from infra.local.queues import QueueConsumer
from infra.local.runtime import FunctionFailed, Runtime
from tests.aws_stack import NOWHERE

ARN = "arn:aws:sqs:eu-west-3:123456789012:"


class Recorder(Runtime):
    """Calls a plain function instead of a Lambda: with a body, for whether it is done with."""

    def __init__(self, handle: Callable[[str], bool]) -> None:
        self.bodies: list[str] = []
        self._handle = handle

    def invoke(self, name: str, event: Any) -> Any:
        """Note the bodies, and report failures as Lambda does."""
        assert name == "Consume"
        records = event["Records"]
        self.bodies += [record["body"] for record in records]
        failed = [record["messageId"] for record in records if not self._handle(record["body"])]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


@pytest.fixture
def queues() -> Iterator[dict[str, str]]:
    with patch.dict(os.environ, NOWHERE):
        from infra.local import moto_repairs

        moto_repairs.apply()
        from moto import mock_aws

        with mock_aws():
            made = boto3.client("sqs")
            lost = made.create_queue(QueueName="lost")["QueueUrl"]
            redrive = f'{{"deadLetterTargetArn": "{ARN}lost", "maxReceiveCount": 2}}'
            url = made.create_queue(
                QueueName="hooks",
                Attributes={"VisibilityTimeout": "0", "RedrivePolicy": redrive},
            )["QueueUrl"]
            yield {"hooks": url, "lost": lost}
            made.delete_queue(QueueUrl=url)
            made.delete_queue(QueueUrl=lost)


def consumed(queues: dict[str, str], handle: Callable[[str], bool], *bodies: str, until: int) -> list[str]:
    """Send messages, consume until that many were handed over, and tell which."""
    runtime = Recorder(handle)
    mapping = QueueMapping(function="Consume", queue=None, batch_size=10, reports_failures=True)
    consumer = QueueConsumer(mapping, f"{ARN}hooks", runtime)
    for body in bodies:
        boto3.client("sqs").send_message(QueueUrl=queues["hooks"], MessageBody=body)
    consumer.start()
    consumer.wake()
    end = monotonic() + 5
    while len(runtime.bodies) < until and monotonic() < end:
        sleep(0.01)
    sleep(0.2)
    consumer.stop()
    return runtime.bodies


def left(url: str) -> list[str]:
    return [one["Body"] for one in boto3.client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


def test_only_what_failed_comes_again_and_is_put_aside_in_the_end(queues: dict[str, str]) -> None:
    handed_over = consumed(queues, lambda body: body != "bad", "good", "bad", "other", until=4)

    assert sorted(handed_over) == ["bad", "bad", "good", "other"]
    assert (left(queues["hooks"]), left(queues["lost"])) == ([], ["bad"])


def test_a_function_that_raises_gets_its_messages_again(queues: dict[str, str]) -> None:
    calls: list[str] = []

    def fail_once(body: str) -> bool:
        calls.append(body)
        if len(calls) == 1:
            raise FunctionFailed("Error", "once")
        return True

    handed_over = consumed(queues, fail_once, "message", until=2)

    assert handed_over == ["message", "message"]
    assert (left(queues["hooks"]), left(queues["lost"])) == ([], [])

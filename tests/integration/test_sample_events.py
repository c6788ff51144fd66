"""infra/events: one event for each function, as `sam local invoke` takes it, and understood by the function."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.template import Template
from infra.local.triggers import matches
from tests.api_client import ApiClient
from tests.aws_stack import TEMPLATE, aws_in_process
from tests.fhir_validity import assert_valid_r4
from tests.token_factory import TokenFactory

type Json = dict[str, Any]

EVENTS = Path(__file__).parents[2] / "infra" / "events"
FUNCTIONS = Template(TEMPLATE)
BEHIND_ROUTES = sorted({route.function for route in FUNCTIONS.routes})
ON_STREAMS = {mapping.function: mapping for mapping in FUNCTIONS.stream_mappings}
ON_QUEUES = {mapping.function: mapping for mapping in FUNCTIONS.queue_mappings}
FOUND = {"Capability": 200, "Communications": 200, "Records": 201}
"""The record of the examples exists nowhere, and 404 is the answer but where an event needs none."""
DONE_BY_NAME = {
    "Authorizer": {"isAuthorized", "context"},
    "AuditSealer": {"sealed"},
    "Operations": {"acts"},
    "IndexRebuild": {"error"},
    "Suspension": {"error"},
}
UNKNOWN = {"IndexRebuild", "Suspension"}


@pytest.fixture(scope="module")
def own(tokens: TokenFactory) -> Iterator[str]:
    """AWS with queues that no other test looks into; what their names begin with."""
    with aws_in_process(Stage="local", Issuers=tokens.issuers(), LogLevel="WARNING") as environment:
        found = re.search(r"dmp-local-\w{8}", environment["EXPORT_QUEUE"])
        assert found
        yield found[0]


@pytest.fixture
def api(own: str) -> ApiClient:
    assert own
    return ApiClient()


def event(function: str) -> Json:
    content = json.loads((EVENTS / f"{function}.json").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def others() -> list[str]:
    return sorted(FUNCTIONS.functions.keys() - {*BEHIND_ROUTES, *ON_STREAMS, *ON_QUEUES})


def test_each_function_has_an_event_and_no_event_is_of_none() -> None:
    assert {path.stem for path in EVENTS.iterdir()} == FUNCTIONS.functions.keys()


@pytest.mark.parametrize("function", BEHIND_ROUTES)
def test_a_request_is_understood(function: str, api: ApiClient) -> None:
    request = event(function)

    answer = api.run(function, request)

    resource = json.loads(answer["body"])
    assert_valid_r4(resource)
    assert answer["statusCode"] == FOUND.get(function, 404), answer["body"]
    assert request["headers"].get("x-request-id") == answer["headers"]["X-Request-Id"]
    if answer["statusCode"] == 404:
        assert resource["issue"][0]["details"]["coding"][0]["code"] == "no-record"


@pytest.mark.parametrize("function", BEHIND_ROUTES)
def test_a_request_takes_a_route_of_its_function(function: str) -> None:
    request = event(function)

    keys = {route.key for route in FUNCTIONS.routes if route.function == function}

    assert request["routeKey"] == request["requestContext"]["routeKey"]
    assert request["routeKey"] in keys


@pytest.mark.parametrize("function", sorted(ON_STREAMS))
def test_a_change_passes_the_filter_and_is_handled(function: str, api: ApiClient, own: str) -> None:
    change = event(function)

    answer = api.run(function, change)

    [record] = change["Records"]
    assert any(matches(json.loads(pattern), record) for pattern in ON_STREAMS[function].patterns)
    assert answer == {"batchItemFailures": []}
    assert not set_aside(own, record["dynamodb"]["SequenceNumber"])


@pytest.mark.parametrize("function", sorted(ON_QUEUES))
def test_a_message_is_handled(function: str, api: ApiClient, own: str) -> None:
    message = event(function)
    queue = f"{own}-{ON_QUEUES[function].queue['Fn::GetAtt'][0]}-"
    receipt = put(queue, message["Records"][0]["body"])
    message["Records"][0]["receiptHandle"] = receipt

    answer = api.run(function, message)

    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize("function", others())
def test_an_order_is_carried_out(function: str, api: ApiClient) -> None:
    answer = api.run(function, event(function))

    assert answer.keys() >= DONE_BY_NAME.get(function, set())
    assert answer.get("error") == ("no-record" if function in UNKNOWN else None)


def queues(prefix: str) -> list[str]:
    found: list[str] = boto3.client("sqs").list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return found


def put(queue: str, body: str) -> str:
    """Put a message into a queue, and take it out again; its receipt."""
    sqs: Any = boto3.client("sqs")
    [url] = queues(queue)
    sqs.send_message(QueueUrl=url, MessageBody=body)
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    return next(str(each["ReceiptHandle"]) for each in taken if each["Body"] == body)


def set_aside(prefix: str, number: str) -> list[str]:
    """The messages of all queues that name a change."""
    sqs: Any = boto3.client("sqs")
    waiting = [sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []) for url in queues(prefix)]
    return [each["Body"] for messages in waiting for each in messages if number in each["Body"]]

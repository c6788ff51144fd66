"""What people who operate the service may do: just what their program asks for, and nothing that reads a record."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.admin import capacity, replays
from infra.local.template import Template

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "infra/admin"
REPLAYS = PROGRAM / "replays.py"
TEMPLATE = Template(ROOT / "template.yaml")
POLICIES = dict(TEMPLATE.resources("AWS::IAM::ManagedPolicy"))

type Json = dict[str, Any]


def statements(policy: str) -> dict[str, Json]:
    return {each["Sid"]: each for each in POLICIES[policy]["PolicyDocument"]["Statement"]}


def named(statement: Json) -> set[str]:
    return {each["Fn::GetAtt"][0] for each in statement["Resource"]}


def invoked(*modules: Path) -> set[str]:
    """The functions that modules of the program name, as one names a function to invoke it."""
    sources = "".join(path.read_text(encoding="utf-8") for path in modules)
    return {name for name in TEMPLATE.functions if re.search(rf'"{name}"(?!:)', sources)} - {"Authorizer"}


@pytest.mark.parametrize("policy", ["OperatorPolicy", "ReplayPolicy"])
def test_an_operator_reads_no_data_and_decrypts_nothing(policy: str) -> None:
    actions = {action for each in statements(policy).values() for action in each["Action"]}

    reading = r"kms:|s3:|dynamodb:(?!DescribeTable)|secretsmanager:|logs:|:Update|:Create|:Put"
    assert not {action for action in actions if re.match(reading, action)}


def test_an_operator_may_invoke_what_the_program_invokes_and_no_more() -> None:
    modules = set(PROGRAM.glob("*.py")) - {REPLAYS, PROGRAM / "message_forms.py"}  # of messages alone

    assert named(statements("OperatorPolicy")["Orders"]) == invoked(*sorted(modules))


def test_whoever_does_not_replay_hands_no_event_to_a_consumer() -> None:
    actions = {action for each in statements("OperatorPolicy").values() for action in each["Action"]}
    consumers = invoked(REPLAYS) - invoked(PROGRAM / "orders.py")

    assert not actions & {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}
    assert len(consumers) > 5
    assert not consumers & named(statements("OperatorPolicy")["Orders"])


def test_a_replay_may_invoke_consumers_empty_the_queues_of_the_lost_and_feed_those_they_came_from() -> None:
    allowed = statements("ReplayPolicy")

    assert named(allowed["Consumers"]) | named(statements("OperatorPolicy")["Orders"]) >= invoked(REPLAYS)
    assert named(allowed["Consumers"]) <= invoked(REPLAYS)
    assert named(allowed["Lost"]) == set(capacity.LOST)
    assert named(allowed["Replays"]) == set(capacity.QUEUES) == {source for _, source in replays._SOURCES.values()}
    assert named(statements("OperatorPolicy")["Queues"]) == {*capacity.LOST, *capacity.QUEUES}


def test_every_queue_of_the_lost_can_be_replayed() -> None:
    lost = {name for name, _ in TEMPLATE.resources("AWS::SQS::Queue") if name.startswith("Lost")}

    assert lost == set(capacity.LOST)
    assert lost == {queue for queue, _ in replays._SOURCES.values()} | set(replays._CONSUMED.values())


def test_whoever_refuses_keys_of_issuers_reads_the_variables_of_the_authorizer_alone() -> None:
    allowed = statements("IssuerKeysPolicy")

    conditions = allowed["ItsVariables"]["Condition"]["StringEquals"]
    assert conditions["kms:EncryptionContext:aws:lambda:FunctionArn"] == {"Fn::GetAtt": ["Authorizer", "Arn"]}
    assert conditions["kms:ViaService"] == {"Fn::Sub": "lambda.${AWS::Region}.amazonaws.com"}
    assert allowed["Authorizer"]["Resource"] == [
        {"Fn::GetAtt": ["Authorizer", "Arn"]}, {"Fn::Sub": "${Authorizer.Arn}:*"},
    ]  # fmt: skip


def test_whoever_refuses_keys_of_issuers_gives_no_key_to_anybody_but_lambda() -> None:
    [condition] = [
        each["Condition"] for each in statements("IssuerKeysPolicy").values() if "kms:CreateGrant" in each["Action"]
    ]

    assert condition["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert condition["StringEquals"] == {"kms:ViaService": {"Fn::Sub": "lambda.${AWS::Region}.amazonaws.com"}}

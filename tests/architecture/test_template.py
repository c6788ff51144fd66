"""template.yaml against the code it deploys, and against what it promises."""

import importlib
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from infra.local.template import Function, Template
from tests.aws_stack import NOWHERE, aws_in_process, forget_handlers

ROOT = Path(__file__).parents[2]
TEMPLATE = Template(ROOT / "template.yaml")
FUNCTIONS = sorted(TEMPLATE.functions.values(), key=lambda function: function.name)
ISSUERS = json.dumps(
    [{"kind": "patient", "issuer": "https://a.example", "audience": "b", "jwks_uri": "https://a.example/jwks.json"}]
)
STORES = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"]
CHANGING = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
ON_BACKUP = {
    "dynamodb:StartAwsBackupJob",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:ListTagsOfResource",
}
# AWS knows no resource for them, or not yet when it asks
WITHOUT_RESOURCE = {
    "cloudwatch:GetMetricData",
    "events:ListRules",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
}
CHECK_OF_ALL_RECORDS = ("OperationsRole", "AllRecords")
by_name = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy of a role, and who holds it."""
    for name, role in TEMPLATE.resources("AWS::IAM::Role"):
        for policy in role["Policies"]:
            yield from ((name, each) for each in policy["PolicyDocument"]["Statement"])
    for name, policy in TEMPLATE.resources("AWS::IAM::ManagedPolicy"):
        yield from ((name, each) for each in policy["PolicyDocument"]["Statement"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with aws_in_process(Issuers=ISSUERS) as environment:
        yield environment


@by_name
def test_a_handler_exists_and_starts_with_the_variables_of_its_own_function(
    function: Function, environment: dict[str, str]
) -> None:
    module, _, name = function.handler.rpartition(".")
    own = {each: environment[each] for each in function.environment}

    with patch.dict(os.environ, NOWHERE | own, clear=True):
        forget_handlers()
        handler = getattr(importlib.import_module(module), name)

    assert callable(handler)


def test_every_route_but_the_public_ones_asks_the_authorizer() -> None:
    public = {route.path for route in TEMPLATE.routes if route.authorizer is None}

    assert public == {"/fhir/metadata", "/fhir/.well-known/{proxy+}"}
    assert {route.authorizer for route in TEMPLATE.routes} == {None, "Authorizer"}
    assert len([route for route in TEMPLATE.routes if route.path is None]) == 1


def test_the_authorizer_is_asked_on_every_request() -> None:
    [(_, api)] = TEMPLATE.resources("AWS::Serverless::HttpApi")

    authorizer = api["Auth"]["Authorizers"][api["Auth"]["DefaultAuthorizer"]]

    assert authorizer["Identity"] == {"ReauthorizeEvery": 0}
    assert authorizer["EnableSimpleResponses"]


@by_name
def test_a_function_behind_the_api_ends_before_the_api_does(function: Function) -> None:
    behind_the_api = any(event["Type"] == "HttpApi" for event in function.events.values())

    assert function.timeout < (30 if behind_the_api else 901)


@by_name
def test_a_function_has_its_own_role_and_log_group(function: Function) -> None:
    [properties] = [own for name, own in TEMPLATE.resources("AWS::Serverless::Function") if name == function.name]
    [role] = [own for name, own in TEMPLATE.resources("AWS::IAM::Role") if name == f"{function.name}Role"]

    logs = [each["Resource"] for each in role["Policies"][0]["PolicyDocument"]["Statement"] if each["Sid"] == "Logs"]

    assert properties["Role"] == {"Fn::GetAtt": [f"{function.name}Role", "Arn"]}
    assert properties["LoggingConfig"]["LogGroup"] == {"Ref": f"{function.name}Logs"}
    assert logs == [{"Fn::GetAtt": [f"{function.name}Logs", "Arn"]}]


@by_name
def test_functions_behind_the_api_and_the_authorizer_are_published_under_one_alias(function: Function) -> None:
    [own] = [own for name, own in TEMPLATE.resources("AWS::Serverless::Function") if name == function.name]
    is_asked = function.name == "Authorizer" or any(each["Type"] == "HttpApi" for each in function.events.values())
    ready = {"ProvisionedConcurrentExecutions": {"Ref": "ProvisionedConcurrency"}}

    published = {name: own.get(name) for name in ("AutoPublishAlias", "SnapStart", "ProvisionedConcurrencyConfig")}

    assert published == (
        {
            "AutoPublishAlias": "live",
            "SnapStart": {"ApplyOn": {"Ref": "SnapStart"}},
            "ProvisionedConcurrencyConfig": {"Fn::If": ["KeepsEnvironments", ready, {"Ref": "AWS::NoValue"}]},
        }
        if is_asked
        else dict.fromkeys(published)
    )


def test_the_api_calls_aliases_and_never_what_is_not_published() -> None:
    [(_, api)] = TEMPLATE.whole("AWS::Serverless::HttpApi")
    [(_, permission)] = TEMPLATE.resources("AWS::Lambda::Permission")

    [authorizer] = api["Properties"]["Auth"]["Authorizers"].values()

    assert authorizer["FunctionArn"] == {"Fn::Sub": "${Authorizer.Arn}:live"}
    assert "AuthorizerAliaslive" in listed(api["DependsOn"])
    assert permission["FunctionName"] == {"Ref": "Submissions.Alias"}


def test_no_function_breaks_the_one_build() -> None:
    assert {function.code for function in FUNCTIONS} == {"functions/"}
    assert "Metadata" not in {key for _, own in TEMPLATE.resources("AWS::Serverless::Function") for key in own}


def test_nobody_may_change_the_trace() -> None:
    table = {"Fn::GetAtt": ["AuditTable", "Arn"]}
    about = [each for _, each in statements() if table in listed(each["Resource"])]
    allowed = {action for each in about if each["Effect"] == "Allow" for action in listed(each["Action"])}
    denied = {action for each in about if each["Effect"] == "Deny" for action in listed(each["Action"])}
    [properties] = [own for name, own in TEMPLATE.resources("AWS::DynamoDB::Table") if name == "AuditTable"]
    for_everybody = properties["ResourcePolicy"]["PolicyDocument"]["Statement"][0]

    assert allowed - ON_BACKUP == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:GetItem"}
    assert denied >= CHANGING
    assert (for_everybody["Effect"], for_everybody["Principal"]) == ("Deny", "*")
    assert "Condition" not in for_everybody
    assert set(for_everybody["Action"]) >= CHANGING


def test_who_writes_the_trace_holds_the_denial_too() -> None:
    table = {"Fn::GetAtt": ["AuditTable", "Arn"]}
    writers = {
        holder
        for holder, each in statements()
        if each["Effect"] == "Allow"
        and "dynamodb:PutItem" in listed(each["Action"])
        and table in listed(each["Resource"])
    }
    deniers = {
        holder for holder, each in statements() if each["Effect"] == "Deny" and table in listed(each["Resource"])
    }

    assert writers
    assert writers <= deniers


def test_permissions_name_their_action_and_their_resource() -> None:
    for holder, statement in statements():
        assert not [action for action in listed(statement["Action"]) if "*" in action], holder
        scans = [action for action in listed(statement["Action"]) if "Scan" in action]
        assert not scans or (holder, statement["Sid"]) == CHECK_OF_ALL_RECORDS
        on_anything = "*" in listed(statement["Resource"]) and statement["Effect"] == "Allow"
        assert not on_anything or WITHOUT_RESOURCE.issuperset(listed(statement["Action"])), holder


@pytest.mark.parametrize("kind", STORES)
def test_what_is_stored_outlives_the_stack(kind: str) -> None:
    stores = TEMPLATE.whole(kind)

    policies = {each.get(policy) for _, each in stores for policy in ("DeletionPolicy", "UpdateReplacePolicy")}

    assert policies == {"Retain"}


def test_tables_are_encrypted_recoverable_and_protected() -> None:
    keys = set()
    for name, table in TEMPLATE.resources("AWS::DynamoDB::Table"):
        assert table["DeletionProtectionEnabled"] is True, name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES", name
        keys.add(json.dumps(table["SSESpecification"]["KMSMasterKeyId"]))

    assert len(keys) == 2


def test_the_access_log_says_neither_what_nor_who() -> None:
    [(_, api)] = TEMPLATE.resources("AWS::Serverless::HttpApi")

    variables = set(re.findall(r"\$context\.([\w.]+)", api["AccessLogSettings"]["Format"]))

    assert "routeKey" in variables
    assert not {name for name in variables if re.search(r"path|query|authorizer|identity|domain", name, re.IGNORECASE)}


def test_requirements_are_those_of_the_project_pinned_and_hashed() -> None:
    text = (ROOT / "functions/requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    entries = re.findall(r"^([\w.-]+==\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", text, re.MULTILINE)

    assert {pin for pin, _ in entries} >= set(project["project"]["dependencies"])
    assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE))
    assert "http" not in text

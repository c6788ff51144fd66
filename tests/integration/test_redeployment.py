"""No deployment trusts again, without a word, a key of an issuer that an operator had refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.admin.installation import Stack
from infra.admin.redeployment import main
from tests.aws_stack import account_apart

ISSUER = "https://id.example"
TEMPLATE = {
    "Parameters": {"RevokedKeys": {"Type": "String", "Default": "[]"}},
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}},
        "Authorizer": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "0"},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": {"REVOKED_KEYS": {"Ref": "RevokedKeys"}}},
            },
        },
    },
}


def revoked(*kids: str) -> str:
    return json.dumps([{"issuer": ISSUER, "kid": kid} for kid in kids])


@pytest.fixture
def aws() -> Iterator[None]:
    with account_apart():
        yield


def deployed(*kids: str) -> None:
    parameters = [{"ParameterKey": "RevokedKeys", "ParameterValue": revoked(*kids)}]
    client: Any = boto3.client("cloudformation", region_name="eu-west-3")
    client.create_stack(StackName="dmp-dev", TemplateBody=json.dumps(TEMPLATE), Parameters=parameters)


def refused_now(*kids: str) -> None:
    """Refuse keys as the operator's command does, under the stack."""
    client: Any = boto3.client("lambda", region_name="eu-west-3")
    [function] = client.list_functions()["Functions"]
    variables = {"REVOKED_KEYS": revoked(*kids)}
    client.update_function_configuration(FunctionName=function["FunctionName"], Environment={"Variables": variables})


def settings(folder: Path, *overrides: str) -> Path:
    path = folder / "samconfig.toml"
    head = '[dev.deploy.parameters]\nstack_name = "dmp-dev"\nregion = "eu-west-3"\n'
    path.write_text("\n".join([head, "[dev.deploy.parameters.parameter_overrides]", 'Stage = "dev"', *overrides]))
    return path


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("with_", "now", "overrides", "code"),
    [
        ([], [], [], 0),
        ([], ["k1"], [], 1),
        (["k1"], ["k1"], [], 0),
        (["k1"], ["k1", "k2"], [], 1),
        ([], ["k1"], [f"RevokedKeys = '{revoked('k1')}'"], 0),
        (["k1"], ["k1"], ["RevokedKeys = '[]'"], 1),
        (["k1"], [], ["RevokedKeys = '[]'"], 0),
        ([], ["k1"], [f"RevokedKeys = '{revoked('k2')}'"], 1),
    ],
)
def test_a_deployment_that_would_take_back_a_revocation_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    with_: list[str],
    now: list[str],
    overrides: list[str],
    code: int,
) -> None:
    deployed(*with_)
    refused_now(*now)

    ended = main(["dev"], Stack, settings(tmp_path, *overrides))

    assert ended == code
    assert (f"{ISSUER} {now[-1]}" in capsys.readouterr().err) if code else True


@pytest.mark.usefixtures("aws")
def test_a_first_deployment_takes_nothing_back(tmp_path: Path) -> None:
    assert main(["dev"], Stack, settings(tmp_path)) == 0


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("text", ["none", '["k1"]', "[{}]"])
def test_a_parameter_that_nobody_understands_is_no_reason_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    deployed()

    assert main(["dev"], Stack, settings(tmp_path, f"RevokedKeys = '{text}'")) == 4
    assert "cannot be told" in capsys.readouterr().err

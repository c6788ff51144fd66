"""What a deployment of template.yaml and of the stacks beside it promises, whatever its parameters."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infra.local.template import Function, Template, content, refers_to

ROOT = Path(__file__).parents[2]
MAIN = content(ROOT / "template.yaml")
EDGE, FIREWALL = (content(ROOT / "infra" / name) for name in ("edge.yaml", "firewall.yaml"))
TEMPLATE = Template(ROOT / "template.yaml")
FUNCTIONS = sorted(TEMPLATE.functions.values(), key=lambda function: function.name)
QUOTA_OF_EXECUTIONS = 1000
UNRESERVED = 100
"""What AWS leaves to functions that reserve none."""
DAYS = 50
DAYS_UNTIL_THE_JOB = 1
DAYS_UNTIL_BACKUPS_ARE_GONE = 2
SECRET_OF_EDGE = "{{resolve:secretsmanager:${%s}:SecretString:value}}"
by_name = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


def properties(name: str, template: dict[str, Any] = MAIN) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def highest(parameter: str) -> int:
    return int(MAIN["Parameters"][parameter]["MaxValue"])


def default(parameter: str) -> Any:
    return MAIN["Parameters"][parameter]["Default"]


# --- what is kept


@pytest.mark.parametrize("copy", ["NoncurrentVersionDays", "PointInTimeDays", "BackupDays"])
def test_an_erasure_leaves_no_copy_fifty_days_after_the_request(copy: str) -> None:
    latest = highest("ErasureDelayDays") + DAYS_UNTIL_THE_JOB + highest(copy) + DAYS_UNTIL_BACKUPS_ARE_GONE

    assert latest <= DAYS
    assert set(MAIN["Parameters"]["RetentionSchedule"]["AllowedValues"]) <= {
        "rate(1 hour)",
        "rate(6 hours)",
        "rate(12 hours)",
        "rate(1 day)",
    }


def test_backups_hold_every_store_and_no_longer_than_an_erasure_may_take() -> None:
    stores = {
        name
        for name, each in MAIN["Resources"].items()
        if each["Type"] in {"AWS::DynamoDB::Table", "AWS::S3::Bucket"} and name != "LogBucket"
    }
    chosen = properties("BackupSelection")["BackupSelection"]["Resources"]
    lock = properties("BackupVault")["LockConfiguration"]
    [rule] = properties("BackupPlan")["BackupPlan"]["BackupPlanRule"]

    assert {each["Fn::GetAtt"][0] for each in chosen} == stores
    assert lock["MaxRetentionDays"] == highest("BackupDays") == 35
    assert rule["Lifecycle"] == {"DeleteAfterDays": {"Ref": "BackupDays"}}
    assert rule["CopyActions"]["Fn::If"][1][0]["Lifecycle"] == rule["Lifecycle"]


def test_nobody_deletes_a_backup_before_its_time() -> None:
    [statement] = properties("BackupVault")["AccessPolicy"]["Statement"]

    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert "backup:DeleteRecoveryPoint" in statement["Action"]
    assert "Condition" not in statement


# --- functions


@by_name
def test_what_a_function_could_not_do_is_set_aside(function: Function) -> None:
    role = properties(f"{function.name}Role")

    assert MAIN["Globals"]["Function"]["DeadLetterQueue"]["TargetArn"] == {"Fn::GetAtt": ["LostRuns", "Arn"]}
    assert {"Ref": "SetRunsAside"} in role["ManagedPolicyArns"]
    for event in function.events.values():
        if event["Type"] == "ScheduleV2":
            assert event["Properties"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["LostRuns", "Arn"]}}
        assert event["Type"] != "DynamoDB" or event["Properties"]["DestinationConfig"]["OnFailure"]


@by_name
def test_a_function_can_be_put_into_a_network(function: Function) -> None:
    joins = {"Fn::If": ["InVpc", {"Ref": "JoinNetwork"}, {"Ref": "AWS::NoValue"}]}

    assert joins in properties(f"{function.name}Role")["ManagedPolicyArns"]


@by_name
def test_variables_of_a_function_are_encrypted_with_our_key(function: Function) -> None:
    assert MAIN["Globals"]["Function"]["KmsKeyArn"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
    assert "KmsKeyArn" not in properties(function.name)


def test_an_account_has_room_for_all_reserved_executions() -> None:
    reserved = MAIN["Globals"]["Function"]["ReservedConcurrentExecutions"]
    by_function = [properties(each.name).get("ReservedConcurrentExecutions", reserved) for each in FUNCTIONS]

    total = sum(int(default(each["Fn::If"][1]["Ref"])) for each in by_function)

    assert {each["Fn::If"][0] for each in by_function} == {"ReservesConcurrency"}
    assert total <= QUOTA_OF_EXECUTIONS - UNRESERVED


@by_name
def test_a_queue_never_hands_out_more_than_its_function_may_take(function: Function) -> None:
    for event in function.events.values():
        if event["Type"] == "SQS":
            assert event["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= default("BackgroundConcurrency")
            assert MAIN["Parameters"]["BackgroundConcurrency"]["MinValue"] == default("BackgroundConcurrency")


# --- the doors


def test_the_edge_and_the_authorizer_share_one_generated_secret() -> None:
    [origin] = properties("Distribution", EDGE)["DistributionConfig"]["Origins"]
    asked = properties("Authorizer")["Environment"]["Variables"]["EDGE_SECRET"]["Fn::If"]

    assert asked == ["BehindEdge", {"Fn::Sub": SECRET_OF_EDGE % "EdgeSecret"}, ""]
    assert origin["OriginCustomHeaders"] == [
        {"HeaderName": "x-dmp-edge", "HeaderValue": {"Fn::Sub": SECRET_OF_EDGE % "SecretArn"}}
    ]
    assert properties("Edge")["Parameters"]["SecretArn"] == {"Ref": "EdgeSecret"}
    assert MAIN["Resources"]["EdgeSecret"]["Condition"] == MAIN["Resources"]["Edge"]["Condition"] == "BehindEdge"


def test_the_edge_gets_every_parameter_it_declares() -> None:
    assert properties("Edge")["Parameters"].keys() == EDGE["Parameters"].keys()


def test_the_edge_speaks_modern_tls_alone_keeps_nothing_and_stands_behind_the_firewall() -> None:
    edge = properties("Distribution", EDGE)["DistributionConfig"]
    behaviour = edge["DefaultCacheBehavior"]

    assert edge["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert edge["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert edge["WebACLId"] == {"Ref": "WebAclArn"}
    assert "Logging" not in edge, "a log of the distribution's own holds paths and queries"


def test_logs_of_the_edge_say_neither_what_was_asked_for_nor_by_whom() -> None:
    fields = set(properties("AccessLogDelivery", FIREWALL)["RecordFields"])
    redacted = properties("FirewallLogging", FIREWALL)["RedactedFields"]
    headers = {each["SingleHeader"]["Name"] for each in redacted if "SingleHeader" in each}

    assert fields
    assert not {
        name for name in fields if re.search(r"uri|query|cookie|referer|host|forwarded|^c-", name, re.IGNORECASE)
    }
    assert {"QueryString": {}} in redacted
    assert {"UriPath": {}} in redacted
    assert headers >= {"authorization", "cookie", "referer"}


def test_a_challenge_gets_its_name_back() -> None:
    code: dict[str, Any] = {}
    exec(properties("Challenge", FIREWALL)["Code"]["ZipFile"], code)  # noqa: S102 - as Lambda runs it
    refused = [{"key": "x-amzn-Remapped-www-authenticate", "value": "Bearer"}]
    kept = {"content-type": [{"key": "Content-Type", "value": "application/fhir+json"}]}

    def after(headers: dict[str, Any]) -> Any:
        event = {"Records": [{"cf": {"response": {"status": "401", "headers": headers}}}]}
        return code["handler"](event, None)

    assert after({"x-amzn-remapped-www-authenticate": refused} | kept) == {
        "status": "401",
        "headers": {"www-authenticate": [{"key": "WWW-Authenticate", "value": "Bearer"}]} | kept,
    }
    assert after(dict(kept)) == {"status": "401", "headers": kept}


# --- settings


def test_every_parameter_is_used_and_described_where_its_name_says_too_little() -> None:
    for template in (MAIN, EDGE, FIREWALL):
        used = {name for name in template["Parameters"] if refers_to({**template, "Parameters": {}}, {name})}
        in_texts = set(re.findall(r"\$\{(\w+)\}", str(template)))

        assert not template["Parameters"].keys() - used - in_texts


def test_the_settings_of_every_environment_are_parameters_of_the_template() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stages = {"dev", "preprod", "prod"}
    required = {name for name, each in MAIN["Parameters"].items() if "Default" not in each}

    assert {name.removesuffix("-firewall") for name in settings if name != "version"} == stages
    for stage in stages:
        given = settings[stage]["deploy"]["parameters"]
        firewall = settings[f"{stage}-firewall"]["deploy"]["parameters"]

        assert required <= given["parameter_overrides"].keys() <= MAIN["Parameters"].keys()
        assert given["confirm_changeset"] is firewall["confirm_changeset"] is True
        assert given["region"].startswith("eu-")
        assert firewall["region"] == "us-east-1"
        assert firewall.get("parameter_overrides", {}).keys() <= FIREWALL["Parameters"].keys()

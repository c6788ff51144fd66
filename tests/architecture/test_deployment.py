"""What a deployment of template.yaml and of the stacks beside it promises, whatever its parameters."""

import hashlib
import re
import subprocess
import tomllib
from itertools import permutations
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
DAYS_OF_A_JOB_THAT_FAILED = 1
DAYS_UNTIL_BACKUPS_ARE_GONE = 2
SECRET_OF_EDGE = "{{resolve:secretsmanager:${%s}:SecretString:value::${%s}}}"
LONGEST_NAME = 27
"""Of a stack: IAM cuts longer ones where the name of a role would exceed 64 letters."""
SETTINGS = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
STAGES = ("dev", "preprod", "prod")
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
    erased = highest("ErasureDelayDays") + DAYS_UNTIL_THE_JOB + DAYS_OF_A_JOB_THAT_FAILED

    assert erased + highest(copy) + DAYS_UNTIL_BACKUPS_ARE_GONE < DAYS
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
    [statement, _] = properties("BackupVault")["AccessPolicy"]["Statement"]

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

    assert asked == ["BehindEdge", {"Fn::Sub": SECRET_OF_EDGE % ("EdgeSecret", "EdgeSecretVersionId")}, ""]
    assert origin["OriginCustomHeaders"] == [
        {"HeaderName": "x-dmp-edge", "HeaderValue": {"Fn::Sub": SECRET_OF_EDGE % ("SecretArn", "SecretVersionId")}}
    ]
    assert properties("Edge")["Parameters"]["SecretArn"] == {"Ref": "EdgeSecret"}
    assert properties("Edge")["Parameters"]["SecretVersionId"] == {"Ref": "EdgeSecretVersionId"}
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


def test_logs_of_the_edge_say_not_what_was_asked_for() -> None:
    fields = set(properties("AccessLogDelivery", FIREWALL)["RecordFields"])
    redacted = properties("FirewallLogging", FIREWALL)["RedactedFields"]
    headers = {each["SingleHeader"]["Name"] for each in redacted if "SingleHeader" in each}

    assert fields
    assert not {
        name for name in fields if re.search(r"uri|query|cookie|referer|host|forwarded|^c-", name, re.IGNORECASE)
    }
    assert {"QueryString": {}} in redacted
    assert {"UriPath": {}} in redacted
    assert headers >= {"authorization", "cookie", "referer", "if-none-exist"}


def test_the_firewall_logs_what_it_refuses_alone_and_quotes_nothing_of_it() -> None:
    logging = properties("FirewallLogging", FIREWALL)["LoggingFilter"]
    protected = properties("WebAcl", FIREWALL)["DataProtectionConfig"]["DataProtections"]
    [kept] = logging["Filters"]

    assert (logging["DefaultBehavior"], kept["Behavior"]) == ("DROP", "KEEP")
    assert kept["Conditions"] == [{"ActionCondition": {"Action": "BLOCK"}}]
    assert {each["Field"]["FieldType"] for each in protected} == {"BODY", "QUERY_STRING", "SINGLE_HEADER"}
    assert not [each for each in protected if each["ExcludeRuleMatchDetails"] or each["Action"] != "SUBSTITUTION"]
    [names] = [each["Field"]["FieldKeys"] for each in protected if each["Field"]["FieldType"] == "SINGLE_HEADER"]
    assert set(names) >= {"authorization", "if-none-exist"}


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


def test_another_code_at_the_edge_is_another_version() -> None:
    code = properties("Challenge", FIREWALL)["Code"]["ZipFile"]
    [version] = [name for name, each in FIREWALL["Resources"].items() if each["Type"] == "AWS::Lambda::Version"]

    assert version == f"ChallengeVersion{hashlib.sha256(code.encode()).hexdigest()[:8]}"


# --- settings


def test_every_parameter_is_used_and_described_where_its_name_says_too_little() -> None:
    for template in (MAIN, EDGE, FIREWALL):
        used = {name for name in template["Parameters"] if refers_to({**template, "Parameters": {}}, {name})}
        in_texts = set(re.findall(r"\$\{(\w+)\}", str(template)))

        assert not template["Parameters"].keys() - used - in_texts


def test_the_settings_of_every_environment_are_parameters_of_the_template() -> None:
    settings, stages = SETTINGS, set(STAGES)
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


# --- several stacks in one account


def test_no_name_is_fixed_that_a_second_stack_would_need() -> None:
    schedules = [each for function in FUNCTIONS for each in function.events.values() if each["Type"] == "ScheduleV2"]

    assert len(schedules) >= 7
    for each in schedules:
        assert each["Properties"]["OmitName"] is True, "SAM would name it by its logical id"


@pytest.mark.parametrize("path", ["template.yaml", *sorted(each.name for each in (ROOT / "infra").glob("*.yaml"))])
def test_whatever_has_a_name_has_that_of_its_stack_in_it(path: str) -> None:
    template = content(ROOT / path if path == "template.yaml" else ROOT / "infra" / path)
    named = r"(Alarm|Bucket|BackupVault|Dashboard|Function|LogGroup|ManagedPolicy|Policy|Queue|Role|Table|Topic)?Name"

    fixed = [
        f"{resource}.{name}: {value}"
        for resource, each in template["Resources"].items()
        for name, value in each.get("Properties", {}).items()
        if re.fullmatch(named, name) and isinstance(value, str)
    ]

    assert not fixed


def stack_names() -> list[str]:
    return [each["deploy"]["parameters"]["stack_name"] for name, each in SETTINGS.items() if name != "version"]


def test_policies_know_the_roles_of_each_stack_by_its_name_alone() -> None:
    names = stack_names()

    assert len(set(names)) == len(names) == 2 * len(STAGES)
    assert not [(one, other) for one, other in permutations(names, 2) if one.startswith(f"{other}-")]
    assert not [name for name in names if not re.fullmatch(rf"[a-z][a-z0-9-]{{0,{LONGEST_NAME - 1}}}", name)]


def test_an_account_has_room_for_the_stacks_of_all_stages() -> None:
    given = {stage: SETTINGS[stage]["deploy"]["parameters"]["parameter_overrides"] for stage in STAGES}

    assert {stage for stage in STAGES if given[stage].get("ReservedConcurrency") != "0"} == {"prod"}


@pytest.mark.parametrize(("length", "code"), [(LONGEST_NAME, 0), (LONGEST_NAME + 1, 2)])
def test_a_name_that_policies_would_not_know_is_not_deployed(length: int, code: int, tmp_path: Path) -> None:
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    (tmp_path / "samconfig.toml").write_text(text.replace('"dmp-dev"', f'"{"d" * length}"'), encoding="utf-8")

    alone = ["MAKE=true", "RUN_SAM=true"]
    command = ["make", "-f", str(ROOT / "Makefile"), "-C", str(tmp_path), "deploy", "ENV=dev", *alone]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.returncode == code, run.stderr


# --- what AWS asks of a deployment


@pytest.mark.parametrize("name", ["ReplicationRole", "MalwareProtectionRole"])
def test_a_service_that_names_no_account_assumes_its_role_all_the_same(name: str) -> None:
    [trust] = properties(name)["AssumeRolePolicyDocument"]["Statement"]

    assert "Condition" not in trust
    assert "s3.amazonaws.com" in str(trust["Principal"]) or "guardduty" in str(trust["Principal"])


def test_the_role_of_the_scanner_is_known_before_it_is_tried() -> None:
    assert MAIN["Resources"]["MalwareProtection"]["DependsOn"] == "Alarms"


def test_rules_of_eventbridge_may_tell_the_topic() -> None:
    alarms = content(ROOT / "infra/alarms.yaml")
    statements = properties("OperatorsPolicy", alarms)["PolicyDocument"]["Statement"]

    told = {str(each["Principal"]): each for each in statements if each["Effect"] == "Allow"}

    assert "Condition" not in told["{'Service': 'events.amazonaws.com'}"]
    assert "aws:SourceAccount" in str(told["{'Service': 'cloudwatch.amazonaws.com'}"]["Condition"])

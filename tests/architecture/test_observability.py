"""What operators see: lines with keys of the list, figures that are looked at, alarms that ring and are explained."""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dmp.metrics import NAMESPACE, REASONED, Metric
from dmp.observability import KEYS
from infra.admin.__main__ import _parser
from infra.admin.replays import QUEUES
from infra.local.template import content
from tests.architecture.source import FUNCTIONS, ROOT, modules, place, tree

type Json = dict[str, Any]

TEMPLATE, ALARMS, DASHBOARD = (
    content(ROOT / name) for name in ("template.yaml", "infra/alarms.yaml", "infra/dashboard.yaml")
)
RUNBOOK = (ROOT / "infra" / "runbook.md").read_text()
NATIVE = {
    ("AWS/ApiGateway", "4xx"): {"ApiId"},
    ("AWS/ApiGateway", "5xx"): {"ApiId"},
    ("AWS/ApiGateway", "Count"): {"ApiId"},
    ("AWS/ApiGateway", "IntegrationLatency"): {"ApiId"},
    ("AWS/ApiGateway", "Latency"): {"ApiId"},
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): {"TableName"},
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): {"TableName"},
    ("AWS/DynamoDB", "ReadThrottleEvents"): {"TableName"},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {"TableName"},
    ("AWS/Lambda", "ConcurrentExecutions"): {"FunctionName"},
    ("AWS/Lambda", "Duration"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/SES", "Reputation.BounceRate"): set(),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
}
"""What AWS measures by itself, by which dimensions; Throttles of the account have none."""
SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]+)\} MetricName=\"(?P<name>\w+)\"")


# --- log lines


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if (
                    isinstance(owner, ast.Name)
                    and owner.id == "logger"
                    and node.func.attr not in {"addFilter", "setLevel"}
                ):
                    yield f"{place(path)}:{node.lineno}", node


def test_a_line_has_one_event_and_keys_of_the_list() -> None:
    calls = list(log_calls())

    assert len(calls) > 20
    for where, call in calls:
        [event] = call.args
        is_named = isinstance(event, ast.Name) and event.id == "failure_event"
        assert is_named or (isinstance(event, ast.Constant) and re.fullmatch(r"[a-z_]+", str(event.value))), where
        assert {keyword.arg for keyword in call.keywords} <= {"extra"}, where
        for keyword in call.keywords:
            assert keys_of(keyword.value) <= KEYS, where


def keys_of(extra: ast.expr) -> set[str]:
    if not isinstance(extra, ast.Dict):
        return set()
    assert all(isinstance(key, ast.Constant) for key in extra.keys)
    return {str(key.value) for key in extra.keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize("path", sorted((FUNCTIONS / "handlers").glob("*.py")), ids=lambda path: path.stem)
def test_every_function_begins_by_saying_what_its_lines_belong_to(path: Any) -> None:
    if path.stem == "__init__":
        return
    code = tree(path)
    called = {node.func.id for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    entries = {one["Properties"]["Handler"] for one in functions().values()}
    mine = {name.rpartition(".")[2] for name in entries if name.startswith(f"handlers.{path.stem}.")}

    assert mine
    assert called & {"Api", "follow", "handle_batch"}
    for entry in (node for node in code.body if isinstance(node, ast.FunctionDef) and node.name in mine):
        names = {node.id for node in ast.walk(entry) if isinstance(node, ast.Name)}
        assert names & {"_API", "follow", "handle_batch", "_is_done", "_deliver"}, entry.name


def functions() -> Mapping[str, Json]:
    return {name: one for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}


def test_no_function_filters_the_lines_that_hold_its_figures() -> None:
    for name, function in functions().items():
        assert function["Properties"]["LoggingConfig"].keys() == {"LogGroup", "LogFormat"}, name
        assert function["Properties"]["LoggingConfig"]["LogFormat"] == "JSON", name


# --- figures, alarms and the page


def alarms() -> dict[str, Json]:
    return {name: one["Properties"] for name, one in ALARMS["Resources"].items() if "Alarm" in one["Type"]}


def rules() -> dict[str, Json]:
    return {name: one["Properties"] for name, one in ALARMS["Resources"].items() if one["Type"] == "AWS::Events::Rule"}


def measured(alarm: Json) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Namespace, name and dimensions of each metric that an alarm looks at."""
    parts = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one] or [alarm]
    for one in parts:
        yield one["Namespace"], one["MetricName"], {each["Name"]: each["Value"] for each in one.get("Dimensions", ())}


def shown() -> Iterator[tuple[str, str, set[str]]]:
    """Namespace, name and dimensions of each metric of the page."""
    for metric in (metric for widget in page()["widgets"] for metric in widget["properties"]["metrics"]):
        if isinstance(metric[0], dict):
            found = SEARCH.match(metric[0]["expression"])
            assert found, metric
            namespace, *dimensions = found["schema"].split(",")
            yield namespace, found["name"], set(dimensions)
        else:
            yield metric[0], metric[1], set(metric[2:-1:2])


def page() -> Json:
    body, _ = DASHBOARD["Resources"]["Page"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return dict(json.loads(body))


def counted() -> set[str]:
    """The figures that the functions write: those named where `count` or `measure` is called, or by the trace."""
    text = "".join(path.read_text() for path in modules() if path.name != "metrics.py")
    return {Metric[name].value for name in re.findall(r"\bMetric\.([A-Z_]+)", text)}


def test_every_figure_is_written_somewhere() -> None:
    assert counted() == {metric.value for metric in Metric}


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_looks_at_what_is_measured(name: str) -> None:
    for namespace, metric, dimensions in measured(alarms()[name]):
        if namespace == NAMESPACE:
            assert metric in counted()
            assert dimensions["Stage"] == {"Ref": "Stage"}
            assert dimensions.keys() <= ({"Stage", "Reason"} if Metric(metric) in REASONED else {"Stage"})
        else:
            assert dimensions.keys() == NATIVE[namespace, metric] or (metric, dimensions) == ("Throttles", {})


def test_the_page_shows_what_is_measured() -> None:
    for namespace, metric, dimensions in shown():
        if namespace == NAMESPACE:
            assert Metric(metric) in REASONED or dimensions == {"Stage"}
            assert dimensions <= {"Stage", "Reason"}
        else:
            assert dimensions == NATIVE[namespace, metric]


def test_every_figure_is_looked_at() -> None:
    rung = {metric for alarm in alarms().values() for namespace, metric, _ in measured(alarm) if namespace == NAMESPACE}
    seen = {metric for namespace, metric, _ in shown() if namespace == NAMESPACE}

    assert rung | seen == {metric.value for metric in Metric}


def test_the_reasons_that_alarms_ask_for_are_told() -> None:
    text = "".join(path.read_text() for path in modules())
    reasons = [
        dimensions["Reason"]
        for alarm in alarms().values()
        for _, _, dimensions in measured(alarm)
        if "Reason" in dimensions
    ]

    assert reasons
    assert not [reason for reason in reasons if f'"{reason}"' not in text]


@pytest.mark.parametrize("name", [*alarms(), *rules()])
def test_whoever_is_told_finds_what_it_means_and_what_to_do(name: str) -> None:
    told = (alarms() | rules())[name]
    text = told.get("AlarmDescription") or told["Description"]

    assert re.search(rf"; \S.*\. Runbook {name}$", text, re.DOTALL), "its condition; the reason for its threshold"
    assert sections()[name].keys() == {"Means", "Look at", "Do"}
    assert all(sections()[name].values())


def test_the_runbook_explains_nothing_that_never_rings() -> None:
    assert set(sections()) == {*alarms(), *rules()}


def sections() -> dict[str, dict[str, str]]:
    """The sections of alarms, each with its three parts."""
    told = RUNBOOK.partition("## Alarms")[2].partition("\n## ")[0]
    _, *found = re.split(r"^### ", told, flags=re.MULTILINE)
    return {name: parts(text) for name, _, text in (one.partition("\n") for one in found)}


def parts(text: str) -> dict[str, str]:
    _, *found = re.split(r"^\*\*(Means|Look at|Do)\.\*\* ", text, flags=re.MULTILINE)
    return dict(zip(found[::2], map(str.strip, found[1::2]), strict=True))


@pytest.mark.parametrize("name", alarms())
def test_operators_hear_when_it_begins_and_when_it_is_over(name: str) -> None:
    alarm = alarms()[name]

    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Operators"}]
    assert alarm["TreatMissingData"] == ("breaching" if name in {"SealLag", "ExpiryLag"} else "notBreaching")
    assert "Threshold" in alarm
    assert "ComparisonOperator" in alarm


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        ("TraceUnprotected", "ExportTableToPointInTime RestoreTableToPointInTime RestoreTableFromBackup CreateBackup"),
        ("TraceUnprotected", "EnableKinesisStreamingDestination UpdateContinuousBackups UpdateTable PutResourcePolicy"),
        ("BucketUnprotected", "PutBucketReplication DeleteBucketLifecycle PutBucketLifecycle PutBucketLogging"),
        ("BucketUnprotected", "PutBucketNotification PutBucketOwnershipControls PutBucketPolicy"),
        ("BackupUnprotected", "StartRestoreJob StartCopyJob PutBackupVaultAccessPolicy"),
        ("BackupUnprotected", "DeleteBackupVaultLockConfiguration DeleteRecoveryPoint"),
        ("AuthorityChanged", "UpdateFunctionConfiguration20150331v2 UpdateFunctionCode20150331v2 UpdateAlias20150331"),
        ("AuthorityChanged", "AddPermission20150331v2 PublishLayerVersion20181031 PutSecretValue DeleteSecret"),
        ("AuthorityChanged", "PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy"),
    ],
)
def test_what_administrators_do_to_the_protections_is_told(rule: str, calls: str) -> None:
    asked = rules()[rule]["EventPattern"]["detail"]["eventName"]
    beginnings = tuple(each["prefix"] for each in asked if isinstance(each, dict))

    assert not [call for call in calls.split() if call not in asked and not call.startswith(beginnings)]


@pytest.mark.parametrize("name", rules())
def test_a_rule_rings_by_a_pattern_that_eventbridge_takes(name: str) -> None:
    rule = rules()[name]

    assert rule["Targets"] == [{"Id": "operators", "Arn": {"Ref": "Operators"}}]
    assert rule.get("State", "ENABLED") == "ENABLED"
    assert len(json.dumps(rule["EventPattern"])) < 2048


def test_a_copy_of_a_backup_that_failed_is_told() -> None:
    assert "Copy Job State Change" in rules()["BackupFailed"]["EventPattern"]["detail-type"]


def test_every_queue_of_the_lost_and_every_consumer_is_watched() -> None:
    resources = TEMPLATE["Resources"]
    given = json.dumps(resources["Alarms"]["Properties"]["Parameters"])
    lost = [name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue" and name.startswith("Lost")]
    behind = [
        name
        for name, one in functions().items()
        if not any(event["Type"] == "HttpApi" for event in one["Properties"].get("Events", {}).values())
    ]

    assert len(lost) >= 8
    assert not [name for name in lost if name not in alarms() or f'"{name}' not in given]
    assert not [name for name in behind if f'"{name}"' not in given]


def test_the_stacks_get_what_they_ask_for() -> None:
    for name, stack in (("Alarms", ALARMS), ("Dashboard", DASHBOARD)):
        given = TEMPLATE["Resources"][name]["Properties"]["Parameters"]
        assert given.keys() == stack["Parameters"].keys()
        assert len(given) <= 200


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?make admin ARGS=\"([^\"]+)\"", RUNBOOK))))
def test_a_command_of_the_runbook_can_be_typed_as_it_stands(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        given = _parser().parse_args(shlex.split(command))
    except SystemExit:
        pytest.fail(capsys.readouterr().err)

    assert (given.stack, given.local) == ("STACK", None)


def test_the_runbook_names_the_program_in_no_other_way() -> None:
    assert RUNBOOK.count("make admin ARGS=") >= 20
    assert not re.findall(r"infra\.admin|`admin \w+|make admin(?! ARGS=\"--stack STACK \w)", RUNBOOK)
    assert set(re.findall(r'ARGS="--stack STACK replay (\w+)"', RUNBOOK)) <= set(QUEUES)

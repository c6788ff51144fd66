"""The smoke test with the template itself: no form in which AWS tells policies alarms, every weakening does."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from moto import mock_aws

from infra.admin.installation import Stack
from infra.checks import plausible
from infra.checks.deployments import CHOICES
from infra.checks.deployments import Stack as Deployed
from infra.local.process import LocalProcess
from infra.local.template import Template, content
from infra.smoke import alarms, buckets, permissions
from infra.smoke.account import TEMPLATE, Account
from infra.smoke.resolution import ANYTHING, Resolution
from infra.smoke.result import State
from infra.smoke.statements import as_declared, listed
from tests.small_account import Deployed as Deployment

type Json = dict[str, Any]
type Policies = dict[str, tuple[list[Json], list[Json]]]
"""What AWS would have, and what the smoke test makes of the template."""

STACK_ID = "arn:aws:cloudformation:eu-west-3:123456789012:stack/dmp/11111111-2222-3333-4444-555555555555"
BY_ARN = {"AWS::IAM::ManagedPolicy", "AWS::SecretsManager::Secret", "AWS::SNS::Topic"}
ROOT = "arn:aws:iam::123456789012:root"


@cache
def policies(choice: str) -> Policies:
    """Every policy of the template, resolved by the static checks, and so on their own by the smoke test."""
    template = content(TEMPLATE)
    for each in template["Resources"].values():
        each["Type"] = each["Type"].replace("AWS::Serverless::Function", "AWS::Lambda::Function")
    parameters = CHOICES[choice](template)
    stack = Deployed("template.yaml", template).resolved(parameters)
    texts = {name: str(value) for name, value in parameters.items()}
    resources = {one.id: (str(one.whole["Type"]), physical(one)) for one in stack.resources()}
    resolution = Resolution(STACK_ID, texts, template["Conditions"], resources)
    return {
        f"{name} {number}": (listed(plausible.plain(one, stack)), listed(resolution.value(written)))
        for name, each in stack.content["Resources"].items()
        for number, (one, written) in enumerate(
            zip(documents(each), documents(template["Resources"][name]), strict=True)
        )
    }


def physical(resource: Any) -> str:
    kind = resource.whole["Type"]
    if kind in BY_ARN:
        return str(plausible.arn(resource))
    return "functionsgroup.groupid" if kind == "AWS::EC2::SecurityGroup" else str(resource.id).lower()


def documents(resource: Json) -> list[Json]:
    properties = resource.get("Properties", {})
    names = ("KeyPolicy", "PolicyDocument", "AssumeRolePolicyDocument")
    found = [properties[name] for name in names if name in properties]
    if "ResourcePolicy" in properties:
        found.append(properties["ResourcePolicy"].get("PolicyDocument", properties["ResourcePolicy"]))
    if "ResourcePolicy" in properties.get("StreamSpecification", {}):
        found.append(properties["StreamSpecification"]["ResourcePolicy"]["PolicyDocument"])
    if "AccessPolicy" in properties:
        found.append(properties["AccessPolicy"])
    return found + [each["PolicyDocument"] for each in properties.get("Policies", ())]


def stored(value: Any) -> Any:
    return value


def shortened(value: Any) -> Any:
    """One value without a list, numbers and truth as such, everybody and accounts in their short form."""
    match value:
        case dict() if value.get("AWS") == "*":
            return "*"
        case dict():
            return {name: shortened(each) for name, each in reversed(value.items())}
        case [one]:
            return shortened(one)
        case list():
            return [shortened(each) for each in reversed(value)]
        case "true" | "false":
            return value == "true"
        case str() if value.isdigit() and len(value) < len("123456789012"):
            return int(value)
    return "123456789012" if value == ROOT else value


def lengthened(value: Any, name: str = "") -> Any:
    """Every value in a list, everybody in the long form, condition keys in small letters."""
    if name == "Principal" and value == "*":
        return {"AWS": ["*"]}
    match value:
        case dict():
            return {each.replace("PrincipalArn", "principalarn"): lengthened(one, each) for each, one in value.items()}
        case list():
            return [lengthened(each)[0] if isinstance(each, str) else lengthened(each) for each in value]
        case "true" | "false":
            return [value.title()]
        case str() if name not in ("Sid", "Effect"):
            return [value]
    return value


@pytest.mark.parametrize("form", [stored, shortened, lengthened])
@pytest.mark.parametrize("choice", CHOICES)
def test_what_aws_would_tell_of_the_template_raises_no_alarm(choice: str, form: Callable[[Any], Any]) -> None:
    told = {
        name: as_declared(listed({"Statement": form(found)}), wanted)
        for name, (found, wanted) in policies(choice).items()
    }

    assert len(told) > 80
    assert {name: why for name, (holds, why) in told.items() if not holds} == {}


@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_but_the_label_of_a_stream_is_unknown(choice: str) -> None:
    unknown = {
        text
        for _, wanted in policies(choice).values()
        for text in texts(wanted)
        if ANYTHING in text.removesuffix(f"/stream/{ANYTHING}")
    }

    assert unknown == set()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)
    else:
        yield str(value)


def weakened(statement: Json) -> Iterator[tuple[str, list[Json]]]:
    """What the statement may be instead, by what is weaker about it."""
    yield "dropped", []
    yield "turned", [statement | {"Effect": "Allow" if statement["Effect"] == "Deny" else "Deny"}]
    condition = statement.get("Condition", {})
    yield "one condition more", [statement | {"Condition": condition | {"IpAddress": {"aws:SourceIp": "192.0.2.1/32"}}}]
    for name in {"Action", "Resource", "NotResource"} & set(statement):
        values = statement[name] if isinstance(statement[name], list) else [statement[name]]
        yield f"one {name} more", [statement | {name: [*values, "x:more"]}]
        yield f"another {name}", [statement | {name: [*values[1:], "x:other"]}]
        others = {each: value for each, value in statement.items() if each != name}
        yield f"not {name}", [others | {"Resource" if name == "NotResource" else f"Not{name}": values}]
        # without a condition, what an Fn::If chooses may be there already
        if len(set(values)) > 1:
            yield f"one {name} less", [statement | {name: [each for each in values if each != values[0]]}]
    if "Principal" in statement:
        yield "for another", [statement | {"Principal": {"AWS": "arn:aws:iam::210987654321:role/other"}}]
        yield "for one more", [statement | {"Principal": {"AWS": ["*", "arn:aws:iam::210987654321:root"]}}]
    for operator, keys in condition.items():
        others = {each: value for each, value in condition.items() if each != operator}
        yield f"without {operator}", [statement | {"Condition": others}]
        yield f"{operator} if exists", [statement | {"Condition": others | {f"{operator}IfExists": keys}}]
        for key in keys:
            yield f"{key} anything", [statement | {"Condition": condition | {operator: keys | {key: ["*"]}}}]
            other = {n: each for n, each in keys.items() if n != key} | {f"{key}x": keys[key]}
            yield f"{key} renamed", [statement | {"Condition": condition | {operator: other}}]


def unseen(found: list[Json], wanted: list[Json]) -> Iterator[str]:
    """The weakenings of each statement that are not told by its name."""
    for number, statement in enumerate(found):
        for what, instead in weakened(statement):
            holds, why = as_declared([*found[:number], *instead, *found[number + 1 :]], wanted)
            if holds or str(statement.get("Sid", "without a name")) not in why:
                yield f"{statement.get('Sid')}: {what}"
    for principal in ("*", {"AWS": "arn:aws:iam::210987654321:root"}):
        more = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        holds, why = as_declared([*found, more], wanted)
        if holds or "more: a statement without a name (kms:*)" not in why:
            yield f"more for {principal}"


@pytest.mark.parametrize("choice", CHOICES)
def test_no_weakening_of_any_statement_of_the_template_goes_unseen(choice: str) -> None:
    found = [f"{name} {what}" for name, each in policies(choice).items() for what in unseen(*each)]

    assert found == []


# --- alarms


def resolved_alarms() -> tuple[Account, dict[str, Json]]:
    """A stack that is given a text for every parameter, and the alarms that CloudFormation would make in it."""
    template = Template(TEMPLATE.parent / "infra" / "alarms.yaml")
    given = dict.fromkeys(template._content["Parameters"], "7")
    topic = "arn:aws:sns:eu-west-3:123456789012:operators"
    account = Account(Deployment("alarms"), template)
    account._told = {"StackId": STACK_ID, "Parameters": []}
    account._parameters = given
    account._resources = {"Operators": (alarms.TOPIC, topic)}
    made = {}
    for logical, properties in template.resources(alarms.ALARM):
        made[logical] = account.resolved(properties)
        account._resources[logical] = (alarms.ALARM, made[logical]["AlarmName"])
    return account, made


@mock_aws
def test_every_alarm_of_the_template_is_told_from_one_that_rings_at_another_figure() -> None:
    account, made = resolved_alarms()
    client = account.client("cloudwatch")

    told = []
    for change in 0, 1:
        for alarm in made.values():
            client.put_metric_alarm(**alarm | {"Threshold": float(alarm["Threshold"]) + change})
        told.append(
            {one.target: (one.check, one.state) for one in alarms.alarms(account) if one.check != "alarm.tells"}
        )

    assert len(made) > 30
    assert told[0] == dict.fromkeys(made, ("alarm.rule", State.OK))
    assert told[1] == dict.fromkeys(made, ("alarm.rule", State.FAILED))


# --- the local stack


@pytest.fixture(scope="module")
def here() -> Iterator[Account]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield Account(Stack("", None, local=stack.url))


KEYS = [name for name, _ in Account(Stack("", None)).template.resources(permissions.KEY)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"Condition": {"ArnNotLike": {"aws:PrincipalArn": ["*"]}}}, []),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}, []),
        ({}, [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]),
    ],
)
def test_a_weaker_policy_of_a_key_of_the_template_is_found(
    here: Account, key: str, changes: Json, more: list[Json]
) -> None:
    client, key_id = here.client("kms"), here.physical(key)
    before = client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    *rest, last = json.loads(before)["Statement"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [*rest, last | changes, *more]})

    client.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
    found = {(one.check, one.target) for one in permissions.keys(here) if one.state is State.FAILED}
    client.put_key_policy(KeyId=key_id, PolicyName="default", Policy=before)

    assert found == {("key.policy", key)}


@pytest.mark.parametrize("bucket", ["DocumentsBucket", "LogBucket", "SealsBucket"])
def test_a_rule_more_of_a_bucket_of_the_template_is_found(here: Account, bucket: str) -> None:
    client, name = here.client("s3"), here.physical(bucket)
    before = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"] if bucket != "SealsBucket" else []
    rule = {"ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}

    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [*before, rule]})
    found = {(one.target, one.why) for one in buckets.buckets(here) if one.check == "bucket.life" and one.why}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": before})

    assert found == {(bucket, "not declared: all")}


def test_the_policy_of_a_bucket_of_the_template_is_held_against_what_s3_tells(here: Account) -> None:
    client, name = here.client("s3"), here.physical("DocumentsBucket")
    [declared] = [
        each["PolicyDocument"]
        for _, each in here.template.resources("AWS::S3::BucketPolicy")
        if each["Bucket"] == {"Ref": "DocumentsBucket"}
    ]
    policy = here.resolved(declared)
    wide = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    told = []
    for statements in (policy["Statement"], policy["Statement"][1:], [*policy["Statement"], wide]):
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(policy | {"Statement": statements}))
        results = [one for one in buckets.buckets(here) if one.check == "bucket.policy"]
        told += [one.why for one in results if one.target == "DocumentsBucket"]
    client.delete_bucket_policy(Bucket=name)

    assert told == ["", "without TlsOnly", "more: a statement without a name (s3:getobject) allows s3:getobject"]

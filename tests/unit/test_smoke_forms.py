"""What the smoke test takes for the same, and for another: life cycles, expressions that cannot be told, statements."""

from typing import Any

import pytest

from infra.smoke.life_cycles import life_as_declared
from infra.smoke.resolution import ANYTHING, Resolution, Untold
from infra.smoke.statements import as_declared

type Json = dict[str, Any]

STACK_ID = "arn:aws:cloudformation:eu-west-3:123456789012:stack/dmp/11111111-2222-3333-4444-555555555555"
ON = {"Status": "Enabled"}

SAME = [
    ({"ExpirationInDays": "7"}, {"Expiration": {"Days": 7}, "Filter": {}}),
    ({"ExpirationInDays": 7}, {"Expiration": {"Days": 7}, "Prefix": ""}),
    ({"Prefix": "a/", "ExpirationInDays": 7}, {"Expiration": {"Days": 7}, "Filter": {"Prefix": "a/"}}),
    ({"Prefix": "a/", "ExpirationInDays": 7}, {"Expiration": {"Days": 7}, "Filter": {"And": {"Prefix": "a/"}}}),
    ({"ExpiredObjectDeleteMarker": "true"}, {"Expiration": {"ExpiredObjectDeleteMarker": True}}),
    ({"ExpirationInDays": 7}, {"Expiration": {"Days": 7, "ExpiredObjectDeleteMarker": False}}),
    ({"ExpirationDate": "2030-01-01T00:00:00Z"}, {"Expiration": {"Date": "2030-01-01 00:00:00+00:00"}}),
    (
        {"NoncurrentVersionExpirationInDays": 3},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 3}},
    ),
    (
        {"NoncurrentVersionExpiration": {"NoncurrentDays": "3", "NewerNoncurrentVersions": "2"}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
    ),
    (
        {"TagFilters": [{"Key": "k", "Value": "v"}], "ObjectSizeGreaterThan": "5", "ExpirationInDays": 7},
        {
            "Filter": {"And": {"Tags": [{"Value": "v", "Key": "k"}], "ObjectSizeGreaterThan": 5}},
            "Expiration": {"Days": 7},
        },
    ),
    (
        {"Transition": {"StorageClass": "GLACIER", "TransitionInDays": 1}},
        {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
    ),
    (
        {"NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 1}]},
        {"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]},
    ),
]
OTHER: list[Json] = [
    {"Filter": {"Prefix": "a/"}},
    {"Prefix": "a/"},
    {"Filter": {"Tag": {"Key": "k", "Value": "v"}}},
    {"Filter": {"ObjectSizeGreaterThan": 5}},
    {"Filter": {"ObjectSizeLessThan": 5}},
    {"Filter": {"And": {"Prefix": "a/", "ObjectSizeLessThan": 5}}},
    {"Expiration": {"Days": 8}},
    {"Expiration": {"Date": "2030-01-01"}},
    {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
    {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
    {"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]},
    {"WhatS3MayLearn": {"Days": 1}},
]


@pytest.mark.parametrize(("declared", "told"), SAME)
def test_a_rule_is_the_same_in_the_words_of_cloudformation_and_of_s3(declared: Json, told: Json) -> None:
    holds, why = life_as_declared([{"Id": "a"} | ON | declared], {"Rules": [{"ID": "a"} | ON | told]})

    assert (bool(holds), why) == (True, "")


@pytest.mark.parametrize("changes", OTHER)
def test_a_rule_that_does_more_or_to_less_is_another(changes: Json) -> None:
    rule = {"ID": "a", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}} | ON

    holds, why = life_as_declared([{"Id": "a", "ExpirationInDays": 7} | ON], {"Rules": [rule | changes]})

    assert not holds
    assert why == "not as declared: a"


@pytest.mark.parametrize("told", [None, {"Rules": []}])
def test_no_rules_are_as_declared_where_none_are_and_missing_where_some_are(told: Json | None) -> None:
    without = life_as_declared([], told)
    missing = life_as_declared([{"Id": "a", "ExpirationInDays": 7} | ON], told)

    assert without[0]
    assert missing == (False, "not as declared: a")


@pytest.fixture
def resolution() -> Resolution:
    conditions = {
        "HasName": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
        "Odd": {"Fn::Equals": [{"Ref": "No"}, "a"]},
    }
    resources = {"Queue": ("AWS::SQS::Queue", "https://sqs.eu-west-3.amazonaws.com/123456789012/work")}
    return Resolution(STACK_ID, {"Name": "me@example.org"}, conditions, resources)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:eu-west-3:123456789012:work"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:aws:sqs:eu-west-3:123456789012:work"),
        (
            {"Fn::Sub": "${Queue.Arn}/${!Literal}/${AWS::StackName}"},
            "arn:aws:sqs:eu-west-3:123456789012:work/${Literal}/dmp",
        ),
        ({"Fn::Sub": ["${A}-${Name}", {"A": {"Ref": "AWS::Region"}}]}, "eu-west-3-me@example.org"),
        ({"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "Name"}]}]}, "example.org"),
        ({"Fn::Join": ["/", ["a", {"Ref": "AWS::AccountId"}]]}, "a/123456789012"),
        ([{"Fn::If": ["HasName", "a", {"Ref": "AWS::NoValue"}]}, {"Ref": "AWS::NoValue"}], ["a"]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ({"Ref": "Missing"}, ANYTHING),
        ({"Fn::Sub": "a-${Missing}"}, f"a-{ANYTHING}"),
        ({"Fn::GetAtt": ["Missing", "Arn"]}, ANYTHING),
        ({"Fn::ImportValue": "x"}, ANYTHING),
        ({"Fn::Select": [0, {"Fn::Split": ["@", {"Ref": "Missing"}]}]}, ANYTHING),
    ],
)
def test_an_expression_comes_to_what_the_stack_knows_of_it(resolution: Resolution, expression: Any, value: Any) -> None:
    assert resolution.value(expression) == value


def test_outputs_of_a_stack_within_are_not_made_up() -> None:
    within = {"Edge": ("AWS::CloudFormation::Stack", "arn:aws:cloudformation:eu-west-3:1:stack/e/1")}
    resolution = Resolution(STACK_ID, {}, {}, within)

    assert resolution.value({"Fn::GetAtt": ["Edge", "Outputs.DistributionArn"]}) == ANYTHING


def test_a_choice_by_an_unknown_number_is_not_made(resolution: Resolution) -> None:
    with pytest.raises(Untold):
        resolution.value({"Fn::Select": [{"Ref": "Missing"}, ["a"]]})


def test_a_condition_that_cannot_be_told_is_decided_for_nobody(resolution: Resolution) -> None:
    with pytest.raises(Untold, match="cannot be told"):
        resolution.value({"Fn::If": ["Odd", "a", "b"]})


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (["arn:x:table/a/stream/2026"], True),
        (["arn:x:table/a/stream/*"], False),
        (["arn:x:table/b/stream/2026"], False),
        (["arn:x:table/a/stream/2026", "arn:x:table/a/stream/2027"], False),
        (["*"], False),
        ([], False),
    ],
)
def test_what_is_not_known_stands_for_one_name_and_for_no_wildcard(found: list[str], holds: bool) -> None:
    wanted = {
        "Sid": "S",
        "Effect": "Allow",
        "Action": "dynamodb:GetRecords",
        "Resource": f"arn:x:table/a/stream/{ANYTHING}",
    }

    told, why = as_declared([wanted | {"Resource": found}], [wanted])

    assert bool(told) is holds
    assert why == ("" if holds else "S: another Resource")


def test_a_condition_told_twice_is_no_condition_as_declared() -> None:
    wanted = {"Sid": "S", "Effect": "Deny", "Action": "a:b", "Condition": {"StringEquals": {"aws:key": "a"}}}
    twice = {"StringEquals": {"aws:KEY": "other", "aws:key": "a"}}

    holds, why = as_declared([wanted | {"Condition": twice}], [wanted])

    assert not holds
    assert why.startswith("S: another Condition")


def test_an_allowance_hides_behind_no_denial_of_the_same_name() -> None:
    allowance = {"Sid": "S", "Effect": "Allow", "Action": "a:b", "Resource": "*"}

    holds, why = as_declared([allowance, allowance | {"Effect": "Deny"}], [])

    assert not holds
    assert why == "more: S allows a:b"


@pytest.mark.parametrize("is_first", [True, False])
def test_an_allowance_hides_behind_no_weakened_statement_of_the_same_name(is_first: bool) -> None:
    denial = {"Sid": "S", "Effect": "Deny", "Principal": "*", "Action": "a:*", "Resource": "*"}
    found = [denial | {"Effect": "Allow", "Action": "b:*"}, denial | {"Action": "a:b"}]

    holds, why = as_declared(found if is_first else found[::-1], [denial])

    assert (holds, why) == (False, "S: another Action; more: S allows b:*")

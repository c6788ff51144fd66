"""The checks themselves: what a template becomes under given parameters, and which verdict findings lead to."""

from typing import Any

import pytest

from infra.checks import checkov, nag, parliament
from infra.checks.bars import tool
from infra.checks.deployments import Application, Refused, Stack, applications
from infra.checks.plausible import plain
from infra.checks.policies import names_in, statements
from infra.checks.resolution import Resolution
from infra.checks.rules import broken

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}


def resolved(properties: Any, parameters: dict[str, Any] | None = None, **sections: Any) -> Any:
    template = {"Resources": {"Thing": {"Type": "AWS::SQS::Queue", "Properties": properties}}, **sections}
    return Resolution(template, parameters or {}).template()["Resources"]["Thing"]["Properties"]


def application(resources: dict[str, Any], **sections: Any) -> Application:
    return Application((Stack("template.yaml", {"Resources": resources, **sections}),))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Days"}, 3),
        ({"Ref": "Thing"}, {"Ref": "Thing"}),
        ({"Fn::Sub": "${Days} days"}, "3 days"),
        ({"Fn::Sub": "${Days} of ${Thing}"}, {"Fn::Sub": "3 of ${Thing}"}),
        (
            {"Fn::Sub": ["${A} ${B}", {"A": {"Ref": "Days"}, "B": {"Ref": "Thing"}}]},
            {"Fn::Sub": ["3 ${B}", {"B": {"Ref": "Thing"}}]},
        ),
        ({"Fn::Sub": "${!Literal}"}, "${!Literal}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Days"}]]}, "a-3"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Thing"}]]}, {"Fn::Join": ["-", ["a", {"Ref": "Thing"}]]}),
        ({"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "Mail"}]}]}, "b"),
        ({"Fn::If": ["IsLong", "long", "short"]}, "short"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Least"]}, 7),
    ],
)
def test_an_expression_of_known_values_becomes_one(expression: Any, value: Any) -> None:
    sections = {
        "Conditions": {"IsLong": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Days"}, "3"]}]}},
        "Mappings": {"Sizes": {"eu-west-3": {"Least": 7}}},
    }

    found = resolved({"Name": expression}, {"Days": 3, "Mail": "a@b"}, **sections)

    assert found == {"Name": value}


def test_what_has_no_value_is_not_there() -> None:
    no_value = {"Fn::If": ["Never", "something", {"Ref": "AWS::NoValue"}]}
    conditions = {"Never": {"Fn::Or": [{"Condition": "No"}]}, "No": {"Fn::Equals": ["a", "b"]}}

    found = resolved({"One": no_value, "Many": ["kept", no_value]}, Conditions=conditions)

    assert found == {"Many": ["kept"]}


def test_a_resource_whose_condition_does_not_hold_is_not_there_and_nothing_waits_for_it() -> None:
    resources = {"Kept": QUEUE | {"DependsOn": ["Gone"]}, "Gone": QUEUE | {"Condition": "Never"}}
    template = {"Resources": resources, "Conditions": {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}}

    found = Resolution(template, {}).template()["Resources"]

    assert found == {"Kept": QUEUE | {"DependsOn": []}}


def test_a_number_without_bound_is_taken_at_its_worst() -> None:
    parameters = {
        "Unbounded": {"Type": "Number", "Default": 1},
        "Bounded": {"Type": "Number", "Default": 1, "MinValue": 0, "MaxValue": 9},
        "Chosen": {"Type": "Number", "Default": 2, "AllowedValues": [1, 2, 3]},
        "Option": {"Type": "String", "Default": "off", "AllowedValues": ["off", "on"]},
    }
    properties = {name: {"Ref": name} for name in parameters}
    built = application({"Thing": QUEUE | {"Properties": properties}}, Parameters=parameters)

    by_default, least, most, _ = [next(each.resources()).properties for each in built.deployments]

    assert by_default == {"Unbounded": 1, "Bounded": 1, "Chosen": 2, "Option": "off"}
    assert least == {"Unbounded": 0, "Bounded": 0, "Chosen": 1, "Option": "off"}
    assert most == {"Unbounded": 10**6, "Bounded": 9, "Chosen": 3, "Option": "on"}


def test_a_template_that_sam_does_not_take_is_refused_with_its_reason() -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b", "CodeUri": "functions/"}}

    with pytest.raises(Refused, match="Runtime"):
        applications(
            [{"template.yaml": {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Planted": function}}}]
        )


def test_a_template_in_which_a_rule_finds_nothing_to_judge_breaks_it() -> None:
    found = dict(broken(application({}, Parameters={})))

    assert found["seals_are_locked"].startswith("cannot be judged")


def test_names_are_found_in_every_form_of_reference() -> None:
    expression = [
        {"Ref": "One"},
        {"Fn::GetAtt": ["Two", "Arn"]},
        {"Fn::GetAtt": "Three.Arn"},
        {"Fn::Sub": ["${Four.Arn}/${Local}", {"Local": {"Ref": "Five"}}]},
    ]

    found = names_in(expression)

    assert found == {"One", "Two", "Three", "Four", "Five"}


def test_a_policy_that_stands_in_a_text_is_read_with_its_references() -> None:
    text = '{"Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": ["${Logs.Arn}"]}]}'
    policy = {"Type": "AWS::Logs::ResourcePolicy", "Properties": {"PolicyDocument": {"Fn::Sub": text}}}

    [statement] = statements(application({"Writers": policy}).deployments[0])

    assert statement.is_about("Logs")


def test_references_become_arns_of_their_kind() -> None:
    stack = Stack("template.yaml", {"Resources": {"Records": {"Type": "AWS::DynamoDB::Table"}, "Lost": QUEUE}})

    found = plain(
        [{"Fn::Sub": "${Records.Arn}/index/a"}, {"Fn::GetAtt": ["Records", "StreamArn"]}, {"Ref": "Lost"}], stack
    )

    table = "arn:aws:dynamodb:eu-west-3:123456789012:table/records"
    assert found == [f"{table}/index/a", f"{table}/stream/label", "lost"]


def test_parliament_finds_an_action_that_does_not_exist_and_a_resource_that_does_not_fit() -> None:
    wrong = {"Effect": "Allow", "Action": "dynamodb:GetThing", "Resource": {"Fn::GetAtt": ["Lost", "Arn"]}}
    unfit = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::GetAtt": ["Lost", "Arn"]}}
    document = {"Version": "2012-10-17", "Statement": [wrong, unfit]}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}

    verdict = parliament.judge(application({"Wrong": policy, "Lost": QUEUE}))

    assert [failure.split()[3] for failure in verdict.failures] == ["UNKNOWN_ACTION", "RESOURCE_MISMATCH"]


def finding(rule: str = "LambdaDLQ", resource: str = "Lost") -> nag.Finding:
    stack = Stack("template.yaml", {"Resources": {"Lost": QUEUE, "Other": QUEUE}})
    return nag.Finding(rule, stack.resource(resource), "PCI.DSS.321", "not good")


@pytest.mark.parametrize("named", ["Lost", "AWS::SQS::Queue"])
def test_an_explanation_covers_a_resource_by_its_name_or_its_type(named: str) -> None:
    explanation = nag.Explanation("template.yaml", "LambdaDLQ", frozenset({named}), "why")

    verdict = nag.verdict(1, [finding()], [explanation])

    assert verdict.holds


@pytest.mark.parametrize(
    ("stack", "rule", "named", "reason"),
    [
        ("template.yaml", "LambdaDLQ", "Other", "why"),
        ("template.yaml", "LambdaInsideVPC", "Lost", "why"),
        ("infra/edge.yaml", "LambdaDLQ", "Lost", "why"),
        ("template.yaml", "LambdaDLQ", "Lost", ""),
    ],
)
def test_an_explanation_of_something_else_or_without_reason_explains_nothing(
    stack: str, rule: str, named: str, reason: str
) -> None:
    explanation = nag.Explanation(stack, rule, frozenset({named}), reason)

    verdict = nag.verdict(1, [finding()], [explanation])

    assert not verdict.holds


def test_an_explanation_of_nothing_is_a_failure() -> None:
    explanation = nag.Explanation("template.yaml", "LambdaDLQ", frozenset({"Lost"}), "why")

    verdict = nag.verdict(1, [], [explanation])

    assert verdict.failures == ("template.yaml: LambdaDLQ is explained, but nothing breaks it",)


def report(passed: int, failed: int = 0, **results: Any) -> dict[str, Any]:
    return {"summary": {"passed": passed, "failed": failed, "parsing_errors": 0}, "results": results}


def check(rule: str, comment: str | None = "why") -> dict[str, Any]:
    result = {"suppress_comment": comment}
    return {"check_id": rule, "check_name": "a rule", "file_path": "/a.json", "resource": "A.b", "check_result": result}


@pytest.mark.parametrize(
    "told",
    [
        report(129),
        report(200, 1, failed_checks=[check("CKV_AWS_1")]),
        report(200, skipped_checks=[check("CKV_AWS_1", None)]),
        report(200, skipped_checks=[check(f"CKV_AWS_{number}") for number in range(7)]),
    ],
    ids=["too little looked at", "a failure", "no reason", "too many exemptions"],
)
def test_checkov_does_not_hold(told: dict[str, Any]) -> None:
    verdict = checkov.verdict(application({}), told)

    assert not verdict.holds


def test_checkov_holds_with_six_rules_exempted_for_reasons() -> None:
    told = report(130, skipped_checks=[check(f"CKV_AWS_{number}") for number in range(6)])

    verdict = checkov.verdict(application({}), told)

    assert verdict.holds


def test_an_exemption_of_what_checkov_does_not_look_at_is_a_failure() -> None:
    exempted = QUEUE | {"Metadata": {"checkov": {"skip": [{"id": "CKV_AWS_1", "comment": "why"}]}}}

    verdict = checkov.verdict(application({"Lost": exempted}), report(130))

    assert verdict.failures == ("template.yaml#Lost: CKV_AWS_1 is exempted, but is not looked at there",)


def test_a_tool_that_fails_is_told_in_full() -> None:
    bar = tool("a tool", "sh", "-c", "echo one; echo two >&2; exit 3")

    verdict = bar.judge()

    assert verdict.failures == ("one\ntwo",)

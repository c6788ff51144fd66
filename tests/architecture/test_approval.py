"""Nothing in the templates changes without being approved, and approving is writing one file, in one way."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.checks.approval import ADVICE, APPROVED, LABELS, TEXTS, judge, lines, unapproved, written
from infra.checks.approve import approve
from infra.checks.deployments import ROOT, Application, applications, read
from infra.checks.resolution import Json, Resolution
from infra.checks.written import CONDITIONS
from tests.planted_edits import EDITS

MAIN = "template.yaml"


@cache
def templates() -> Mapping[str, Json]:
    return read(ROOT)


@cache
def expanded() -> Application:
    [application] = applications([templates()])
    return application


def sections() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each section of each template that declares something by name."""
    for path, template in templates().items():
        for section, content in template.items():
            if isinstance(content, dict):
                yield path, section, content


def leaves(value: Any) -> Iterator[tuple[Any, ...]]:
    """The way to each text, number and truth in something."""
    if isinstance(value, dict | list):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ((step, *way) for way in leaves(each))
    else:
        yield ()


def changed(value: Any, way: tuple[Any, ...]) -> Any:
    """Something with another leaf at the end of that way."""
    if not way:
        return not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else f"{value}x"
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = changed(value[way[0]], way[1:])
    return copy


def is_for_people(section: str, declared: Any, way: tuple[Any, ...]) -> bool:
    if section == "Resources":
        return way == ("Properties", TEXTS.get(declared["Type"]))
    return section in {"Parameters", "Outputs"} and way == ("Description",)


def told(path: str, section: str, name: str, before: Any, now: Any) -> list[str]:
    """What is said of one thing that was approved and changed."""
    return list(unapproved({path: {section: {name: now}}}, lines({path: {section: {name: before}}})))


def test_whatever_changes_is_told_by_its_name_and_its_part() -> None:
    looked_at = set()

    for path, section, name, declared in things():
        for way in leaves(declared):
            if not is_for_people(section, declared, way):
                findings = told(path, section, name, declared, changed(declared, way))

                [finding] = findings
                assert finding.startswith(f"{path} {section} {name}: "), way
                assert part(section, declared, way) in finding.removesuffix(" changed").split(": ")[1].split(", "), way
                looked_at.add((path, section))

    assert {path for path, _ in looked_at} == set(templates())
    assert {section for _, section in looked_at} >= {"Conditions", "Globals", "Metadata", "Outputs", "Rules"}


def things() -> Iterator[tuple[str, str, str, Any]]:
    """Everything that has a name: template, section, name and what is declared by it."""
    for path, section, content in sections():
        yield from ((path, section, name, each) for name, each in content.items() if name != LABELS)


def part(section: str, declared: Any, way: tuple[Any, ...]) -> str:
    """How the part is called in which a change is."""
    if section == "Resources" and way[0] == "Properties":
        return f".{way[1]}"
    return str(way[0]) if isinstance(declared, dict) else "it"


def test_a_property_more_or_less_is_told() -> None:
    for path, section, content in sections():
        for name, declared in content.items() if section == "Resources" else ():
            more = deepcopy(declared)
            more["Properties"]["Planted"] = {}

            findings = told(path, section, name, declared, more)

            assert findings == [f"{path} Resources {name}: .Planted changed"]
            for gone in declared["Properties"]:
                less = {**declared, "Properties": {k: v for k, v in declared["Properties"].items() if k != gone}}
                wanted = [] if gone == TEXTS.get(declared["Type"]) else [f"{path} Resources {name}: .{gone} changed"]
                assert told(path, section, name, declared, less) == wanted


def test_what_is_new_or_gone_is_told() -> None:
    approved = lines(templates())
    another = deepcopy(dict(templates()))
    another[MAIN]["Resources"]["Planted"] = another[MAIN]["Resources"].pop("BackupPlan")
    another["infra/planted.yaml"] = {"Resources": {}, "Transform": "Evil"}

    findings = list(unapproved(another, approved))

    assert findings == [
        "infra/planted.yaml Transform - is new",
        "template.yaml Resources BackupPlan is gone",
        "template.yaml Resources Planted is new",
    ]


def test_texts_for_people_need_no_approval() -> None:
    another = deepcopy(dict(templates()))
    main, alarms = another[MAIN], another["infra/alarms.yaml"]
    main["Description"] = "Another text"
    main["Metadata"][LABELS]["ParameterGroups"].reverse()
    main["Parameters"]["Stage"]["Description"] = "Another text"
    main["Outputs"]["Base"]["Description"] = "Another text"
    main["Resources"]["DataKey"]["Properties"]["Description"] = "Another text"
    main["Resources"]["Records"]["Properties"]["Description"] = "Another text"
    alarms["Resources"]["TraceTampered"]["Properties"]["AlarmDescription"] = "Another text"

    findings = list(unapproved(another, lines(templates())))

    assert findings == []


@pytest.mark.parametrize("text", ["{{resolve:secretsmanager:x}}", {"Fn::Sub": "${Secret}"}, {"Ref": "Secret"}])
def test_a_text_into_which_something_is_put_needs_approval(text: Any) -> None:
    another = deepcopy(dict(templates()))
    another[MAIN]["Resources"]["Records"]["Properties"]["Description"] = text

    findings = list(unapproved(another, lines(templates())))

    assert findings == ["template.yaml Resources Records: .Description changed"]


def test_every_planted_edit_needs_approval() -> None:
    approved = lines(templates())

    for edit in EDITS:
        another = deepcopy(dict(templates()))
        edit.make(another)
        assert list(unapproved(another, approved)), edit


def test_what_is_there_is_what_was_approved() -> None:
    text = APPROVED.read_text(encoding="utf-8")

    verdict = judge(templates())

    assert verdict.failures == ()
    assert text == written(templates())


def test_the_bar_says_what_is_to_be_done() -> None:
    another = deepcopy(dict(templates()))
    another[MAIN]["Resources"]["DataKey"]["DeletionPolicy"] = "Delete"

    verdict = judge(another)

    assert verdict.failures == ("template.yaml Resources DataKey: DeletionPolicy changed", ADVICE)


def test_approving_writes_the_same_in_whatever_order_things_stand() -> None:
    turned = turned_round(dict(reversed([*templates().items()])))

    text = written(turned)

    assert text == written(templates())
    assert json.loads(text) == sorted(json.loads(text))


def turned_round(value: Any) -> Any:
    """The same with the names of each object in the other order."""
    if isinstance(value, dict):
        return {name: turned_round(each) for name, each in reversed(value.items())}
    return [turned_round(each) for each in value] if isinstance(value, list) else value


def test_nothing_is_approved_while_a_rule_objects(tmp_path: Path) -> None:
    another = deepcopy(dict(templates()))
    another[MAIN]["Resources"]["RecordsTable"]["DeletionPolicy"] = "Delete"
    approved = tmp_path / "approved.json"

    findings = approve(another, approved)

    assert [each.partition(":")[0] for each in findings] == ["what_is_stored_outlives_the_stack"]
    assert not approved.exists()


def test_nothing_hides_behind_the_name_of_a_property(tmp_path: Path) -> None:
    another = deepcopy(dict(templates()))
    another[MAIN]["Resources"]["Records"][".Handler"] = "handlers.elsewhere.handler"
    approved = tmp_path / "approved.json"

    judged = list(unapproved(another, lines(another)))
    findings = approve(another, approved)

    assert judged == findings == ["template.yaml Resources Records: .Handler begins with a dot"]
    assert not approved.exists()


def test_approving_writes_what_the_bar_reads(tmp_path: Path) -> None:
    approved = tmp_path / "approved.json"

    findings = approve(templates(), approved)

    assert findings == []
    assert approved.read_bytes() == APPROVED.read_bytes()


def test_each_known_condition_holds_in_one_deployment_and_not_in_another() -> None:
    for written_stack in expanded().written:
        for name in CONDITIONS.get(written_stack.name, {}):
            found = {
                Resolution(written_stack.content, stack.parameters).holds(name)
                for deployment in expanded().deployments
                for stack in deployment.stacks
                if stack.name == written_stack.name
            }
            assert found == {True, False}, name

"""What the templates say before anything is chosen, in all branches: nothing hides behind a condition or a macro."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.deployments import Deployment
from infra.checks.expected import MAIN
from infra.checks.policies import names_in
from infra.checks.written import (
    ALARMS,
    CODE,
    CONDITIONAL,
    CONDITIONS,
    DASHBOARD,
    FUNCTIONS,
    NESTED,
    PASSED_ON,
    REFUSALS,
    SECTIONS,
    TRANSFORM,
)

HERE = "infra/checks/written.py"
OTHERS = ("NotPrincipal", "NotAction")
STACKS = {"AWS::CloudFormation::Stack", "AWS::Serverless::Application"}


def templates_are_what_they_read(deployment: Deployment) -> Iterator[str]:
    """SAM's macro alone changes a template, which imports, includes and repeats nothing."""
    for source in deployment.sources:
        if (transform := source.content.get("Transform")) != TRANSFORM.get(source.name):
            yield f"{source.name}: is transformed by {transform}"
        if others := sorted(set(source.content) - SECTIONS):
            yield f"{source.name}: has {others}"
        used = {name for name, _ in _pairs(source.content) if name.startswith("Fn::")}
        if others := sorted(used - FUNCTIONS):
            yield f"{source.name}: uses {others}"


def conditions_are_known(deployment: Deployment) -> Iterator[str]:
    """Nothing depends on a condition that the deployments judged here do not try in both ways."""
    for source in deployment.sources:
        wanted = CONDITIONS.get(source.name, {})
        for name, found in _differing(source.content.get("Conditions", {}), wanted):
            yield f"{source.name}#{name}: is {found}, which CONDITIONS ({HERE}) does not say"
        for name, value in _pairs(source.content.get("Resources", {})):
            asked = value[0] if name == "Fn::If" and isinstance(value, list) and value else None
            if name == "Fn::If" and (not isinstance(asked, str) or asked not in wanted):
                yield f"{source.name}: depends on {asked}, which CONDITIONS ({HERE}) does not say"


def resources_are_always_there(deployment: Deployment) -> Iterator[str]:
    """No resource depends on a condition but the few that belong to what an operator may leave out."""
    for source in deployment.sources:
        found = {name: each["Condition"] for name, each in source.content["Resources"].items() if "Condition" in each}
        for name, condition in _differing(found, CONDITIONAL.get(source.name, {})):
            yield f"{source.name}#{name}: its condition is {condition}, which CONDITIONAL ({HERE}) does not say"


def what_is_refused_stays_refused(deployment: Deployment) -> Iterator[str]:
    """Parameters that open something together, or lead out of the Union, are refused as they were."""
    for source in deployment.sources:
        rules = {
            name: (each.get("RuleCondition"), [one.get("Assert") for one in each.get("Assertions", ())])
            for name, each in source.content.get("Rules", {}).items()
        }
        for name, found in _differing(rules, REFUSALS.get(source.name, {})):
            yield f"{source.name}#{name}: is {found}, which REFUSALS ({HERE}) does not say"


def nested_stacks_are_there(deployment: Deployment) -> Iterator[str]:
    """Edge, alarms and page are there, each under its condition alone, and are told of what they are about."""
    for source in deployment.sources:
        if source.name == MAIN:
            resources = source.content["Resources"]
            found = {name: _nested(each) for name, each in resources.items() if each["Type"] in STACKS}
            for name, differs in _differing(found, NESTED):
                yield f"{source.name}#{name}: is {differs}, which NESTED ({HERE}) does not say"
            for name, (template, _) in NESTED.items():
                if template in {ALARMS, DASHBOARD} and name in resources:
                    yield from _told_of_others(name, resources[name]["Properties"].get("Parameters", {}))


def _nested(resource: Mapping[str, Any]) -> tuple[Any, Any]:
    own = resource.get("Properties", {})
    return own.get("TemplateURL", own.get("Location")), resource.get("Condition")


def _told_of_others(stack: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        if names_in(value) not in ({name}, {name.removesuffix("Queue")}, {PASSED_ON.get(name)}):
            yield f"{MAIN}#{stack}: its {name} is {value}"


def policies_say_whom_they_mean(deployment: Deployment) -> Iterator[str]:
    """No statement of any branch is about all but some, for all others change from day to day."""
    for source in deployment.sources:
        for name, value in _pairs(source.content):
            if name in OTHERS:
                yield f"{source.name}: a statement about {name} {value}"


def code_in_templates_is_known(deployment: Deployment) -> Iterator[str]:
    """Code that stands in a template, and sees tokens at the edge, is the one that was read."""
    for source in deployment.sources:
        for name, resource in source.content["Resources"].items():
            own = resource.get("Properties", {})
            code = own.get("InlineCode", own.get("Code"))
            text = code.get("ZipFile") if isinstance(code, dict) else code
            if text is not None and CODE.get(name) != hashlib.sha256(str(text).encode()).hexdigest():
                yield f"{source.name}#{name}: another code than that of CODE ({HERE})"


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is new, other or gone, with what it is now."""
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            yield name, found.get(name, "gone")


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Each name of a template with what stands under it."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield str(name), each
            yield from _pairs(each)
    elif isinstance(value, list):
        for each in value:
            yield from _pairs(each)


RULES = (
    templates_are_what_they_read,
    conditions_are_known,
    resources_are_always_there,
    what_is_refused_stays_refused,
    nested_stacks_are_there,
    policies_say_whom_they_mean,
    code_in_templates_is_known,
)

"""The templates as they would be deployed: by default, with least and with most of everything."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.checks.resolution import NO_VALUE, Json, Resolution
from infra.local.template import content

ROOT = Path(__file__).parents[2]
AUDITORS = ROOT / ".audit/bin"
UNBOUNDED = 10**6
"""What a number may become whose parameter sets no bound."""

PLAUSIBLE = {
    "Region": "eu-central-1",
    "Sender": "dmp@example.org",
    "Url": "https://dmp.example.org/",
    "BucketArn": "arn:aws:s3:::{}",
    "CertificateArn": "arn:aws:acm:eu-west-3:123456789012:certificate/{}",
    "DistributionArn": "arn:aws:cloudfront::123456789012:distribution/{}",
    "FunctionArn": "arn:aws:lambda:eu-west-3:123456789012:function:{}",
    "KeyArn": "arn:aws:kms:eu-west-3:123456789012:key/{}",
    "QueueArn": "arn:aws:sqs:eu-west-3:123456789012:{}",
    "RoleArn": "arn:aws:iam::123456789012:role/{}",
    "SecretArn": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:{}",
    "TopicArn": "arn:aws:sns:eu-west-3:123456789012:{}",
    "VaultArn": "arn:aws:backup:eu-west-3:123456789012:backup-vault:{}",
}
"""What a text may be that has no default, by the end of its parameter's name."""

PASSED_ON_EMPTY = {"AlarmMail"}
"""What a nested stack asks for, and the main one has empty by default."""


class Refused(Exception):
    """SAM's translator does not take the template; the text is its own."""


@dataclass(frozen=True)
class Resource:
    """One resource of one stack."""

    stack: "Stack"
    id: str
    whole: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.stack.name}#{self.id}"

    @property
    def properties(self) -> Mapping[str, Any]:
        """What it is to be like."""
        found: Mapping[str, Any] = self.whole.get("Properties", {})
        return found


@dataclass(frozen=True, eq=False)
class Stack:
    """One template in plain CloudFormation; `name` is its path below the folder of the main one."""

    name: str
    content: Json
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def resources(self, *kinds: str) -> Iterator[Resource]:
        """Its resources of these types, or all."""
        for name, each in self.content["Resources"].items():
            if not kinds or each["Type"] in kinds:
                yield Resource(self, name, each)

    def resource(self, name: str) -> Resource:
        """The resource of this logical id; KeyError if there is none."""
        return Resource(self, name, self.content["Resources"][name])

    def resolved(self, parameters: Mapping[str, Any]) -> "Stack":
        """What a deployment with these parameters makes of it."""
        return Stack(self.name, Resolution(self.content, parameters).template(), parameters)

    def given(self, expression: Any) -> Any:
        """What an expression comes to under the parameters of this deployment; None where it has no value."""
        value = Resolution({"Resources": {}}, self.parameters).value(expression)
        return None if value is NO_VALUE else value


@dataclass(frozen=True, eq=False)
class Deployment:
    """All stacks under one choice of parameters; `written` are the same before any choice, `sources` before SAM too."""

    choice: str
    stacks: tuple[Stack, ...]
    written: tuple[Stack, ...]
    sources: tuple[Stack, ...] = ()

    def resources(self, *kinds: str) -> Iterator[Resource]:
        """The resources of these types in all stacks."""
        for stack in self.stacks:
            yield from stack.resources(*kinds)

    @property
    def main(self) -> Stack:
        """The stack of template.yaml, which comes first."""
        return self.stacks[0]


@dataclass(frozen=True)
class Application:
    """Every template of the application, SAM expanded, before any choice of parameters; `sources` as the files say."""

    written: tuple[Stack, ...]
    sources: tuple[Stack, ...] = ()

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """By default; with all numbers at their least; with everything at its most, and so without an edge."""
        return tuple(
            Deployment(
                choice, tuple(each.resolved(choose(each.content)) for each in self.written), self.written, self.sources
            )
            for choice, choose in CHOICES.items()
        )


def template_paths(folder: Path) -> list[Path]:
    """template.yaml, then the stacks under infra."""
    return [folder / "template.yaml", *sorted(folder.glob("infra/*.yaml"))]


def read(folder: Path) -> dict[str, Json]:
    """The templates of a folder as they are written, by their path."""
    return {str(path.relative_to(folder)): content(path) for path in template_paths(folder)}


def applications(sources: Sequence[Mapping[str, Json]]) -> list[Application]:
    """Expand the templates of several applications, all in one process of SAM's translator.

    Raises Refused where the translator does.
    """
    expanded = iter(_expanded([each for source in sources for each in source.values() if "Transform" in each]))
    return [
        Application(
            tuple(Stack(name, next(expanded) if "Transform" in each else each) for name, each in source.items()),
            tuple(Stack(name, each) for name, each in source.items()),
        )
        for source in sources
    ]


def _expanded(templates: list[Json]) -> list[Json]:
    texts = [json.dumps(each) for each in templates]
    once = list(dict.fromkeys(texts))
    command = [str(AUDITORS / "python"), "-m", "infra.checks.expansion"]
    run = subprocess.run(command, input=f"[{', '.join(once)}]", cwd=ROOT, capture_output=True, text=True, check=True)
    expanded: dict[str, Json] = dict(zip(once, json.loads(run.stdout), strict=True))
    for each in expanded.values():
        if "refused" in each:
            raise Refused(each["refused"])
    return [expanded[each] for each in texts]


def _default(name: str, parameter: Mapping[str, Any]) -> Any:
    if "Default" in parameter:
        return parameter["Default"]
    if name in PASSED_ON_EMPTY:
        return ""
    return parameter["AllowedValues"][0] if "AllowedValues" in parameter else _plausible(name)


def _least(name: str, parameter: Mapping[str, Any]) -> Any:
    if parameter["Type"] != "Number":
        return _default(name, parameter)
    return min(parameter["AllowedValues"]) if "AllowedValues" in parameter else parameter.get("MinValue", 0)


def _most(name: str, parameter: Mapping[str, Any]) -> Any:
    allowed = parameter.get("AllowedValues")
    if parameter["Type"] == "Number":
        return max(allowed) if allowed else parameter.get("MaxValue", UNBOUNDED)
    if allowed:
        return next((each for each in reversed(allowed) if each != parameter.get("Default")), allowed[0])
    return parameter.get("Default") or _plausible(name)


def _without_edge(name: str, parameter: Mapping[str, Any]) -> Any:
    return "" if name == "EdgeDomainName" else _most(name, parameter)


def _plausible(name: str) -> str:
    """Something for a text that the operator gives, in the form that the template takes apart."""
    form = next((form for ending, form in PLAUSIBLE.items() if name.endswith(ending)), "{}")
    return form.format(name.lower())


def _parameters(choose: Any) -> Any:
    def chosen(template: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _typed(each, choose(name, each)) for name, each in template.get("Parameters", {}).items()}

    return chosen


def _typed(parameter: Mapping[str, Any], value: Any) -> Any:
    if parameter["Type"] == "CommaDelimitedList" or parameter["Type"].startswith("List<"):
        return [each for each in str(value).split(",") if each]
    return value


LEAST, WITHOUT_EDGE = "with least", "with most but an edge"
CHOICES = {
    "by default": _parameters(_default),
    LEAST: _parameters(_least),
    "with most": _parameters(_most),
    WITHOUT_EDGE: _parameters(_without_edge),
}

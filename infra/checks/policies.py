"""Every statement of every policy of a deployment, whoever holds it, in one form."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from infra.checks.deployments import Deployment, Resource


class Kind(StrEnum):
    """What a policy hangs on."""

    ROLE = "role"
    TRUST = "trust"
    RESOURCE = "resource"


@dataclass(frozen=True)
class Statement:
    """One statement; what it lists is a list here even where it is one."""

    holder: Resource
    kind: Kind
    written: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.holder} {self.written.get('Sid', self.kind)}"

    @property
    def allows(self) -> bool:
        """Whether it permits rather than denies."""
        return bool(self.written["Effect"] == "Allow")

    @property
    def actions(self) -> list[str]:
        """What it permits or denies; `*` where it says what it does not."""
        return [str(each) for each in listed(self.written.get("Action", "*"))]

    @property
    def resources(self) -> list[Any]:
        """On what; nothing for a trust policy, `*` where it says on what not."""
        return [] if self.kind is Kind.TRUST else listed(self.written.get("Resource", "*"))

    @property
    def conditions(self) -> Mapping[str, Mapping[str, Any]]:
        """Its conditions by operator."""
        found: Mapping[str, Mapping[str, Any]] = self.written.get("Condition", {})
        return found

    @property
    def condition_keys(self) -> set[str]:
        """The keys that its conditions look at."""
        return {key for compared in self.conditions.values() for key in compared}

    @property
    def principals(self) -> list[tuple[str, Any]]:
        """Who, as (kind, name); everybody is ("*", "*"), all but some are ("NotPrincipal", who)."""
        if "NotPrincipal" in self.written:
            return [("NotPrincipal", self.written["NotPrincipal"])]
        named = self.written.get("Principal", {})
        if named == "*":
            return [("*", "*")]
        return [(kind, name) for kind, names in named.items() for name in listed(names)]

    def is_of(self, kind: str) -> bool:
        """Whether a resource of that type holds it."""
        return bool(self.holder.whole["Type"] == kind)

    def is_about(self, resource: str) -> bool:
        """Whether one of its resources is, or lies in, the resource of that logical id."""
        return any(resource in names_in(each) for each in self.resources)


def listed(value: Any) -> list[Any]:
    """What a policy may write as one or as a list, as a list."""
    return value if isinstance(value, list) else [value]


def names_in(expression: Any) -> set[str]:
    """The logical ids that an expression refers to."""
    match expression:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::GetAtt": str(path)}:
            return {path.partition(".")[0]}
        case {"Fn::Sub": arguments}:
            text, given = (arguments, {}) if isinstance(arguments, str) else arguments
            inside = {part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:]}
            return inside - set(given) | set().union(*map(names_in, given.values()))
        case dict():
            return set().union(*map(names_in, expression.values()))
        case list():
            return set().union(*map(names_in, expression))
    return set()


@lru_cache(maxsize=4)
def statements(deployment: Deployment) -> tuple[Statement, ...]:
    """Every statement of roles, of what they trust, and of resources."""
    return tuple(
        Statement(resource, kind, each)
        for resource in deployment.resources()
        for kind, document in documents(resource)
        for each in listed(document["Statement"])
    )


def documents(resource: Resource) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
    """The policies that one resource holds or is, wherever in its properties they stand."""
    of_identities = resource.whole["Type"].startswith("AWS::IAM::")
    for name, value in resource.properties.items():
        trust = name == "AssumeRolePolicyDocument"
        kind = Kind.TRUST if trust else Kind.ROLE if of_identities else Kind.RESOURCE
        is_text = resource.whole["Type"] == "AWS::Logs::ResourcePolicy" and name == "PolicyDocument"
        for document in _policies_in(_read(value) if is_text else value):
            yield kind, document


def _policies_in(value: Any) -> Iterator[Mapping[str, Any]]:
    match value:
        case {"Statement": written} if any("Effect" in each for each in listed(written)):
            yield value
        case dict():
            for each in value.values():
                yield from _policies_in(each)
        case list():
            for each in value:
                yield from _policies_in(each)


def _read(document: Any) -> Any:
    """A policy that CloudFormation takes as text, or as it is."""
    text = document.get("Fn::Sub", document)
    return json.loads(text, object_hook=_with_references) if isinstance(text, str) else document


def _with_references(read: dict[str, Any]) -> dict[str, Any]:
    """What stood in a text under Fn::Sub, each reference under an Fn::Sub of its own."""
    return {name: _with_reference(value) for name, value in read.items()}


def _with_reference(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_reference(each) for each in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value

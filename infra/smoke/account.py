"""The account and stack that is checked, beside the template that it was made from."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.admin.installation import Stack
from infra.local.template import Template

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

type Json = dict[str, Any]


def certain(document: Mapping[str, Any]) -> list[Json]:
    """The statements that a policy of the template has under all conditions."""
    return [each for each in document["Statement"] if "Sid" in each]


def possible(document: Mapping[str, Any]) -> list[Json]:
    """The statements that a policy of the template has under some condition."""
    found: list[Json] = []
    for each in document["Statement"]:
        options = each["Fn::If"][1:] if "Fn::If" in each else [each]
        found += [one for one in options if "Effect" in one]
    return found


class Account:
    """The resources of a stack and of those within it, by type and logical id."""

    def __init__(self, stack: Stack, template: Template | None = None) -> None:
        self._stack = stack
        self.template = template or Template(TEMPLATE)

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack, which is made of storage alone."""
        return self._stack.is_local

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self._stack.client(service)

    def of(self, kind: str) -> dict[str, str]:
        """Physical ids by logical ids of all resources of a type."""
        return {logical: physical for logical, (each, physical) in self._resources.items() if each == kind}

    def physical(self, logical: str) -> str:
        """The physical id of a resource; empty where the stack has none."""
        return self._resources.get(logical, ("", ""))[1]

    def declared(self, kind: str) -> dict[str, Json]:
        """The properties that the template declares for the resources of a type that the stack has."""
        here = self.of(kind)
        return {logical: properties for logical, properties in self.template.resources(kind) if logical in here}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack."""
        return {one["OutputKey"]: one["OutputValue"] for one in self._told.get("Outputs", [])}

    def given(self, value: Any) -> Any:
        """A value of the template; where it is a parameter, what the stack was given for it."""
        return self._parameters.get(value["Ref"], value) if isinstance(value, dict) and "Ref" in value else value

    @cached_property
    def _parameters(self) -> Mapping[str, str]:
        return {one["ParameterKey"]: one["ParameterValue"] for one in self._told.get("Parameters", [])}

    @cached_property
    def _told(self) -> Json:
        [told] = self.client("cloudformation").describe_stacks(StackName=self._stack.name)["Stacks"]
        return dict(told)

    @cached_property
    def _resources(self) -> dict[str, tuple[str, str]]:
        return dict(self._listed(self._stack.name))

    def _listed(self, stack: str) -> Iterator[tuple[str, tuple[str, str]]]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for one in (each for page in pages for each in page["StackResourceSummaries"]):
            physical = str(one.get("PhysicalResourceId", ""))
            yield str(one["LogicalResourceId"]), (str(one["ResourceType"]), physical)
            if one["ResourceType"] == "AWS::CloudFormation::Stack" and physical:
                yield from self._listed(physical)

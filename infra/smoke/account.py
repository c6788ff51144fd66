"""The account and stack that is checked, beside the template that it was made from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from infra.local.template import Template
from infra.smoke.resolution import Resolution

STACK = "AWS::CloudFormation::Stack"
TEMPLATE = Path(__file__).parents[2] / "template.yaml"

type Json = dict[str, Any]


class Asked(Protocol):
    """A stack, and how AWS is asked about it."""

    @property
    def name(self) -> str:
        """The name of the stack, or its id."""

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack."""

    @property
    def client(self) -> Callable[[str], Any]:
        """The client of a service by its name."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A stack within another."""

    name: str
    is_local: bool
    client: Callable[[str], Any]


class Account:
    """The resources of a stack by type and logical id; of the stacks within it by the name of each before theirs."""

    def __init__(self, stack: Asked, template: Template | None = None) -> None:
        self._stack = stack
        self.template = template or Template(TEMPLATE)

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack, which is made of storage alone."""
        return self._stack.is_local

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self._stack.client(service)

    def within(self) -> "Iterator[tuple[str, Account]]":
        """The stacks within this one that are made of files beside its template, by their logical ids."""
        for logical, declared in self.declared(STACK).items():
            file = self.template.folder / str(declared.get("TemplateURL"))
            if file.is_file():
                yield logical, Account(Nested(self.physical(logical), self.is_local, self.client), Template(file))

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

    def resolved(self, expression: Any) -> Any:
        """What an expression of the template comes to in this stack, as far as that can be told."""
        return self._resolution.value(expression)

    @cached_property
    def _resolution(self) -> Resolution:
        conditions = self.template.conditions
        parameters = self.template.parameters(self._parameters)
        return Resolution(self._told["StackId"], parameters, conditions, self._resources)

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

    def _listed(self, stack: str, within: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for one in (each for page in pages for each in page["StackResourceSummaries"]):
            physical = str(one.get("PhysicalResourceId", ""))
            logical = f"{within}{one['LogicalResourceId']}"
            yield logical, (str(one["ResourceType"]), physical)
            if one["ResourceType"] == STACK and physical:
                yield from self._listed(physical, f"{logical}/")

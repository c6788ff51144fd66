"""Reads template.yaml: the functions, their routes and triggers, and the storage that moto can make of it.

The deployed application and the local one have this one description.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.local.event_sources import (
    BucketNotification,
    Expression,
    QueueMapping,
    StreamMapping,
    bucket_notification,
    queue_mapping,
    stream_mapping,
)

STORAGE = frozenset({"AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SQS::Queue"})
SECRETS = "AWS::SecretsManager::Secret"
DEFAULT_ROUTE = "$default"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the HTTP API; `path` is None for `$default`, `authorizer` the function asked before."""

    method: str
    path: str | None
    function: str
    authorizer: str | None

    @property
    def key(self) -> str:
        """The route as API Gateway names it."""
        return DEFAULT_ROUTE if self.path is None else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function as the template declares it, defaults of Globals filled in."""

    name: str
    handler: str
    code: str
    timeout: int
    memory: int
    environment: Mapping[str, Expression]
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def job(self) -> str | None:
        """The name it is invoked by, on a schedule or, where no event ever comes, by hand; None for all others.

        It is the handler's function, or its module where that is just `handler`.
        """
        if self.events and not any(event["Type"].startswith("Schedule") for event in self.events.values()):
            return None
        module, _, function = self.handler.rpartition(".")
        return module.rpartition(".")[2] if function == "handler" else function


class Template:
    """The template with its intrinsic functions in their long form."""

    def __init__(self, path: Path) -> None:
        self._content = content(path)
        self.folder = path.parent

    @property
    def functions(self) -> dict[str, Function]:
        """Every function by its logical id."""
        shared = self._content.get("Globals", {}).get("Function", {})
        return {name: _function(name, shared, own) for name, own in self.resources("AWS::Serverless::Function")}

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route of the HTTP API, with the authorizer that guards it."""
        return tuple(
            self._route(function.name, event["Properties"])
            for function in self.functions.values()
            for event in function.events.values()
            if event["Type"] == "HttpApi"
        )

    @property
    def stream_mappings(self) -> tuple[StreamMapping, ...]:
        """Every function that consumes a table's stream."""
        return tuple(
            stream_mapping(function.name, event["Properties"])
            for function in self.functions.values()
            for event in function.events.values()
            if event["Type"] == "DynamoDB"
        )

    @property
    def queue_mappings(self) -> tuple[QueueMapping, ...]:
        """Every function that consumes a queue."""
        return tuple(
            queue_mapping(function.name, event["Properties"])
            for function in self.functions.values()
            for event in function.events.values()
            if event["Type"] == "SQS"
        )

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """The value of each parameter: as given, else the default; those with neither are left out."""
        declared: dict[str, Mapping[str, Any]] = self._content["Parameters"]
        defaults = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
        return defaults | {name: value for name, value in given.items() if name in declared}

    def environment(self, parameters: Iterable[str]) -> dict[str, Expression]:
        """The variables of all functions together, but those that name a parameter without a value.

        Raises ValueError where two functions give one variable two values: within one process it has only one.
        """
        missing = set(self._content["Parameters"]) - set(parameters)
        together: dict[str, Expression] = {}
        for function in self.functions.values():
            for name, value in function.environment.items():
                if together.setdefault(name, value) != value:
                    raise ValueError(f"{name} differs between functions")
        return {name: value for name, value in together.items() if not refers_to(value, missing)}

    @property
    def conditions(self) -> Mapping[str, Any]:
        """The conditions by their name."""
        found: Mapping[str, Any] = self._content.get("Conditions", {})
        return found

    @property
    def secrets(self) -> dict[str, Mapping[str, Any]]:
        """How each secret is generated, by its logical id: moto's CloudFormation makes none."""
        return {name: properties["GenerateSecretString"] for name, properties in self.resources(SECRETS)}

    @property
    def bucket_notifications(self) -> list[BucketNotification]:
        """What buckets tell queues of, which moto's CloudFormation overlooks."""
        return [
            bucket_notification(name, each)
            for name, bucket in self.resources("AWS::S3::Bucket")
            for each in bucket.get("NotificationConfiguration", {}).get("QueueConfigurations", ())
        ]

    def storage(self, parameters: Iterable[str], outputs: Mapping[str, Expression]) -> dict[str, Any]:
        """A CloudFormation template of the storage alone, whose outputs are the given expressions."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Parameters": {name: self._content["Parameters"][name] for name in parameters},
            "Conditions": self._content.get("Conditions", {}),
            "Resources": {name: each for name, each in self._content["Resources"].items() if each["Type"] in STORAGE},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }

    def resources(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """The logical id and the properties of every resource of one type."""
        return [(name, each["Properties"]) for name, each in self.whole(kind)]

    def whole(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """The logical id and the whole declaration of every resource of one type."""
        return [(name, each) for name, each in self._content["Resources"].items() if each["Type"] == kind]

    def _route(self, function: str, properties: Mapping[str, Any]) -> Route:
        api = self._content["Resources"][properties["ApiId"]["Ref"]]["Properties"].get("Auth", {})
        name = properties.get("Auth", {}).get("Authorizer", api.get("DefaultAuthorizer", "NONE"))
        authorizer = None if name == "NONE" else _function_of(api["Authorizers"][name]["FunctionArn"])
        return Route(properties.get("Method", "ANY").upper(), properties.get("Path"), function, authorizer)


def _function_of(arn: Mapping[str, Any]) -> str:
    """The logical id in the ARN of a function, or of its alias: `!Sub "${Id.Arn}:alias"`."""
    if "Fn::Sub" in arn:
        return str(arn["Fn::Sub"]).removeprefix("${").partition(".Arn}")[0]
    return str(arn["Fn::GetAtt"][0])


def content(path: Path) -> dict[str, Any]:
    """The template as it stands, but for intrinsic functions in their long form."""
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # nosec B506 # noqa: S506 - a SafeLoader
    return loaded


def _function(name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> Function:
    properties = {**shared, **own}
    environment = [each.get("Environment", {}).get("Variables", {}) for each in (shared, own)]
    return Function(
        name=name,
        handler=properties["Handler"],
        code=properties["CodeUri"],
        timeout=properties["Timeout"],
        memory=properties["MemorySize"],
        environment=environment[0] | environment[1],
        events=own.get("Events", {}),
    )


def refers_to(value: Expression, names: set[str]) -> bool:
    """Whether an expression names one of these parameters or resources."""
    match value:
        case {"Ref": str(name)}:
            return name in names
        case dict():
            return any(refers_to(each, names) for each in value.values())
        case list():
            return any(refers_to(each, names) for each in value)
    return False


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's intrinsic functions."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)

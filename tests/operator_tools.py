"""The operator's program within the process: functions are called as Lambda calls them, the rest is moto's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from infra.admin.__main__ import main
from infra.admin.installation import Refused, understood
from tests.api_client import ApiClient
from tests.role_policies import RESOURCES

type Json = dict[str, Any]


@dataclass
class InProcess:
    """The installation of a test."""

    api: ApiClient
    stack: Mapping[str, str]
    operator: str = "ana"
    identity: str = "in process"

    def client(self, service: str) -> Any:
        """A client of moto's."""
        made: Any = boto3.client(service)  # type: ignore[call-overload]
        made.meta.events.register("before-parameter-build.sqs.ReceiveMessage", _at_once)
        return made

    def resource(self, logical: str) -> str:
        """The physical id of a resource of the storage, or the name of a queue that no function is told."""
        known = {name: self.stack[variable] for variable, name in RESOURCES.items() if variable in self.stack}
        if logical in known:
            return known[logical]
        urls = self.client("sqs").list_queues().get("QueueUrls", [])
        newest = [url for url in urls if f"-{logical}-" in url and stack_name(self.stack) in url]
        if not newest:
            raise Refused(f"the stack has no {logical}")
        return str(newest[0])

    def function(self, logical: str) -> str:
        """The name of a function."""
        return logical

    def invoke(self, function: str, event: Mapping[str, Any]) -> Json:
        """The answer of a function."""
        return understood(self.api.run(function, event))


def _at_once(params: Json, **_: object) -> None:
    """Ask a queue without waiting: nothing is under way to moto's."""
    params["WaitTimeSeconds"] = 0


def stack_name(stack: Mapping[str, str]) -> str:
    """What the names of all of a stack begin with."""
    return stack["HOOK_QUEUE"].rpartition("/")[2].partition("-HookQueue")[0]


@dataclass
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        told: Json = json.loads(self.out)
        return told


@dataclass
class Operator:
    """Somebody who types commands."""

    installation: InProcess
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Outcome:
        """Type a command; figures come as JSON."""
        self.capsys.readouterr()
        code = main(["--local", "http://127.0.0.1:1", "--output", "json", *arguments], self.installation)
        out, err = self.capsys.readouterr()
        figures = [line for line in out.splitlines() if not line.startswith('{"')]
        return Outcome(code, "\n".join(figures), err)

    def acts(self) -> list[tuple[str, str, str, str]]:
        """What the trace of the operators says, oldest first."""
        told = self.installation.api.run("Operations", {"order": "acts", "limit": 100})["acts"]
        return [(one["command"], one["target"], one["stage"], one["detail"]) for one in reversed(told)]

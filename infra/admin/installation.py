"""The installation that an operator looks after: its stack on AWS, or the local one, by the same calls."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LOCAL_STACK = "dmp-local"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._@-]")
_LONGEST_NAME = 64
_RECORD_ID = re.compile(r"[0-9a-z]{26}", re.ASCII)
_SECONDS = 10
_RUN_SECONDS = 910
"""A function may run for 900."""
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
_INVOKING = _CONFIG.merge(Config(read_timeout=_RUN_SECONDS, retries={"total_max_attempts": 1}))

type Json = dict[str, Any]


class Refused(Exception):
    """What was ordered cannot be done, now or later; the text says why."""


class NotNow(Exception):
    """AWS, or the local stack, does not answer, or not as it should: the same command may succeed later."""


class Installation(Protocol):
    """What the commands ask of an installation."""

    @property
    def operator(self) -> str:
        """Who gives the orders, as the trace names them."""

    @property
    def identity(self) -> str:
        """Which installation it is, among all those that one operator may look after."""

    def client(self, service: str) -> Any:
        """The client of an AWS service."""

    def resource(self, logical: str) -> str:
        """The physical id of a resource of the template; Refused where the stack has none."""

    def function(self, logical: str) -> str:
        """The name by which Lambda knows a function of the template."""

    def invoke(self, function: str, event: Mapping[str, Any]) -> Json:
        """The answer of a function; NotNow where it fails, Refused where its answer is that it refuses."""


class Stack:
    """A stack of CloudFormation, by the credentials of the caller or at an endpoint of its own."""

    def __init__(self, name: str, region: str | None, *, operator: str = "", local: str = "") -> None:
        """`local` is the address of the local stack; `operator` names who acts there."""
        self._name = name
        self._given = operator
        self._local = local.rstrip("/")
        endpoint = _endpoint(self._local) if local else None
        self._own = {"endpoint_url": endpoint} | _NOBODY if endpoint else {}
        self._region = region or ("eu-west-3" if local else None)
        self.client = cache(self._client)
        self.resource = cache(self._resource)

    @property
    def name(self) -> str:
        """The name of the stack; that of the local one is looked up."""
        if not self._local:
            return self._name
        stacks = self.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
        found = [str(one["StackName"]) for one in stacks if str(one["StackName"]).startswith(LOCAL_STACK)]
        if not found:
            raise NotNow("the local stack has no storage yet")
        return found[0]

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack."""
        return bool(self._local)

    @property
    def operator(self) -> str:
        """The session of the caller's role, or the name of the user; what was given for the local stack."""
        if self._local:
            return self._given or "local"
        arn = self.client("sts").get_caller_identity()["Arn"]
        return _NOT_IN_A_NAME.sub("-", arn.rpartition("/")[2] or "root")[:_LONGEST_NAME]

    @property
    def identity(self) -> str:
        """The id of the stack, which names account and region; the address of the local one, and its stack."""
        if self._local:
            return f"{self._local} {self.name}"
        [told] = self.client("cloudformation").describe_stacks(StackName=self._name)["Stacks"]
        return str(told["StackId"])

    def function(self, logical: str) -> str:
        """The name of a function; the local stack knows it as the template does."""
        return logical if self._local else str(self.resource(logical))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Json:
        """The answer of a function."""
        answer = self.client("lambda").invoke(FunctionName=self.function(function), Payload=json.dumps(event).encode())
        content = json.loads(answer["Payload"].read() or b"{}")
        if "FunctionError" in answer:
            raise NotNow(f"{function} failed: {content.get('errorType', 'unknown')}")
        return understood(content)

    def _client(self, service: str) -> Any:
        own = dict(self._own)
        if service == "lambda" and self._local:
            own["endpoint_url"] = f"{self._local}/local/lambda"
        session: Any = boto3.Session(region_name=self._region)
        return session.client(service, config=_INVOKING if service == "lambda" else _CONFIG, **own)

    def _resource(self, logical: str) -> str:
        try:
            made = self.client("cloudformation").describe_stack_resource(StackName=self.name, LogicalResourceId=logical)
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") == "ValidationError":
                raise Refused(f"the stack has no {logical}") from failure
            raise
        return str(made["StackResourceDetail"]["PhysicalResourceId"])


def _endpoint(local: str) -> str:
    if urlsplit(local).scheme not in ("http", "https"):
        raise ValueError(f"{local} is no address")
    try:
        with urlopen(f"{local}/local/aws", timeout=_SECONDS) as answer:  # nosec B310 # noqa: S310 - checked above
            return str(json.load(answer)["endpoint"])
    except (OSError, LookupError, TypeError, ValueError) as failure:
        raise NotNow(f"no local stack answers at {local}: is `make run` going?") from failure


def known_form(record: str) -> str:
    """The id of a record, which a person may have mistyped; Refused where no record has such an id."""
    if not _RECORD_ID.fullmatch(record):
        raise Refused("no-record: an id has 26 digits and small letters")
    return record


_NOBODY = {
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",  # nosec B105 # pragma: allowlist secret
}
FAILURES = (BotoCoreError, ClientError, OSError)
"""What a call to AWS raises where it cannot be made or is refused."""


def understood(content: Json) -> Json:
    """The answer of a function, unless it is that something stands against what was ordered."""
    match content.get("error"):
        case None:
            return content
        case "service-unavailable":
            raise NotNow("service-unavailable")
        case code:
            raise Refused(" ".join(filter(None, [str(code), str(content.get("detail") or "")])))

"""Watches and breaks the AWS calls of the one client factory: counted by operation, refused, lost, or cut short."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from itertools import count
from threading import Lock
from typing import Any, Literal

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from dmp.adapters import aws

type Service = Literal["dynamodb", "kms", "s3", "secretsmanager", "sesv2", "sqs"]
SERVICES: tuple[Service, ...] = ("dynamodb", "kms", "s3", "secretsmanager", "sesv2", "sqs")

type Reaction = tuple[AWSResponse, dict[str, Any]] | None


class Moment(StrEnum):
    """When a call breaks: before AWS has done anything, or when it has done all and the answer is under way."""

    BEFORE = "before-call"
    AFTER = "after-call"


class Killed(BaseException):
    """The process ends here: no `except Exception` of ours may go on as if nothing had happened."""


class Calls(list[str]):
    """The operations called, in order; threads may share it."""


@contextmanager
def counted() -> Iterator[Calls]:
    """Record every call to AWS: `with counted() as calls: …; assert calls == ["Query", "PutItem"]`."""
    calls, lock = Calls(), Lock()

    def note(model: Any, **_: object) -> None:
        with lock:
            calls.append(model.name)

    with _listening("before-call", note):
        yield calls


@contextmanager
def refused(operation: str, code: str = "InternalServerError", status: int = 500, *, nth: int = 1) -> Iterator[None]:
    """AWS answers the nth call of the operation, and every later one, with an error, and does nothing."""
    error = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def answer() -> Reaction:
        return AWSResponse("https://injected.example", status, HTTPHeaders(), None), error

    with _broken(operation, Moment.BEFORE, answer, from_call=nth, to_call=None):
        yield


@contextmanager
def answer_lost(operation: str, *, nth: int = 1) -> Iterator[None]:
    """AWS carries out the nth call, but the answer never comes, after all attempts of the SDK."""

    def time_out() -> Reaction:
        raise ReadTimeoutError(endpoint_url="https://injected.example")

    with _broken(operation, Moment.AFTER, time_out, from_call=nth, to_call=nth):
        yield


@contextmanager
def killed(operation: str, moment: Moment = Moment.BEFORE, *, nth: int = 1) -> Iterator[None]:
    """The process dies just before the nth call of the operation, or as soon as AWS has carried it out."""

    def die() -> Reaction:
        raise Killed(f"{moment} {operation}")

    with _broken(operation, moment, die, from_call=nth, to_call=nth):
        yield


@contextmanager
def meanwhile(operation: str, act: Callable[[], object], moment: Moment = Moment.BEFORE) -> Iterator[None]:
    """Let something else happen at the first call of the operation: a competitor, a revocation, a closing."""

    def interfere() -> Reaction:
        act()
        return None

    with _broken(operation, moment, interfere, from_call=1, to_call=1):
        yield


@contextmanager
def _broken(
    operation: str, moment: Moment, react: Callable[[], Reaction], *, from_call: int, to_call: int | None
) -> Iterator[None]:
    numbers, lock = count(1), Lock()

    def handler(model: Any, **_: object) -> Reaction:
        if model.name != operation:
            return None
        with lock:
            number = next(numbers)
        return react() if number >= from_call and (to_call is None or number <= to_call) else None

    with _listening(moment, handler):
        yield
    assert next(numbers) > from_call, f"{operation} was not called often enough to break"


@contextmanager
def _listening(event: str, handler: Callable[..., Any]) -> Iterator[None]:
    with ExitStack() as undo:
        for service in SERVICES:
            client: Any = aws.client
            events = client(service).meta.events
            events.register(event, handler)
            undo.callback(events.unregister, event, handler)
        yield

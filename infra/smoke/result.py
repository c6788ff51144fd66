"""What one check of a deployed account came to: it holds, it does not, or it cannot be told from here, and why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.smoke.resolution import Untold

type Judgement = tuple[object, str]
"""Whether something holds, and if not, what is there instead."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation", "AuthorizationError"})


class State(StrEnum):
    """What a check says."""

    OK = "ok"
    FAILED = "failed"
    UNCHECKED = "cannot be checked here"


@dataclass(frozen=True, slots=True)
class Result:
    """One check of one thing."""

    check: str
    target: str
    state: State
    why: str = ""


def held(check: str, target: str, holds: object, why: str = "") -> Result:
    """Ok where it holds; else failed, and why."""
    return Result(check, target, State.OK) if holds else Result(check, target, State.FAILED, why)


def unchecked(check: str, target: str, why: str) -> Result:
    """It cannot be told from here."""
    return Result(check, target, State.UNCHECKED, why)


def weighed(check: str, target: str, judge: Callable[..., Judgement], *told: Any) -> Result:
    """What a judge says; unchecked where what the template says cannot be told."""
    try:
        return held(check, target, *judge(*told))
    except Untold as why:
        return unchecked(check, target, str(why))


def asked(
    check: str, target: str, ask: Callable[..., Any], *, missing: Sequence[str] = (), pick: str = "", **request: Any
) -> Any:
    """What AWS says, or of it what is named `pick`, or the Result that it does not.

    An error of `missing` means that there is nothing of the kind: None.
    """
    try:
        return ask(**request)[pick] if pick else ask(**request)
    except ClientError as failure:
        code = failure.response.get("Error", {}).get("Code", "")
        if code in missing:
            return None
        if code in DENIED:
            return unchecked(check, target, f"not permitted to the caller: {failure.operation_name}")
        return Result(check, target, State.FAILED, f"{failure.operation_name}: {code}")
    except BotoCoreError as failure:
        return unchecked(check, target, type(failure).__name__)


def judged(
    check: str,
    target: str,
    judge: Callable[..., Judgement],
    ask: Callable[..., Any],
    *,
    missing: Sequence[str] = (),
    **request: Any,
) -> Result:
    """What is judged of AWS's answer, which is None where an error of `missing` says that there is nothing."""
    told = asked(check, target, ask, missing=missing, **request)
    return told if isinstance(told, Result) else weighed(check, target, judge, told)


def of_kind(check: str, things: dict[str, str], kind: str) -> Iterator[Result]:
    """That a stack has something of a kind at all: nothing to look at is no success."""
    if not things:
        yield Result(check, kind, State.FAILED, "the stack has none")

"""Runs functions as Lambda does: by their Handler, JSON in and out, within their time, never more than 6 MB."""

import importlib
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any
from uuid import uuid4

from infra.local.events import ACCOUNT
from infra.local.template import Function, Template

LARGEST_PAYLOAD = 6_291_556

type Handler = Callable[[Any, "Context"], Any]


class PayloadTooLarge(Exception):
    """The event is larger than Lambda takes."""


class FunctionFailed(Exception):
    """The function raised, ran out of time, or returned what is no JSON or too much of it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler learns of its own invocation."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:eu-west-3:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The log group of the function."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, int((self.deadline - monotonic()) * 1000))


class Runtime:
    """All functions of a template within this process; requests run in parallel, each in its own thread."""

    def __init__(self, template: Template, after_each: Callable[[], None] = lambda: None) -> None:
        self._functions = template.functions
        self._authorizers = {route.authorizer for route in template.routes}
        self._after_each = after_each
        for code in {str((template.folder / each.code).resolve()) for each in self._functions.values()}:
            if code not in sys.path:
                sys.path.insert(0, code)

    @property
    def functions(self) -> Mapping[str, Function]:
        """Every function by its name."""
        return self._functions

    @property
    def jobs(self) -> Mapping[str, str]:
        """The functions that run on a schedule or by hand, by the name of their job."""
        return {each.job: name for name, each in self._functions.items() if each.job and name not in self._authorizers}

    def load(self) -> None:
        """Import every handler: what would fail at the first cold start fails now."""
        for function in self._functions.values():
            _handler(function.handler)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Call a function and return its result."""
        payload = json.dumps(event)
        if len(payload.encode()) > LARGEST_PAYLOAD:
            raise PayloadTooLarge(name)
        function = self._functions[name]
        outcome: SimpleQueue[str | FunctionFailed] = SimpleQueue()
        Thread(target=self._run, args=(function, payload, outcome), daemon=True).start()
        try:
            result = outcome.get(timeout=function.timeout)
        except Empty:
            result = FunctionFailed("Sandbox.Timedout", f"Task timed out after {function.timeout} seconds")
        if isinstance(result, FunctionFailed):
            raise result
        return json.loads(result)

    def _run(self, function: Function, payload: str, outcome: SimpleQueue[str | FunctionFailed]) -> None:
        context = Context(function.name, function.memory, monotonic() + function.timeout)
        try:
            outcome.put(_serialised(_handler(function.handler)(json.loads(payload), context)))
        except FunctionFailed as failure:
            outcome.put(failure)
        except Exception as failure:  # noqa: BLE001 - whatever a handler raises, Lambda tells the caller and goes on
            traceback.print_exc()
            outcome.put(FunctionFailed(type(failure).__name__, str(failure)))
        finally:
            self._after_each()


def _serialised(result: Any) -> str:
    try:
        text = json.dumps(result)
    except (TypeError, ValueError) as failure:
        raise FunctionFailed("Runtime.MarshalError", str(failure)) from failure
    if len(text.encode()) > LARGEST_PAYLOAD:
        raise FunctionFailed("Function.ResponseSizeTooLarge", "the answer is larger than 6 MB")
    return text


def _handler(name: str) -> Handler:
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler

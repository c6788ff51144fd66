"""What the functions find around them when SAM CLI runs them: the local stack without its gateway and its runtime."""

import json
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import httpx

from infra.local.controls import PREFIX
from infra.local.events import HttpAnswer, HttpRequest, message
from infra.local.runtime import FunctionFailed, Runtime
from infra.local.stack import LocalStack, Place
from infra.local.template import Template

CLOCK, FUNCTIONS = f"{PREFIX}clock", f"{PREFIX}lambda/"
START_SECONDS = 30
"""What a container may take to start, beside the time that its function has."""
FAILED = "x-amz-function-error"


class SamRuntime(Runtime):
    """The functions behind `sam local start-lambda`; whoever invokes one waits until that answers."""

    def __init__(self, template: Template, url: str, answers: Event, after_each: Callable[[], None]) -> None:
        super().__init__(template, after_each)
        self._url = url
        self._answers = answers

    def load(self) -> None:
        """Nothing: handlers are imported in their containers."""

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Call a function and return its result."""
        self._answers.wait()
        url = f"{self._url}/2015-03-31/functions/{name}/invocations"
        try:
            answer = httpx.post(url, json=event, timeout=self._functions[name].timeout + START_SECONDS)
            result = answer.raise_for_status().json()
        except (httpx.HTTPError, json.JSONDecodeError) as failure:
            raise FunctionFailed("Runtime.Unreachable", type(failure).__name__) from failure
        finally:
            self._after_each()
        if FAILED in answer.headers:
            raise FunctionFailed(str(result.get("errorType")), str(result.get("errorMessage")))
        return result


class Surroundings(LocalStack):
    """Answers below /local alone, and neither moves the clock nor changes variables: containers would not learn of it.

    `functions` is the address of `sam local start-lambda`, to be set to answer once it does.
    """

    def __init__(self, place: Place, functions: str) -> None:
        super().__init__(place=place)
        self._functions = functions
        self.answers = Event()

    def _make_runtime(self, template: Template) -> Runtime:
        return SamRuntime(template, self._functions, self.answers, self._wake_consumers)

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        if request.path == CLOCK or not request.path.startswith(PREFIX):
            return message(404, "Not Found")
        if request.method == "PUT" and request.path.startswith(FUNCTIONS):
            return message(501, "Not Implemented")
        return self._controls.handle(request)

"""As much of Lambda's own API as an operator's program asks for, by the names that functions have in the template."""

import importlib
import json
import os
from collections import Counter
from typing import Any

from infra.local.events import HttpAnswer
from infra.local.runtime import FunctionFailed, Runtime

type Json = dict[str, Any]


class LambdaApi:
    """Invokes functions, tells their variables and changes them: all share one process, and so its environment."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._revisions: Counter[str] = Counter()

    def handle(self, method: str, name: str, rest: str, body: bytes) -> HttpAnswer:
        """Answer a request about one function."""
        if name not in self._runtime.functions:
            return _missing("Function not found")
        match method, rest:
            case "POST", "invocations":
                return self._invoked(name, json.loads(body or b"{}"))
            case "GET", "configuration":
                return _answer(self._configuration(name))
            case "GET", "":
                return _answer({"Configuration": self._configuration(name)})
            case "PUT", "configuration":
                return self._changed(name, json.loads(body))
        return _missing("no such thing here")

    def _invoked(self, name: str, event: Json) -> HttpAnswer:
        try:
            return _answer(self._runtime.invoke(name, event))
        except FunctionFailed as failure:
            told = {"errorType": failure.kind, "errorMessage": failure.text}
            return _answer(told, ("x-amz-function-error", "Unhandled"))

    def _configuration(self, name: str) -> Json:
        declared = self._runtime.functions[name].environment
        variables = {each: os.environ[each] for each in declared if each in os.environ}
        told = {"FunctionName": name, "LastUpdateStatus": "Successful", "RevisionId": self._revision(name)}
        return told | {"Environment": {"Variables": variables}}

    def _revision(self, name: str) -> str:
        return str(self._revisions[name])

    def _changed(self, name: str, change: Json) -> HttpAnswer:
        """New variables for new environments: here, the function's module loaded anew."""
        if change.get("RevisionId", self._revision(name)) != self._revision(name):
            return _failure(412, "PreconditionFailedException", "another revision")
        self._revisions[name] += 1
        os.environ |= change.get("Environment", {}).get("Variables", {})
        module, _, _ = self._runtime.functions[name].handler.rpartition(".")
        importlib.reload(importlib.import_module(module))
        return _answer(self._configuration(name))


def _missing(text: str) -> HttpAnswer:
    return _failure(404, "ResourceNotFoundException", text)


def _failure(status: int, code: str, text: str) -> HttpAnswer:
    headers = (("content-type", "application/json"), ("x-amzn-errortype", code))
    return HttpAnswer(status, headers, json.dumps({"Message": text}).encode())


def _answer(content: Any, *headers: tuple[str, str]) -> HttpAnswer:
    return HttpAnswer(200, (("content-type", "application/json"), *headers), json.dumps(content).encode())

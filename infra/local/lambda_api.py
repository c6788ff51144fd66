"""As much of Lambda's own API as an operator's program asks for, by the names that functions have in the template."""

import importlib
import json
import os
from typing import Any

from infra.local.events import HttpAnswer
from infra.local.runtime import FunctionFailed, Runtime

type Json = dict[str, Any]


class LambdaApi:
    """Invokes functions, tells their variables and changes them: all share one process, and so its environment."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

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
                return _answer(self._changed(name, json.loads(body)))
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
        return {"FunctionName": name, "Environment": {"Variables": variables}, "LastUpdateStatus": "Successful"}

    def _changed(self, name: str, change: Json) -> Json:
        """New variables for new environments: here, the function's module loaded anew."""
        os.environ |= change.get("Environment", {}).get("Variables", {})
        module, _, _ = self._runtime.functions[name].handler.rpartition(".")
        importlib.reload(importlib.import_module(module))
        return self._configuration(name)


def _missing(text: str) -> HttpAnswer:
    headers = (("content-type", "application/json"), ("x-amzn-errortype", "ResourceNotFoundException"))
    return HttpAnswer(404, headers, json.dumps({"Message": text}).encode())


def _answer(content: Any, *headers: tuple[str, str]) -> HttpAnswer:
    return HttpAnswer(200, (("content-type", "application/json"), *headers), json.dumps(content).encode())

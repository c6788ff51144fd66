"""The local stack, run as `python -m tests.packaged_stack`, with the functions of a package, not of the sources."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from infra.local import seed
from infra.local.process import ANNOUNCEMENT, LocalProcess
from infra.local.runtime import FunctionFailed, Runtime
from infra.local.stack import LocalStack
from infra.local.template import Function, Template

PACKAGE = "PACKAGE"
WORKER = Path(__file__).with_name("package_worker.py")
OF_THE_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's runtime has beside Python's own."""


class PackagedProcess(LocalProcess):
    """`with PackagedProcess(package) as stack: httpx.get(f"{stack.url}/fhir/metadata")`."""

    module = "tests.packaged_stack"

    def __init__(self, package: Path) -> None:
        super().__init__(seed="demo", LOG_LEVEL="WARNING", PACKAGE=str(package))


class Worker:
    """One process for all functions, one event at a time."""

    def __init__(self, package: str, libraries: Path) -> None:
        command = [sys.executable, "-I", "-S", str(WORKER), package, str(libraries)]
        self._lock = Lock()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, function: Function, payload: str) -> str:
        """The answer of a function as JSON; FunctionFailed where it raised."""
        context = {"function_name": function.name, "aws_request_id": "1", "memory_limit_in_mb": function.memory}
        context["invoked_function_arn"] = f"arn:aws:lambda:eu-west-3:123456789012:function:{function.name}"
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            print(json.dumps([function.handler, json.loads(payload), context]), file=self._process.stdin, flush=True)
            answer = json.loads(self._process.stdout.readline())
        if "failed" in answer:
            raise FunctionFailed("Raised", answer["failed"])
        return json.dumps(answer["answer"])

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class PackagedRuntime(Runtime):
    """Hands every event to the worker; nothing of `functions` is imported for it."""

    def __init__(self, template: Template, worker: Worker) -> None:
        super().__init__(template)
        self._worker = worker

    def load(self) -> None:
        """Left to the worker, at the first event of each."""

    def _run(self, function: Function, payload: str, outcome: SimpleQueue[str | FunctionFailed]) -> None:
        try:
            outcome.put(self._worker.run(function, payload))
        except FunctionFailed as failure:
            print(failure, file=sys.stderr)
            outcome.put(failure)


class PackagedStack(LocalStack):
    """Everything on one machine, but the functions, which are in a process of their own."""

    def _make_runtime(self, template: Template) -> Runtime:
        libraries = self._undo.enter_context(tempfile.TemporaryDirectory())
        worker = Worker(os.environ[PACKAGE], runtime_libraries(Path(libraries)))
        self._undo.callback(worker.stop)
        return PackagedRuntime(template, worker)


def runtime_libraries(folder: Path) -> Path:
    """A folder with what Lambda's runtime has, and nothing else of this environment."""
    for name in OF_THE_RUNTIME:
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        path = Path(found.origin)
        path = path.parent if path.name == "__init__.py" else path
        (folder / path.name).symlink_to(path)
    return folder


def main() -> None:
    """Run until told to stop."""
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    with ExitStack() as started:
        stack = started.enter_context(PackagedStack(seed=seed.demo))
        print(f"{ANNOUNCEMENT}{stack.url}/fhir", flush=True)
        signal.sigwait(stopping)


if __name__ == "__main__":
    main()

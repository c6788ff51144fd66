"""The local stack as a process of its own, for tests that look at it from outside."""

import subprocess
import sys
from collections import deque
from os import environ
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[2]
ANNOUNCEMENT = "The API answers at "
STOP_SECONDS = 30


class LocalProcess:
    """`make run` without make: `with LocalProcess() as stack: httpx.get(f"{stack.url}/fhir/metadata")`."""

    module = "infra.local"

    def __init__(self, *, seed: str = "none", port: int = 0, **environment: str) -> None:
        own = {"PORT": str(port), "SEED": seed, "PYTHONPATH": str(ROOT / "functions"), "PYTHONUNBUFFERED": "1"}
        self._environment = {**environ, **own, **environment}
        self.log: deque[str] = deque(maxlen=100_000)
        """What the process printed, the functions' logs among it."""
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-m", self.module],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        try:
            self.url = self._announced()
        except RuntimeError:
            self.stop()
            raise
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask the process to end, and return how it did."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            if self._reader.is_alive():
                self._reader.join()
            if self._process.stdout:
                self._process.stdout.close()

    @property
    def controls(self) -> str:
        """Where the routes below /local are."""
        return self.url

    def token(self, issuer: str, claims: dict[str, Any], expires_in: int = 3600) -> str:
        """Ask a local issuer for a token."""
        body = {"issuer": issuer, "claims": claims, "expires_in": expires_in}
        answer = httpx.post(f"{self.controls}/local/token", json=body).raise_for_status()
        return str(answer.json()["access_token"])

    def move_clock(self, seconds: float) -> None:
        """Set the distance of the stack's clock from real time."""
        httpx.post(f"{self.controls}/local/clock", json={"offset_seconds": seconds}).raise_for_status()

    def _announced(self) -> str:
        for line in self._process.stdout or ():
            self.log.append(line)
            if line.startswith(ANNOUNCEMENT):
                return line.removeprefix(ANNOUNCEMENT).strip().removesuffix("/fhir")
        raise RuntimeError("the local stack did not start:\n" + "".join(self.log))

    def _read(self) -> None:
        self.log.extend(self._process.stdout or ())

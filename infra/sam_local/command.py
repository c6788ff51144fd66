"""SAM CLI, told of the built package, of moto and of the engine: what it reads, and its command line."""

import json
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.resources import REGION
from infra.local.template import content
from infra.sam_local.engine import Engine, architecture
from infra.sam_local.local_template import ENDPOINT, localised

TEMPLATE, VARIABLES = "local.json", "variables.json"
START_SECONDS, STOP_SECONDS = 60, 20
QUIET = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CONTAINER_CONNECTION_TIMEOUT": "60"}


@dataclass(frozen=True, slots=True)
class SamLocal:
    """`sam local …` for one running stack: what was built, and the folder for what is told of the stack."""

    sam: Path
    build: Path
    state: Path
    engine: Engine

    @property
    def environment(self) -> dict[str, str]:
        """The variables of SAM CLI itself."""
        return {**os.environ, **QUIET, **self.engine.environment}

    def command(self, verb: str, *options: str) -> list[str]:
        """The command line; what the engine needs is part of it."""
        parameters = f"Architecture={architecture()} Stage=local"
        files = ["--template", str(self.build / TEMPLATE), "--env-vars", str(self.state / VARIABLES)]
        told = [*files, "--region", REGION, "--parameter-overrides", parameters, *self.engine.options]
        return [str(self.sam), "local", verb, *told, *options]

    def write(self, variables: Mapping[str, str]) -> None:
        """Write the template, the variables of the functions, and a script that invokes one of them."""
        # beside the built template, whose paths are relative
        template = localised(content(self.build / "template.yaml"))
        (self.build / TEMPLATE).write_text(json.dumps(template), encoding="utf-8")
        (self.state / VARIABLES).write_text(json.dumps({"Parameters": self._reached(variables)}), encoding="utf-8")
        own = {*QUIET, *self.engine.environment}
        told = [f"{name}={value}" for name, value in self.environment.items() if name in own or name.startswith("AWS_")]
        script = self.state / "invoke"
        script.write_text(
            f'#!/bin/sh\nexec {shlex.join(["env", *told, *self.command("invoke")])} "$@"\n', encoding="utf-8"
        )
        script.chmod(0o755)

    @contextmanager
    def serving(self, verb: str, url: str) -> Iterator[None]:
        """`sam local start-…` at an address, from when it answers on."""
        address = urlsplit(url)
        where = ["--host", str(address.hostname), "--port", str(address.port)]
        command = self.command(verb, *where, "--warm-containers", "LAZY", "--no-watch")
        # a session of its own: Ctrl-C is for the process that started all, which ends one after the other
        process = subprocess.Popen(command, env=self.environment, cwd=self.state, start_new_session=True)
        try:
            _await(process, (str(address.hostname), address.port or 0))
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _reached(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables as containers need them, who may know this machine by another name."""
        here, there = f"http://{self.engine.listens}:", f"http://{self.engine.reached}:"
        keys = variables["ISSUERS"].replace(f'"jwks_uri": "{here}', f'"jwks_uri": "{there}')
        return {**variables, "ISSUERS": keys, ENDPOINT: os.environ[ENDPOINT].replace(here, there)}


def _await(process: subprocess.Popen[bytes], address: tuple[str, int]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as attempt:
            if attempt.connect_ex(address) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("SAM CLI did not start")

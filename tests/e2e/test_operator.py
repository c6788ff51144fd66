"""The operator's program as it is typed: a process of its own, against a local stack in another."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.process import LocalProcess

ROOT = Path(__file__).parents[2]

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="demo", LOG_LEVEL="ERROR") as stack:
        yield stack


def typed(stack: LocalProcess, *arguments: str) -> tuple[int, str, str]:
    """Exit code and output of a command."""
    command = [sys.executable, "-m", "infra.admin", "--local", stack.url, "--operator", "ana", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def told(stack: LocalProcess, *arguments: str) -> Json:
    """What a command that ends well answers with."""
    code, out, err = typed(stack, "--output", "json", *arguments)
    assert code in (0, 1), err
    answer: Json = json.loads(out)
    return answer


def personas(stack: LocalProcess) -> dict[str, Json]:
    return {each["id"]: each for each in httpx.get(f"{stack.controls}/local/personas").json()}


def status(stack: LocalProcess, token: str) -> int:
    return httpx.get(f"{stack.url}/fhir/Unknown", headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_demonstration_is_sound_and_its_use_is_logged(stack: LocalProcess) -> None:
    answer = told(stack, "fsck", "--bytes", "--parallel", "2")

    assert (answer["records"], answer["well"]) == (1, True)
    assert answer["documents"] >= 4
    assert [one["stage"] for one in told(stack, "log", "--limit", "3")["acts"]] == ["begun", "done", "begun"]


def test_what_waits_is_told(stack: LocalProcess) -> None:
    answer = told(stack, "capacity")

    assert {one["queue"] for one in answer["queues"]} >= {"LostRuns", "HookQueue"}
    assert told(stack, "replay", "hooks")["replayed"] == 0


def test_a_key_that_is_revoked_opens_nothing_until_it_is_restored(stack: LocalProcess) -> None:
    token = personas(stack)["patient"]["access_token"]
    served = next(one for one in told(stack, "keys", "show")["issuers"] if one["kind"] == "patient")
    named = ["--issuer", served["issuer"], "--kid"]
    kids = served["served"].split()
    before = status(stack, token)

    for kid in kids:
        told(stack, "keys", "revoke", *named, kid)
    revoked = status(stack, token)
    for kid in kids:
        told(stack, "keys", "restore", *named, kid)

    assert (before, revoked, status(stack, token)) == (404, 401, 404)


def test_a_record_that_is_not_there_is_refused(stack: LocalProcess) -> None:
    code, _, err = typed(stack, "suspend", "0" * 26, "--reason", "Essai")

    assert (code, "no-record" in err) == (3, True)


def test_without_a_stack_nothing_is_possible_now() -> None:
    command = [sys.executable, "-m", "infra.admin", "--local", "http://127.0.0.1:9", "log"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}

    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 4

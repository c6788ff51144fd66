"""Lines leave as the runtime of Lambda has it: the root logger at INFO, with a handler, before anything is imported."""

import json
import subprocess
import sys

import pytest

LINES = """
import logging, sys
logging.basicConfig(level="INFO", stream=sys.stdout)
logging.getLogger("before").info("was written")
from dmp.observability import logger
logging.getLogger("botocore.credentials").info("Found credentials in environment variables.")
logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=%s)", "/documents/r1/d1")
logging.getLogger("botocore").error("no")
logging.getLogger().error("no")
logger.info("request", extra={"status": 200, "patient": "p1"})
"""


def test_libraries_write_no_lines_and_ours_have_keys_of_the_list_alone() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LINES], env={"PYTHONPATH": "functions"}, capture_output=True, check=True
    )

    first, *others = run.stdout.decode().splitlines()
    assert first == "INFO:before:was written"
    [line] = map(json.loads, others)
    assert (line["message"], line["status"]) == ("request", 200)
    assert "patient" not in line
    assert run.stderr == b""


@pytest.mark.parametrize(("asked", "written"), [("INFO", ["request", "failed"]), ("ERROR", ["failed"])])
def test_the_level_is_that_of_the_template_whatever_lambda_says(asked: str, written: list[str]) -> None:
    lines = 'from dmp.observability import logger; logger.info("request"); logger.error("failed")'
    told = {
        "PYTHONPATH": "functions",
        "LOG_LEVEL": asked,
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }

    run = subprocess.run([sys.executable, "-c", lines], env=told, capture_output=True, check=True)

    assert [json.loads(line)["message"] for line in run.stdout.splitlines()] == written

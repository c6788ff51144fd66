"""What people type against `make run` does the same here: one address for the API and for the routes below /local."""

import json
from shutil import which

import httpx
import pytest

from infra.admin import __main__ as admin
from infra.smoke import __main__ as smoke
from tests.http_people import opened
from tests.sam_local.conftest import SamProcess
from tests.tour import assert_tour

pytestmark = pytest.mark.sam_local

type Capture = pytest.CaptureFixture[str]


@pytest.mark.skipif(which("curl") is None, reason="the tour is told with curl")
def test_the_tour_of_the_readme_does_what_it_says(sam: SamProcess) -> None:
    assert_tour(sam)


def test_people_and_jobs_are_where_they_are_without_containers(sam: SamProcess) -> None:
    people = httpx.get(f"{sam.url}/local/personas").json()
    run = httpx.post(f"{sam.url}/local/jobs/consent_expiry", timeout=60)

    assert "patient" in {each["id"] for each in people}
    assert (run.status_code, run.json()["failed"]) == (200, 0)


def test_what_containers_do_not_share_is_refused(sam: SamProcess) -> None:
    clock = httpx.post(f"{sam.url}/local/clock", json={"offset_seconds": 60})
    variables = httpx.put(f"{sam.url}/local/lambda/2015-03-31/functions/Authorizer/configuration", json={})

    assert (clock.status_code, variables.status_code) == (404, 501)


def test_operators_do_what_they_do(sam: SamProcess, capsys: Capture) -> None:
    code = admin.main(["--local", sam.url, "--operator", "ana", "--output", "json", "fsck"])

    answer = json.loads(capsys.readouterr().out)
    assert code in (0, 1)
    assert answer["records"] >= 1


def test_the_smoke_test_finds_nothing_wrong(sam: SamProcess, capsys: Capture) -> None:
    assert smoke.main(["--local", sam.url]) == 0, capsys.readouterr().out


def test_no_library_writes_lines(sam: SamProcess) -> None:
    opened(sam)

    assert [line for line in sam.log if '"type": "platform.report"' in line or "REPORT RequestId" in line]
    assert not [line for line in sam.log if "Found credentials" in line or "Found endpoint" in line]

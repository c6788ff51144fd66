"""The tour of the README, run as it stands there against `make run`."""

from shutil import which

import pytest

from infra.local.process import LocalProcess
from tests.tour import assert_tour


@pytest.mark.skipif(which("curl") is None, reason="the tour is told with curl")
def test_the_tour_of_the_readme_does_what_it_says() -> None:
    with LocalProcess(seed="none") as stack:
        assert_tour(stack)


def test_the_demonstration_stands_as_soon_as_the_stack_is_ready() -> None:
    with LocalProcess(seed="demo") as stack:
        log = "\n".join(stack.log)

    assert "INS" not in log
    assert stack.url

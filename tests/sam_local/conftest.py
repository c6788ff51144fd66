"""The application under SAM CLI, for the whole session, which ends with the reason where no containers run."""

from collections.abc import Iterator

import pytest

from infra.local.process import LocalProcess
from infra.sam_local.__main__ import CANNOT


class SamProcess(LocalProcess):
    """`make sam-local` without make."""

    module = "infra.sam_local"


@pytest.fixture(scope="session")
def sam() -> Iterator[SamProcess]:
    process = SamProcess(seed="none", LOG_LEVEL="WARNING")
    try:
        process.__enter__()
    except RuntimeError:
        if process.stop() == CANNOT:
            pytest.exit(process.log[-1].strip(), returncode=0)
        raise
    try:
        yield process
    finally:
        process.stop()

"""Builds of the package, for the tests that ask for one."""

from pathlib import Path

import pytest

from tests.packages import DEPLOYED, OWN, package


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build that is deployed."""
    return package(tmp_path_factory, "deployed", DEPLOYED)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build that this machine can run."""
    return package(tmp_path_factory, "own", OWN)

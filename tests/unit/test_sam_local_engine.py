"""Docker is taken where it answers, by the address at which its containers reach this machine."""

import json
from collections.abc import Iterator

import pytest

from infra.sam_local.engine import RUNTIME_IMAGE, RUNTIME_TAG, Unavailable, architecture, docker
from tests.issuer_server import IssuerServer

IMAGE = f"/images/{RUNTIME_IMAGE}:{RUNTIME_TAG}-{architecture()}/json"
OF_NO_MACHINE = "203.0.113.9"


def bridge(address: str) -> bytes:
    return json.dumps({"IPAM": {"Config": [{"Gateway": address}]}}).encode()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[IssuerServer]:
    """What Docker's API answers: alive, with the image of the runtime."""
    with IssuerServer() as server:
        server.documents = {"/_ping": b"OK", IMAGE: b"{}", "/networks/bridge": bridge("127.0.0.1")}
        monkeypatch.setenv("DOCKER_HOST", server.url.replace("http://", "tcp://"))
        yield server


def test_containers_reach_a_linux_machine_at_the_gateway_of_their_bridge(daemon: IssuerServer) -> None:
    found = docker()

    assert found
    assert (found.listens, found.reached) == ("127.0.0.1", "127.0.0.1")
    assert not found.environment


def test_elsewhere_they_know_it_by_a_name(daemon: IssuerServer) -> None:
    daemon.documents["/networks/bridge"] = bridge(OF_NO_MACHINE)

    found = docker()

    assert found
    assert (found.listens, found.reached) == ("127.0.0.1", "host.docker.internal")


def test_an_image_that_cannot_be_fetched_is_no_fault_of_the_application(daemon: IssuerServer) -> None:
    del daemon.documents[IMAGE]

    with pytest.raises(Unavailable, match=RUNTIME_IMAGE):
        docker()


def test_where_nothing_answers_there_is_no_docker(daemon: IssuerServer) -> None:
    daemon.broken = True

    assert docker() is None

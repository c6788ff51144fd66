"""The key sets of issuers over real HTTP: rotation, outage, and what is not believed (RFC 7517)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dmp.adapters.jwks import FRESH_SECONDS, PAUSE_AFTER_FAILURE_SECONDS, PAUSE_SECONDS, STALE_SECONDS, KeySet
from dmp.adapters.key_servers import KeyServers
from dmp.domain.claims import IssuerKind
from dmp.domain.errors import Unavailable
from tests.issuer_server import IssuerServer, self_signed
from tests.token_factory import TokenFactory, ec_key

PATIENT = IssuerKind.PATIENT


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []',
        b"<html>",
        b'{"keys": [], "keys": []}',
        b"\xff",
        b"[" * 60_000,
    ],
)
def test_what_is_no_key_set_is_as_if_nothing_came(document: bytes) -> None:
    with IssuerServer() as server:
        server.documents["/"] = document

        with pytest.raises(Unavailable, match="issuer-unavailable"):
            KeySet(server.url, KeyServers()).find("patient-1", 1000.0)


def test_a_key_set_beyond_64_kb_is_not_read() -> None:
    with IssuerServer() as server:
        server.documents["/"] = TokenFactory().jwks(PATIENT, {"x": "y" * 66_000})

        with pytest.raises(Unavailable):
            KeySet(server.url, KeyServers()).find("patient-1", 1000.0)


def test_a_redirect_is_not_followed() -> None:
    with IssuerServer() as server:
        server.documents["/keys"] = TokenFactory().jwks(PATIENT)
        server.redirects["/"] = f"{server.url}/keys"

        with pytest.raises(Unavailable):
            KeySet(server.url, KeyServers()).find("patient-1", 1000.0)

        assert server.hits == ["/"]


def test_nobody_listening_is_as_if_nothing_came() -> None:
    with IssuerServer() as server:
        url = server.url

    with pytest.raises(Unavailable):
        KeySet(url, KeyServers()).find("patient-1", 1000.0)


def test_a_server_with_a_certificate_of_a_known_authority_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    with IssuerServer(self_signed(tmp_path / "server.pem")) as server:
        server.documents["/keys?version=1"] = TokenFactory().jwks(PATIENT)

        assert KeySet(f"{server.url}/keys?version=1#part", KeyServers()).find("patient-1", 1000.0)


def test_a_server_with_a_certificate_of_its_own_making_is_not_believed(tmp_path: Path) -> None:
    with IssuerServer(self_signed(tmp_path / "server.pem")) as server:
        server.documents["/"] = TokenFactory().jwks(PATIENT)

        with pytest.raises(Unavailable):
            KeySet(server.url, KeyServers()).find("patient-1", 1000.0)

        assert server.hits == []


@dataclass
class Rotation:
    """One key set and its server, with a clock of their own."""

    server: IssuerServer
    keys: KeySet

    def publish(self, *kids: str) -> None:
        self.server.documents["/"] = json.dumps({"keys": [ec_key(kid).jwk() for kid in kids]}).encode()

    def knows(self, kid: str, now: float) -> bool:
        return self.keys.find(kid, now) is not None


@pytest.fixture
def rotation() -> Iterator[Rotation]:
    with IssuerServer() as server:
        rotation = Rotation(server, KeySet(f"{server.url}/", KeyServers()))
        rotation.publish("first")
        yield rotation


def test_a_new_key_is_found_but_unknown_ones_cost_one_fetch_in_thirty_seconds(rotation: Rotation) -> None:
    assert rotation.knows("first", 1000)
    rotation.publish("first", "second")

    assert not rotation.knows("second", 1000 + PAUSE_SECONDS - 1)
    assert rotation.knows("second", 1000 + PAUSE_SECONDS)
    for tries in range(PAUSE_SECONDS):
        assert not rotation.knows(f"forged-{tries}", 1000 + PAUSE_SECONDS + tries)

    assert len(rotation.server.hits) == 2


def test_a_withdrawn_key_is_forgotten_after_ten_minutes(rotation: Rotation) -> None:
    assert rotation.knows("first", 1000)
    rotation.publish("second")

    assert rotation.knows("first", 1000 + FRESH_SECONDS)
    assert not rotation.knows("first", 1000 + FRESH_SECONDS + 1)


def test_known_keys_outlast_a_failure_of_the_issuer_for_an_hour(rotation: Rotation) -> None:
    assert rotation.knows("first", 1000)
    rotation.server.broken = True

    assert rotation.knows("first", 1000 + STALE_SECONDS)
    with pytest.raises(Unavailable):
        rotation.knows("first", 1000 + STALE_SECONDS + 1)


def test_an_issuer_that_recovers_is_asked_again_within_seconds(rotation: Rotation) -> None:
    rotation.server.broken = True
    for now in (1000, 1000 + PAUSE_AFTER_FAILURE_SECONDS - 1):
        with pytest.raises(Unavailable):
            rotation.knows("first", now)
    rotation.server.broken = False

    assert rotation.knows("first", 1000 + PAUSE_AFTER_FAILURE_SECONDS)
    assert len(rotation.server.hits) == 2


def test_a_clock_set_back_does_not_keep_old_keys(rotation: Rotation) -> None:
    assert rotation.knows("first", 1_000_000)
    rotation.publish("second")

    assert not rotation.knows("first", 1000)
    assert rotation.knows("second", 1000)

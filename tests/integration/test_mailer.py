"""Handing a mail to SES over a real connection: one attempt, and the truth about what became of it."""

import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from dmp.adapters import aws
from dmp.adapters.mailer import Mailer
from dmp.domain.errors import Unavailable
from dmp.domain.mail import Mail, MailInDoubt


class Deaf:
    """Takes connections and requests, and hangs up without an answer."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.requests = 0
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                self.requests += bool(connection.recv(65_536))

    def stop(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._thread.join(timeout=5)


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    server = Deaf()
    yield server
    server.stop()


def mailer(monkeypatch: pytest.MonkeyPatch, port: int) -> Mailer:
    """A mailer whose SES is at a port of this machine, by a client of the factory."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{port}")
    factory: Any = aws.client
    client = factory.__wrapped__("sesv2")
    return Mailer(lambda: client, "dmp@example.org")


def test_a_mail_is_handed_over_once_where_no_answer_comes(
    stack: dict[str, str], monkeypatch: pytest.MonkeyPatch, deaf: Deaf
) -> None:
    assert stack

    with pytest.raises(MailInDoubt):
        mailer(monkeypatch, deaf.server.getsockname()[1]).send("somebody@example.org", Mail("subject", "text"))

    assert deaf.requests == 1


def test_a_mail_surely_did_not_leave_where_nobody_listens(
    stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(Unavailable):
        mailer(monkeypatch, port).send("somebody@example.org", Mail("subject", "text"))


def test_an_address_that_is_none_is_never_handed_over(
    stack: dict[str, str], monkeypatch: pytest.MonkeyPatch, deaf: Deaf
) -> None:
    assert stack

    with pytest.raises(Unavailable):
        mailer(monkeypatch, deaf.server.getsockname()[1]).send(None, Mail("subject", "text"))  # type: ignore[arg-type]

    assert deaf.requests == 0

"""The software of a professional: an HTTPS server on this machine that takes hooks and answers as it is told."""

import hashlib
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BIRTH = datetime(2020, 1, 1, tzinfo=UTC)
"""Certificates are older than any clock of the tests."""
SLOWLY = 0
"""Instead of a status: drip the answer, a byte at a time."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["x-dmp-event"]


class HookReceiver:
    """Answers 204, or the `statuses` in turn; `certificate` is what a client must trust."""

    def __init__(self, folder: Path, host: str = "localhost") -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.connections = 0
        self.certificate = _certify(folder, host)
        self._closing = Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        self._server.context = context
        self._server.receiver = self
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where a Subscription sends its hooks."""
        return f"https://localhost:{self.port}/hooks?of=dmp"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 20) -> list[Received]:
        """What has been received, once it is that many or the time is over."""
        end = monotonic() + seconds
        while len(self.received) < count and monotonic() < end:
            sleep(0.01)
        return self.received

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                receiver.received.append(Received(self.command, self.path, headers, body))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if status == SLOWLY:
                    self._drip()
                    return
                self.send_response(status)
                self.send_header("Location", f"{receiver.url}&again")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _drip(self) -> None:
                self.close_connection = True
                while not receiver._closing.wait(0.05):
                    try:
                        self.wfile.write(b"H")
                    except OSError:
                        return

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    context: ssl.SSLContext
    receiver: HookReceiver

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the request, where a client that turns away disturbs nobody."""
        self.receiver.connections += 1
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that turn away are what some tests want."""


def signature(secret: str, received: Received) -> str:
    """The proof that a receiver computes of what it got."""
    names = ("x-dmp-timestamp", "x-dmp-event", "x-dmp-subscription")
    signed = ".".join(received.headers[name] for name in names)
    return "v1=" + hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _certify(folder: Path, host: str) -> Path:
    """A certificate of this host, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    names: list[x509.GeneralName] = [x509.DNSName(host), x509.IPAddress(IPv4Address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BIRTH)
        .not_valid_after(BIRTH + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    certificate = folder / "certificate.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate

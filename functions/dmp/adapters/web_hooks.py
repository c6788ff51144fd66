"""One request to a receiver of hooks: verified TLS to a checked address, no body, no redirect, within its time."""

import socket
import ssl
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPException, HTTPSConnection
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

from dmp.domain.endpoint import HTTPS_PORT, is_permitted
from dmp.domain.subscription import Delivery

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 5.0
_GONE = 410


class WebHooks:
    """Sends hooks; `may_loop_back` lets them lead to this very machine."""

    def __init__(self, *, may_loop_back: bool, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._may_loop_back = may_loop_back
        self._answer_seconds = answer_seconds

    def post(self, endpoint: str, headers: Mapping[str, str]) -> Delivery:
        """Send these headers and nothing else; whatever goes wrong on the way is a failure."""
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            with self._connected(host, port) as connection:
                http = HTTPSConnection(host, port, context=self._context)
                http.sock = connection
                http.request("POST", target, headers={**headers, "User-Agent": "DMP", "Connection": "close"})
                status = http.getresponse().status
        except (OSError, HTTPException, ValueError):
            return Delivery.FAILED
        if status == _GONE:
            return Delivery.UNWANTED
        return Delivery.DONE if 200 <= status < 300 else Delivery.FAILED

    def _connected(self, host: str, port: int) -> ssl.SSLSocket:
        """A connection to an address that was looked at, whose other side proved to be the host."""
        plain = self._reached(self._addresses(host, port), port)
        secured = self._context.wrap_socket(plain, server_hostname=host)
        if isinstance(secured, _Hurried):
            secured.until = monotonic() + self._answer_seconds
        return secured

    def _addresses(self, host: str, port: int) -> list[str]:
        """Every address of a host; ValueError where one is not public: such a name may lead anywhere next time."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not all(is_permitted(ip_address(each), may_loop_back=self._may_loop_back) for each in addresses):
            raise ValueError("address")
        return addresses

    @staticmethod
    def _reached(addresses: list[str], port: int) -> socket.socket:
        """A connection to the first address that answers, all of them together within the time of one."""
        until = monotonic() + CONNECT_SECONDS
        failure = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=max(until - monotonic(), 0.001))
            except OSError as unreachable:
                failure = unreachable
        raise failure

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.sslsocket_class = _Hurried
        return context


class _Hurried(ssl.SSLSocket):
    """A connection whose answer must be there by a moment, however slowly the other side lets it drip."""

    until = 0.0

    def recv_into(self, buffer: "bytearray | memoryview", nbytes: int | None = None, flags: int = 0) -> int:  # type: ignore[override]
        left = self.until - monotonic()
        if left <= 0:
            raise TimeoutError("answer")
        self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)

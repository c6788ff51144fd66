"""The HTTP server of the local stack: one thread a connection, 127.0.0.1 only unless told otherwise."""

import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from infra.local.events import HttpAnswer, HttpRequest, message
from infra.local.gateway import LARGEST_BODY

HOST = "127.0.0.1"
IDLE_SECONDS = 60

type Application = Callable[[HttpRequest], HttpAnswer]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; everything else is worth a trace."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Server:
    """Listens from the start, answers from `start` on: the port is known before anything else stands."""

    def __init__(self, port: int, host: str = HOST) -> None:
        self._application: Application = lambda _: message(503, "Service Unavailable")
        self._host = host
        self._server = _Server((host, port), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        """The address, with the port that was free."""
        return f"http://{self._host}:{self._server.server_address[1]}"

    def start(self, application: Application) -> None:
        """Answer with an application."""
        self._application = application
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(_Handler):
            def application(self, request: HttpRequest) -> HttpAnswer:
                return outer._application(request)

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1

    def application(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request; the server's own subclass does."""
        raise NotImplementedError

    def answer(self) -> None:
        """Read one request, hand it on, write what comes back."""
        try:
            body = self._read_body()
        except ValueError:
            self.close_connection = True
            self._write(message(400, "Bad Request"))
            return
        request = HttpRequest(
            method=self.command,
            target=self.path,
            headers=tuple(self.headers.items()),
            body=body,
            client=str(self.client_address[0]),
            protocol=self.request_version,
        )
        self._write(self.application(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - named by the library

    def _read_body(self) -> bytes:
        """Read by length or by chunks; of a body over the limit, no more than shows that it is."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("content-length") or 0)
        if length < 0:
            raise ValueError("content-length")
        if length > LARGEST_BODY:
            self.close_connection = True
        body = self.rfile.read(min(length, LARGEST_BODY + 1))
        if len(body) < min(length, LARGEST_BODY + 1):
            raise ValueError("body cut short")
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if len(body) > LARGEST_BODY:
                self.close_connection = True
                return bytes(body)
        while self.rfile.readline(1024).strip():
            continue
        return bytes(body)

    def _write(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        bodiless = answer.status in {204, 304} or answer.status < 200
        told = any(name == "content-length" for name, _ in answer.headers)
        if not bodiless and not told and (answer.body or self.command != "HEAD"):
            self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not bodiless:
            self.wfile.write(answer.body)

    def handle_expect_100(self) -> bool:
        """Let the client send its body, at once rather than with the answer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def send_error(self, code: int, message_text: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP as the gateway does."""
        del explain
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self._write(message(code, message_text or "Bad Request"))

    def version_string(self) -> str:
        """Name no software."""
        return "dmp-local"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the library
        """Keep quiet: a path may name a person; the functions log what matters."""

"""The whole local stack: moto, storage, issuers, functions, gateway and triggers, started and stopped together."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from logging import WARNING, getLogger
from os import environ
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self
from unittest.mock import patch

import httpx

from infra.local import moto_repairs, resources
from infra.local.clock import Clock
from infra.local.consumer import Consumer
from infra.local.controls import PREFIX, Controls
from infra.local.events import HttpAnswer, HttpRequest, message
from infra.local.gateway import Gateway
from infra.local.issuers import KINDS, Issuer
from infra.local.queues import QueueConsumer
from infra.local.runtime import Runtime
from infra.local.server import HOST, Server
from infra.local.template import Template
from infra.local.triggers import StreamConsumer

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

type Seed = Callable[[httpx.Client, Mapping[str, Issuer]], None]


@dataclass(frozen=True, slots=True)
class Place:
    """At which address of this machine the stack listens, and where the API is if another server answers it."""

    host: str = HOST
    base_url: str = ""


class LocalStack:
    """Everything on one machine, within this process; `seed` fills the API before anybody else may call it.

    The process is the stack's own while it runs: its environment, its clock and moto's stores. Tests that share a
    process with others use `LocalProcess`.
    """

    def __init__(
        self, port: int = 0, *, seed: Seed | None = None, template: Path = TEMPLATE, place: Place | None = None
    ) -> None:
        self._port = port
        self._seed = seed
        self._place = place or Place()
        self._template = Template(template)
        self._undo = ExitStack()
        self._consumers: list[Consumer] = []
        self._open = Event()
        self.url = ""
        self.variables: dict[str, str] = {}
        """The environment of the functions."""
        self.issuers: dict[str, Issuer] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def client(self) -> httpx.Client:
        """A client that calls the API through the gateway, without a connection."""
        return httpx.Client(transport=_Transport(self._gateway.handle), base_url=f"{self.url}/fhir/")

    def _start(self) -> None:
        server = Server(self._port, self._place.host)
        self._undo.callback(server.stop)
        self.url = server.url
        self._undo.enter_context(resources.no_real_aws(self._start_moto()))
        self.issuers = {kind: Issuer(kind, self.url) for kind in KINDS}
        trusted = json.dumps([issuer.trust for issuer in self.issuers.values()])
        apps = self.issuers["patient"].configuration
        self._create_storage(
            {
                "BaseUrl": self._place.base_url or self.url,
                "PortalUrl": f"{self.url}/portal",
                "Issuers": trusted,
                "AuthorizationEndpoint": apps["authorization_endpoint"],
                "TokenEndpoint": apps["token_endpoint"],
            }
        )
        clock = Clock()
        self._undo.callback(clock.stop)
        self._controls = Controls(self.issuers, self._runtime, clock)
        self._gateway = Gateway(self._template.routes, self._runtime)
        self._runtime.load()
        server.start(self._handle)
        for consumer in self._consumers:
            consumer.start()
            self._undo.callback(consumer.stop)
        if self._seed:
            with self.client() as client:
                self._seed(client, self.issuers)
        self._open.set()

    def _start_moto(self) -> str:
        moto_repairs.apply()
        from moto.server import ThreadedMotoServer

        getLogger("werkzeug").setLevel(WARNING)
        moto = ThreadedMotoServer(ip_address=self._place.host, port=0, verbose=False)
        moto.start()
        self._undo.callback(moto.stop)
        return f"http://{self._place.host}:{moto.get_host_and_port()[1]}"

    def _create_storage(self, own: dict[str, str]) -> None:
        parameters = self._template.parameters(
            resources.PARAMETERS | own | {"LogLevel": environ.get("LOG_LEVEL", "INFO")}
        )
        variables = self._template.environment(parameters)
        mappings, queues = self._template.stream_mappings, self._template.queue_mappings
        arns = [arn for mapping in mappings for arn in (mapping.stream, mapping.lost_records or "")]
        arns += [mapping.queue for mapping in queues]
        values = resources.deploy(self._template, parameters, [*variables.values(), *arns])
        self.variables = dict(zip(variables, values, strict=False))
        self._undo.enter_context(patch.dict(environ, self.variables))
        self._runtime = self._make_runtime(self._template)
        for number, mapping in enumerate(mappings):
            stream, lost_records = values[len(variables) + 2 * number :][:2]
            self._consumers.append(StreamConsumer(mapping, stream, lost_records or None, self._runtime))
        for queue, arn in zip(queues, values[len(values) - len(queues) :], strict=True):
            self._consumers.append(QueueConsumer(queue, arn, self._runtime))

    def _make_runtime(self, template: Template) -> Runtime:
        return Runtime(template, after_each=self._wake_consumers)

    def _wake_consumers(self) -> None:
        for consumer in self._consumers:
            consumer.wake()

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        if request.path.startswith(PREFIX):
            return self._controls.handle(request)
        if not self._open.is_set():
            return message(503, "Service Unavailable")
        return self._gateway.handle(request)


class _Transport(httpx.BaseTransport):
    """Hands requests straight to the gateway."""

    def __init__(self, handle: Callable[[HttpRequest], HttpAnswer]) -> None:
        self._handle = handle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the server would, but for the wire."""
        answer = self._handle(
            HttpRequest(
                method=request.method,
                target=request.url.raw_path.decode("ascii"),
                headers=tuple(request.headers.multi_items()),
                body=request.read(),
            )
        )
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)

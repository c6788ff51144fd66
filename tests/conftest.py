"""What tests ask for by name: AWS within the process, tokens, a client of the API, a clock that obeys."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.claims import IssuerKind
from tests.api_client import ApiClient
from tests.aws_stack import aws_in_process
from tests.issuer_server import IssuerServer
from tests.role_policies import Permission, watched
from tests.token_factory import TokenFactory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def issuer_server() -> Iterator[IssuerServer]:
    """Publishes the key sets of the four issuers."""
    with IssuerServer() as server:
        tokens = TokenFactory(server.url)
        server.documents |= {f"/{kind}/jwks.json": tokens.jwks(kind) for kind in IssuerKind}
        yield server


@pytest.fixture(scope="session")
def denied() -> Iterator[set[tuple[str, Permission]]]:
    """What functions asked of AWS that their roles in template.yaml do not allow: moto allows everything."""
    with watched() as denied:
        yield denied


@pytest.fixture(autouse=True)
def _permitted(denied: set[tuple[str, Permission]]) -> Iterator[None]:
    """No function makes a call in this test that its role does not allow."""
    yield
    found = sorted(map(str, denied))
    denied.clear()
    assert not found


@pytest.fixture(scope="session")
def tokens(issuer_server: IssuerServer) -> TokenFactory:
    """Signs tokens that the authorizer of `api` trusts."""
    return TokenFactory(issuer_server.url)


@pytest.fixture(scope="session")
def stack(tokens: TokenFactory) -> Iterator[dict[str, str]]:
    """AWS for the whole session: tests keep apart by opening records of their own. Yields the environment."""
    with aws_in_process(Stage="local", Issuers=tokens.issuers(), LogLevel="WARNING") as environment:
        yield environment


@pytest.fixture(scope="session")
def api(stack: dict[str, str]) -> ApiClient:
    """The API of template.yaml, called without a socket."""
    assert stack
    return ApiClient()


@pytest.fixture
def clock(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    """Time stands still at noon of a Monday; `move_to` and `shift` move it."""
    time_machine.move_to(NOON, tick=False)
    return time_machine

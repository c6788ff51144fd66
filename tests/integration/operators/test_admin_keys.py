"""A key of an issuer that is compromised: refused at once, whatever the issuer serves, by the operator's command."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import boto3
import pytest

from dmp.domain.claims import IssuerKind
from infra.admin import issuer_keys
from infra.admin.__main__ import main
from infra.admin.installation import NotNow, Refused
from tests.aws_stack import account_apart
from tests.deployed_authorizer import Stack, deployed, event
from tests.issuer_server import IssuerServer
from tests.token_factory import TokenFactory

type Json = dict[str, Any]

_TRUST = {"AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": []})}


@pytest.fixture
def stack() -> Iterator[Stack]:
    with deployed() as stack:
        yield stack


def reloaded(stack: Stack, monkeypatch: pytest.MonkeyPatch, revoked: list[Json]) -> Stack:
    """The authorizer in a new environment, as Lambda makes one after a change of its variables."""
    import importlib

    monkeypatch.setenv("REVOKED_KEYS", json.dumps(revoked))
    monkeypatch.setenv("ISSUERS", stack.tokens.issuers())
    module = importlib.reload(importlib.import_module("handlers.authorizer"))
    return Stack(module.handler, stack.tokens, stack.server)


def test_a_revoked_key_is_refused_although_its_issuer_serves_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    token = stack.tokens.patient()
    issuer, kid = named(token)
    before = stack.context(token)

    after = reloaded(stack, monkeypatch, [{"issuer": issuer, "kid": kid}]).refusal(token)

    assert "requester" in before
    assert "token-key-revoked" in after


def test_other_keys_and_other_issuers_go_on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, kid = named(stack.tokens.patient())
    other, _ = named(stack.tokens.professional())

    revoked = [{"issuer": issuer, "kid": "another"}, {"issuer": other, "kid": f"{kid}x"}]
    again = reloaded(stack, monkeypatch, revoked)

    assert "requester" in again.context(stack.tokens.patient())
    assert "requester" in again.context(stack.tokens.professional())


def test_a_key_is_refused_without_its_issuer_being_asked(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    token = stack.tokens.patient()
    issuer, kid = named(token)
    again = reloaded(stack, monkeypatch, [{"issuer": issuer, "kid": kid}])
    stack.server.documents.clear()

    assert "token-key-revoked" in again.refusal(token)


def named(token: str) -> tuple[str, str]:
    """The issuer and the key id of a token."""
    from dmp.adapters.jose import decode_base64url

    header, claims = (json.loads(decode_base64url(part)) for part in token.split(".")[:2])
    return claims["iss"], header["kid"]


# --- the command, against moto's Lambda


@dataclass
class Installed:
    """An installation whose authorizer is moto's Lambda; the trace of the operators is a list."""

    noted: list[Json] = field(default_factory=list)
    operator: str = "ana"
    identity: str = "dmp"

    def client(self, service: str) -> Any:
        made: Any = boto3.client(service, region_name="eu-west-3")  # type: ignore[call-overload]
        return made

    def resource(self, logical: str) -> str:
        return f"dmp-{logical}"

    def function(self, logical: str) -> str:
        return f"dmp-{logical}"

    def invoke(self, function: str, event: Mapping[str, Any]) -> Json:
        assert function == "Operations"
        self.noted.append(dict(event))
        return {"noted": True}


@pytest.fixture
def issuers() -> Iterator[str]:
    with IssuerServer() as server:
        tokens = TokenFactory(server.url)
        server.documents |= {f"/{kind}/jwks.json": tokens.jwks(kind) for kind in IssuerKind}
        yield tokens.issuers()


def revise(events: Any) -> None:
    """Tell a revision of functions and refuse a change of any other, as Lambda does and moto does not."""
    current: dict[str, str] = {}

    def tell(parsed: Json, **_: object) -> None:
        if "Error" in parsed:
            return
        parsed["RevisionId"] = sha256(repr(sorted(parsed["Environment"].items())).encode()).hexdigest()
        if parsed["Version"] == "$LATEST":
            current["it"] = parsed["RevisionId"]

    def check(params: Json, **_: object) -> None:
        if params.get("RevisionId", current["it"]) != current["it"]:
            raise precondition_failed()

    events.register("after-call.lambda.GetFunctionConfiguration", tell)
    events.register("after-call.lambda.UpdateFunctionConfiguration", tell)
    for operation in ("UpdateFunctionConfiguration", "PublishVersion"):
        events.register(f"before-parameter-build.lambda.{operation}", check)


def precondition_failed() -> Exception:
    client: Any = boto3.client("lambda", region_name="eu-west-3")
    failure: Exception = client.exceptions.PreconditionFailedException(
        {"Error": {"Code": "PreconditionFailedException"}}, "UpdateFunctionConfiguration"
    )
    return failure


@pytest.fixture
def installed(issuers: str) -> Iterator[Installed]:
    """A function behind an alias, as it is deployed."""
    with account_apart():
        boto3.setup_default_session()
        session: Any = boto3.DEFAULT_SESSION
        revise(session.events)
        installed = Installed()
        role = installed.client("iam").create_role(RoleName="role", **_TRUST)["Role"]["Arn"]
        client = installed.client("lambda")
        client.create_function(
            FunctionName="dmp-Authorizer", Runtime="python3.13", Role=role, Handler="handlers.authorizer.handler",
            Code={"ZipFile": b"code"}, Publish=True, Environment={"Variables": {"ISSUERS": issuers, "STAGE": "dev"}},
        )  # fmt: skip
        yield installed


def variables(installed: Installed, qualifier: str = "$LATEST") -> dict[str, str]:
    told = installed.client("lambda").get_function_configuration(FunctionName="dmp-Authorizer", Qualifier=qualifier)
    return dict(told["Environment"]["Variables"])


def first_issuer(installed: Installed) -> str:
    return str(json.loads(variables(installed)["ISSUERS"])[0]["issuer"])


def test_a_revoked_key_is_in_the_variables_and_nothing_else_changes(installed: Installed) -> None:
    before = variables(installed)
    issuer = first_issuer(installed)

    report = issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)
    issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)

    kept = variables(installed)
    assert json.loads(kept.pop("REVOKED_KEYS")) == [{"issuer": issuer, "kid": "k1"}]
    assert kept == before
    assert f'RevokedKeys=[{{"issuer":"{issuer}","kid":"k1"}}]' in report.notes[0]


def test_a_key_that_its_issuer_does_not_serve_is_refused_by_express_wish_alone(
    installed: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["keys", "revoke", "--stack", "dmp", "--issuer", first_issuer(installed), "--kid", "no-such-kid"]

    mistyped = main(named, installed)
    told = capsys.readouterr().err

    assert (mistyped, "--unserved" in told) == (3, True)
    assert "REVOKED_KEYS" not in variables(installed)
    assert main([*named, "--unserved"], installed) == 0


def test_a_key_that_was_never_refused_cannot_be_restored(installed: Installed) -> None:
    before = variables(installed)

    with pytest.raises(Refused, match="no such key"):
        issuer_keys.restore(installed, first_issuer(installed), "never")

    assert variables(installed) == before


def test_a_key_is_restored(installed: Installed) -> None:
    issuer = first_issuer(installed)
    issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)
    issuer_keys.revoke(installed, issuer, "k2", is_unserved=True)

    issuer_keys.restore(installed, issuer, "k1")

    assert json.loads(variables(installed)["REVOKED_KEYS"]) == [{"issuer": issuer, "kid": "k2"}]


def test_a_function_behind_an_alias_is_published_and_requests_led_there(installed: Installed) -> None:
    client = installed.client("lambda")
    client.create_alias(FunctionName="dmp-Authorizer", Name="live", FunctionVersion="1")

    version = issuer_keys.revoke(installed, first_issuer(installed), "k1", is_unserved=True).figures["version"]

    alias = client.get_alias(FunctionName="dmp-Authorizer", Name="live")
    assert alias["FunctionVersion"] == version != "1"
    assert "REVOKED_KEYS" in variables(installed, version)


@pytest.mark.parametrize("moment", ["before the change", "before the version"])
def test_what_somebody_else_changes_meanwhile_is_neither_undone_nor_published(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    client = installed.client("lambda")
    client.create_alias(FunctionName="dmp-Authorizer", Name="live", FunctionVersion="1")
    issuer, before = first_issuer(installed), variables(installed)
    operation = "update_function_configuration" if moment == "before the change" else "get_alias"
    going_on, is_first = getattr(client, operation), iter([True])

    def another_first(**request: Any) -> Any:
        if next(is_first, False):
            deployed = {"FunctionName": "dmp-Authorizer", "Environment": {"Variables": before | {"STAGE": "preprod"}}}
            told = installed.client("lambda").get_function_configuration(FunctionName="dmp-Authorizer")
            installed.client("lambda").update_function_configuration(**deployed, RevisionId=told["RevisionId"])
        return going_on(**request)

    monkeypatch.setattr(client, operation, another_first)
    with monkeypatch.context() as patched:
        patched.setattr(installed, "client", lambda service: client if service == "lambda" else boto3.client(service))
        with pytest.raises(NotNow, match="changed meanwhile"):
            issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)

    assert variables(installed)["STAGE"] == "preprod"
    assert client.get_alias(FunctionName="dmp-Authorizer", Name="live")["FunctionVersion"] == "1"
    assert [one["stage"] for one in installed.noted] == ["begun", "failed"]


def test_a_refusal_that_no_request_meets_yet_is_not_shown_as_one_and_is_completed_by_another_order(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.client("lambda").create_alias(FunctionName="dmp-Authorizer", Name="live", FunctionVersion="1")
    issuer = first_issuer(installed)

    with interrupted(installed, monkeypatch), pytest.raises(NotNow, match="changed meanwhile"):
        issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)
    begun = issuer_keys.show(installed)
    issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)
    done = issuer_keys.show(installed)

    assert (begun.is_well, begun.lists["revoked"], len(begun.notes)) == (False, [], 1)
    assert (done.is_well, done.lists["revoked"]) == (True, [{"issuer": issuer, "kid": "k1"}])


def test_a_restoring_that_no_request_meets_yet_is_completed_by_another_order(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.client("lambda").create_alias(FunctionName="dmp-Authorizer", Name="live", FunctionVersion="1")
    issuer = first_issuer(installed)
    issuer_keys.revoke(installed, issuer, "k1", is_unserved=True)

    with interrupted(installed, monkeypatch), pytest.raises(NotNow, match="changed meanwhile"):
        issuer_keys.restore(installed, issuer, "k1")
    begun = issuer_keys.show(installed)
    issuer_keys.restore(installed, issuer, "k1")
    done = issuer_keys.show(installed)

    assert (begun.is_well, begun.lists["revoked"]) == (False, [{"issuer": issuer, "kid": "k1"}])
    assert (done.is_well, done.lists["revoked"]) == (True, [])


@contextmanager
def interrupted(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An order that changes the function, and may not publish it."""
    client = installed.client("lambda")
    with monkeypatch.context() as patched:
        patched.setattr(client, "publish_version", refuse_as_another_change_is_under_way)
        patched.setattr(installed, "client", lambda service: client if service == "lambda" else boto3.client(service))
        yield


def refuse_as_another_change_is_under_way(**_: object) -> None:
    client: Any = boto3.client("lambda", region_name="eu-west-3")
    raise client.exceptions.ResourceConflictException(
        {"Error": {"Code": "ResourceConflictException"}}, "PublishVersion"
    )


def test_renewing_changes_no_variable_and_yet_makes_another_version(installed: Installed) -> None:
    client = installed.client("lambda")
    client.create_alias(FunctionName="dmp-Authorizer", Name="live", FunctionVersion="1")
    before = variables(installed)

    version = issuer_keys.renew(installed).figures["version"]

    assert version != "1"
    assert variables(installed) == before
    assert client.get_alias(FunctionName="dmp-Authorizer", Name="live")["FunctionVersion"] == version


def test_an_issuer_that_nobody_trusts_is_refused(installed: Installed) -> None:
    with pytest.raises(Refused):
        issuer_keys.revoke(installed, "https://elsewhere.example", "k1")

    assert "REVOKED_KEYS" not in variables(installed)
    assert [one["stage"] for one in installed.noted] == ["begun", "failed"]


def test_the_keys_that_issuers_serve_are_shown_with_those_refused_here(installed: Installed) -> None:
    served = issuer_keys.show(installed).lists["issuers"][0]
    kid = served["served"].split()[0]
    issuer_keys.revoke(installed, served["issuer"], kid)

    report = issuer_keys.show(installed)

    assert report.is_well
    assert report.lists["issuers"][0]["refused here"] == kid
    assert len(report.lists["issuers"]) == len(IssuerKind)


def test_an_issuer_that_does_not_answer_is_told(installed: Installed) -> None:
    given = json.loads(variables(installed)["ISSUERS"])
    given[0]["jwks_uri"] = "http://127.0.0.1:9/jwks.json"
    installed.client("lambda").update_function_configuration(
        FunctionName="dmp-Authorizer", Environment={"Variables": {"ISSUERS": json.dumps(given)}}
    )

    report = issuer_keys.show(installed)

    assert not report.is_well
    assert "unreachable" in report.lists["issuers"][0]


def test_every_use_of_keys_is_traced_first(installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "dmp", "keys", "show"], installed) == 0
    named = ["--issuer", first_issuer(installed), "--kid", "k", "--unserved"]
    assert main(["--stack", "dmp", "keys", "revoke", *named], installed) == 0
    assert main(["--stack", "dmp", "keys", "renew"], installed) == 0

    assert [(one["command"], one["stage"]) for one in installed.noted] == [
        (command, stage) for command in ("keys-show", "keys-revoke", "keys-renew") for stage in ("begun", "done")
    ]


def test_variables_that_may_not_be_read_end_the_command_before_anything_changes(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = installed.client("lambda")
    monkeypatch.setattr(
        client, "get_function_configuration", lambda **_: {"Environment": {"Error": {"ErrorCode": "AccessDenied"}}}
    )
    monkeypatch.setattr(installed, "client", lambda _: client)

    with pytest.raises(NotNow, match="AccessDenied"):
        issuer_keys.revoke(installed, "https://a.example", "k1")


def test_an_event_without_a_token_is_as_before(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    again = reloaded(stack, monkeypatch, [])

    assert "token-missing" in again.handler(event({}), None)["context"]["refusal"]

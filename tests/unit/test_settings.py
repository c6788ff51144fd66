"""The environment of the functions: read once, and a wrong variable is named at the start."""

import json

import pytest

from dmp.domain.authorization_server import AuthorizationServer
from dmp.domain.claims import IssuerKind, TrustedIssuer
from dmp.settings import (
    AuthorizerSettings,
    CapabilitySettings,
    NotificationSettings,
    RecordSettings,
    SettingsError,
    Stage,
    objects_endpoint,
    queue,
)
from dmp.trusted_issuers import issuers_from

ISSUER = {
    "kind": "patient",
    "issuer": "https://fc.example",
    "audience": "dmp",
    "jwks_uri": "https://fc.example/jwks.json",
}
ENVIRONMENT = {
    "RECORDS_TABLE": "records",
    "AUDIT_TABLE": "audit",
    "DOCUMENTS_BUCKET": "documents",
    "DATA_KEY": "alias/data",
    "SECRET_ID": "dmp-secret",
    "STAGE": "dev",
    "EDGE_SECRET": "secret-of-the-edge",  # pragma: allowlist secret
    "ISSUERS": json.dumps([ISSUER]),
    "AUTHORISATION_MONTHS": "24",
    "EXPIRY_WARNING_DAYS": "15",
    "MALWARE_SCAN": "guardduty",
    "EMERGENCY_MINUTES": "60",
    "ANNOUNCEMENT_NOTICE_DAYS": "14",
    "ANNOUNCEMENT_RELEASE_MONTHS": "1",
    "ARCHIVE_YEARS": "10",
    "ERASURE_DELAY_DAYS": "0",
    "SUSPENSION_WEEKS": "6",
    "LOOK_UPS_AN_HOUR": "600",
    "OPENINGS_AN_HOUR": "600",
    "EMERGENCIES_AN_HOUR": "60",
    "PROFESSIONAL_MAIL_DOMAIN": "pro.example",
    "MAIL_SENDER": "dmp@example.org",
    "PORTAL_URL": "https://portal.example/",
    "BASE_URL": "https://dmp.example/",
    "HOOK_QUEUE": "https://queue.example/hooks",
    "LOG_LEVEL": "warning",
}
type Kind = type[AuthorizerSettings] | type[CapabilitySettings] | type[RecordSettings] | type[NotificationSettings]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_the_authorizer_reads_its_issuers() -> None:
    settings = AuthorizerSettings.from_environment()

    issuer = TrustedIssuer(
        kind=IssuerKind.PATIENT,
        issuer="https://fc.example",
        audience="dmp",
        jwks_uri="https://fc.example/jwks.json",
    )
    assert settings == AuthorizerSettings(
        issuers=(issuer,),
        edge_secret="secret-of-the-edge",  # pragma: allowlist secret
        revoked_keys=frozenset(),
        stage=Stage.DEV,
        log_level="WARNING",
    )


def test_keys_that_are_refused_are_named_by_issuer_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUERS", json.dumps([ISSUER]))
    monkeypatch.setenv("STAGE", "dev")
    monkeypatch.setenv("REVOKED_KEYS", '[{"issuer": "https://fc.example", "kid": "k1"}]')

    assert AuthorizerSettings.from_environment().revoked_keys == {("https://fc.example", "k1")}


@pytest.mark.parametrize("text", ["k1", "{}", '["k1"]', '[{"kid": "k1"}]', '[{"issuer": "", "kid": "k1"}]'])
def test_a_list_of_refused_keys_that_is_none_keeps_the_authorizer_from_starting(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("ISSUERS", json.dumps([ISSUER]))
    monkeypatch.setenv("STAGE", "dev")
    monkeypatch.setenv("REVOKED_KEYS", text)

    with pytest.raises(SettingsError, match="REVOKED_KEYS") as failure:
        AuthorizerSettings.from_environment()

    assert "k1" not in str(failure.value)


def test_a_secret_of_the_edge_that_was_not_read_keeps_the_authorizer_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ISSUERS", json.dumps([ISSUER]))
    monkeypatch.setenv("EDGE_SECRET", "{{resolve:secretsmanager:arn:SecretString:value}}")

    with pytest.raises(SettingsError, match="EDGE_SECRET") as failure:
        AuthorizerSettings.from_environment()

    assert "arn" not in str(failure.value)


def test_the_authorizer_needs_neither_tables_nor_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT.keys() - {"ISSUERS", "STAGE"}:
        monkeypatch.delenv(name)

    settings = AuthorizerSettings.from_environment()

    assert (settings.edge_secret, settings.log_level) == ("", "INFO")


def test_a_function_of_records_reads_its_tables_and_durations() -> None:
    settings = RecordSettings.from_environment()

    assert settings == RecordSettings(
        records_table="records",
        audit_table="audit",
        documents_bucket="documents",
        data_key="alias/data",
        secret_id="dmp-secret",
        stage=Stage.DEV,
        authorisation_months=24,
        emergency_minutes=60,
        announcement_notice_days=14,
        announcement_release_months=1,
        archive_years=10,
        erasure_delay_days=0,
        suspension_weeks=6,
        reimbursement_months=24,
        look_ups_an_hour=600,
        openings_an_hour=600,
        emergencies_an_hour=60,
        professional_mail_domain="pro.example",
        scans_for_malware=True,
        expiry_warning_days=15,
        base_url="https://dmp.example",
        log_level="WARNING",
    )


def test_durations_and_addresses_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHORISATION_MONTHS", "EXPIRY_WARNING_DAYS", "MALWARE_SCAN", "BASE_URL", "LOG_LEVEL"):
        monkeypatch.setenv(name, "")

    settings = RecordSettings.from_environment()

    assert (settings.authorisation_months, settings.expiry_warning_days) == (12, 30)
    assert not settings.scans_for_malware
    assert (settings.base_url, settings.log_level) == ("", "INFO")


def test_the_other_functions_read_what_they_need() -> None:
    assert CapabilitySettings.from_environment().base_url == "https://dmp.example"
    assert NotificationSettings.from_environment().portal_url == "https://portal.example"
    assert queue("HOOK_QUEUE") == "https://queue.example/hooks"
    with pytest.raises(SettingsError, match="NO_QUEUE is missing"):
        queue("NO_QUEUE")


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        (AuthorizerSettings, "ISSUERS"),
        (AuthorizerSettings, "STAGE"),
        (CapabilitySettings, "STAGE"),
        (RecordSettings, "RECORDS_TABLE"),
        (RecordSettings, "AUDIT_TABLE"),
        (RecordSettings, "DOCUMENTS_BUCKET"),
        (RecordSettings, "DATA_KEY"),
        (RecordSettings, "SECRET_ID"),
        (RecordSettings, "STAGE"),
        (NotificationSettings, "MAIL_SENDER"),
        (NotificationSettings, "PORTAL_URL"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(
    kind: Kind, variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"environment variable {variable} is missing") as error:
        kind.from_environment()

    assert error.value.variable == variable


@pytest.mark.parametrize(
    ("kind", "variable", "value"),
    [
        (AuthorizerSettings, "STAGE", "production"),
        (AuthorizerSettings, "LOG_LEVEL", "LOUD"),
        (RecordSettings, "AUTHORISATION_MONTHS", "0"),
        (RecordSettings, "REIMBURSEMENT_MONTHS", "121"),
        (RecordSettings, "AUTHORISATION_MONTHS", "121"),
        (RecordSettings, "AUTHORISATION_MONTHS", "-1"),
        (RecordSettings, "AUTHORISATION_MONTHS", "1.5"),
        (RecordSettings, "AUTHORISATION_MONTHS", "²"),
        (RecordSettings, "EXPIRY_WARNING_DAYS", "thirty"),
        (RecordSettings, "MALWARE_SCAN", "norton"),
        (RecordSettings, "BASE_URL", "http://dmp.example"),
        (RecordSettings, "BASE_URL", "https://"),
        (RecordSettings, "BASE_URL", "https://dmp.example:port"),
        (NotificationSettings, "PORTAL_URL", "portal"),
        (NotificationSettings, "MAIL_SENDER", "nobody"),
        (NotificationSettings, "MAIL_SENDER", "a@b\nBcc: c@d"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    kind: Kind, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"environment variable {variable} must") as error:
        kind.from_environment()

    assert len(value) < 3 or value not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        "[1]",
        json.dumps([{**ISSUER, "kind": "admin"}]),
        json.dumps([{**ISSUER, "audience": ""}]),
        json.dumps([{**ISSUER, "audience": ["dmp"]}]),
        json.dumps([{**ISSUER, "secret": "x"}]),
        json.dumps([{name: value for name, value in ISSUER.items() if name != "jwks_uri"}]),
        json.dumps([{**ISSUER, "jwks_uri": "http://fc.example/jwks.json"}]),
        json.dumps([{**ISSUER, "jwks_uri": "file:///etc/passwd"}]),
        json.dumps([ISSUER, {**ISSUER, "kind": "insurer"}]),
    ],
)
def test_wrong_issuers_are_refused_at_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUERS", text)

    with pytest.raises(SettingsError, match="environment variable ISSUERS"):
        AuthorizerSettings.from_environment()


def test_only_the_local_stack_may_fetch_keys_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = json.dumps([{**ISSUER, "jwks_uri": "http://127.0.0.1:8000/jwks.json"}])
    monkeypatch.setenv("STAGE", "local")
    monkeypatch.setenv("ISSUERS", plain)

    assert AuthorizerSettings.from_environment().issuers[0].jwks_uri == "http://127.0.0.1:8000/jwks.json"
    with pytest.raises(ValueError, match="https"):
        issuers_from(plain, plain_http=False)


def test_objects_are_where_the_sdk_is_told_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)

    assert objects_endpoint() == ""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")
    assert objects_endpoint() == "http://127.0.0.1:5000"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:5001")
    assert objects_endpoint() == "http://127.0.0.1:5001"


ENDPOINTS = {"AUTHORIZATION_ENDPOINT": "https://fc.example/authorize", "TOKEN_ENDPOINT": "https://fc.example/token"}


def test_apps_get_their_tokens_where_people_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENDPOINTS.items():
        monkeypatch.setenv(name, value)

    server = CapabilitySettings.from_environment().authorization_server

    assert server == AuthorizationServer(
        issuer="https://fc.example",
        jwks_uri="https://fc.example/jwks.json",
        authorization_endpoint="https://fc.example/authorize",
        token_endpoint="https://fc.example/token",
    )


@pytest.mark.parametrize("missing", [*ENDPOINTS, "the issuer of people"])
def test_nothing_is_told_of_tokens_of_which_not_all_is_known(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in ENDPOINTS.items():
        monkeypatch.setenv(name, "" if name == missing else value)
    if missing not in ENDPOINTS:
        monkeypatch.setenv("ISSUERS", json.dumps([{**ISSUER, "kind": "insurer"}]))

    assert CapabilitySettings.from_environment().authorization_server is None


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_address_of_tokens_is_https(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://fc.example/plain")

    with pytest.raises(SettingsError, match=name):
        CapabilitySettings.from_environment()

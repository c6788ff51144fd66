"""The environment variables of each function as one frozen object; the only module that reads `os.environ`."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Self

from dmp.domain.authorization_server import AuthorizationServer
from dmp.domain.claims import TrustedIssuer
from dmp.trusted_issuers import authorization_server, is_url, issuers_from, revoked_keys_from

_LOG_LEVELS, _SCAN = ("ERROR", "INFO", "WARNING"), ("off", "guardduty")


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it and never repeats its value."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"environment variable {variable} {problem}")
        self.variable = variable


class Stage(StrEnum):
    """Where the function runs; TEST and DEMO identities end, and plain HTTP begins, by it."""

    LOCAL = "local"
    DEV = "dev"
    PREPROD = "preprod"
    PROD = "prod"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerSettings:
    """What the authorizer needs."""

    issuers: tuple[TrustedIssuer, ...]
    edge_secret: str
    revoked_keys: frozenset[tuple[str, str]]
    """Issuers and ids of keys that are refused, whatever the issuer serves."""
    stage: Stage
    log_level: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read and check the variables; SettingsError names the first that is wrong."""
        stage = _stage()
        return cls(
            issuers=_issuers(stage),
            edge_secret=_text("EDGE_SECRET", default=""),
            revoked_keys=_listed("REVOKED_KEYS", _text("REVOKED_KEYS", default="[]"), revoked_keys_from),
            stage=stage,
            log_level=log_level(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilitySettings:
    """What a function that touches no record needs."""

    stage: Stage
    base_url: str
    """The address of the API, without a slash at its end; empty when it follows the request's domain name."""
    authorization_server: AuthorizationServer | None
    """Where apps get their tokens; None where no addresses are configured."""
    log_level: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read and check the variables; SettingsError names the first that is wrong."""
        stage = _stage()
        return cls(
            stage=stage,
            base_url=_url("BASE_URL", stage, default=""),
            authorization_server=_authorization_server(stage),
            log_level=log_level(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings:
    """What a function that reads or writes records needs."""

    records_table: str
    audit_table: str
    documents_bucket: str
    data_key: str
    """KMS key of records and documents."""
    secret_id: str
    """The secret that the keys of the INS hash and of the cursors are derived from."""
    stage: Stage
    authorisation_months: int
    expiry_warning_days: int
    emergency_minutes: int
    announcement_notice_days: int
    """After how many days the patient is told of something that an INVISIBLE_PATIENT code hides."""
    announcement_release_months: int
    """After how many months such a code is lifted."""
    archive_years: int
    erasure_delay_days: int
    suspension_weeks: int
    reimbursement_months: int
    """How long a line of reimbursement is shown, from the day of care."""
    look_ups_an_hour: int
    openings_an_hour: int
    emergencies_an_hour: int
    professional_mail_domain: str
    """Where professionals have a mailbox by national number; empty where there is none."""
    scans_for_malware: bool
    """Whether no document is available before a scanner found nothing in it."""
    base_url: str
    log_level: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read and check the variables; SettingsError names the first that is wrong."""
        stage = _stage()
        return cls(
            records_table=_text("RECORDS_TABLE"),
            audit_table=_text("AUDIT_TABLE"),
            documents_bucket=_text("DOCUMENTS_BUCKET"),
            data_key=_text("DATA_KEY"),
            secret_id=_text("SECRET_ID"),
            stage=stage,
            authorisation_months=_number("AUTHORISATION_MONTHS", default=12, highest=120),
            expiry_warning_days=_number("EXPIRY_WARNING_DAYS", default=30, highest=365),
            emergency_minutes=_number("EMERGENCY_MINUTES", default=60, highest=1440),
            announcement_notice_days=_number("ANNOUNCEMENT_NOTICE_DAYS", default=14, highest=365),
            announcement_release_months=_number("ANNOUNCEMENT_RELEASE_MONTHS", default=1, highest=12),
            archive_years=_number("ARCHIVE_YEARS", default=10, highest=100),
            erasure_delay_days=_number("ERASURE_DELAY_DAYS", default=0, highest=10, lowest=0),
            suspension_weeks=_number("SUSPENSION_WEEKS", default=6, highest=520),
            reimbursement_months=_number("REIMBURSEMENT_MONTHS", default=24, highest=120),
            look_ups_an_hour=_number("LOOK_UPS_AN_HOUR", default=600, highest=1_000_000),
            openings_an_hour=_number("OPENINGS_AN_HOUR", default=600, highest=1_000_000),
            emergencies_an_hour=_number("EMERGENCIES_AN_HOUR", default=60, highest=1_000_000),
            professional_mail_domain=_text("PROFESSIONAL_MAIL_DOMAIN", default=""),
            scans_for_malware=_one_of("MALWARE_SCAN", _text("MALWARE_SCAN", default="off"), _SCAN) == "guardduty",
            base_url=_url("BASE_URL", stage, default=""),
            log_level=log_level(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """What the function that sends mails needs."""

    mail_sender: str
    portal_url: str
    stage: Stage
    log_level: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read and check the variables; SettingsError names the first that is wrong."""
        stage = _stage()
        return cls(
            mail_sender=_mail_address("MAIL_SENDER"),
            portal_url=_url("PORTAL_URL", stage),
            stage=stage,
            log_level=log_level(),
        )


def seals() -> tuple[str, str]:
    """The bucket of the seals of the trace, and the key that signs them; SettingsError where one is missing."""
    return _text("SEALS_BUCKET"), _text("SEAL_KEY")


def queue(variable: str) -> str:
    """The address of a queue; SettingsError where there is none."""
    return _text(variable)


def optional(variable: str) -> str:
    """The text of a variable that need not be there; empty then."""
    return _text(variable, default="")


def export_days() -> int:
    """For how many days an archive can be fetched; SettingsError where that is no number from 1 to 30."""
    return _number("EXPORT_DAYS", default=7, highest=30)


def objects_endpoint() -> str:
    """Where S3 is reached in place of AWS's own address, as the SDK reads it; empty on AWS."""
    return _text("AWS_ENDPOINT_URL_S3", default=_text("AWS_ENDPOINT_URL", default=""))


def _issuers(stage: Stage) -> tuple[TrustedIssuer, ...]:
    return _listed("ISSUERS", _text("ISSUERS"), partial(issuers_from, plain_http=stage is Stage.LOCAL))


def _listed[Items](variable: str, text: str, read: Callable[[str], Items]) -> Items:
    try:
        return read(text)
    except ValueError as problem:
        raise SettingsError(variable, str(problem)) from None


def _authorization_server(stage: Stage) -> AuthorizationServer | None:
    addresses = [_url(name, stage, default="") for name in ("AUTHORIZATION_ENDPOINT", "TOKEN_ENDPOINT")]
    return authorization_server(_issuers(stage), *addresses) if all(addresses) else None


def _stage() -> Stage:
    return Stage(_one_of("STAGE", _text("STAGE"), tuple(Stage)))


def log_level() -> str:
    """The level that lines have at least; SettingsError where it is none."""
    return _one_of("LOG_LEVEL", _text("LOG_LEVEL", default="INFO").upper(), _LOG_LEVELS)


def _one_of(variable: str, text: str, choices: Collection[str]) -> str:
    if text not in choices:
        raise SettingsError(variable, f"must be one of {', '.join(choices)}")
    return text


def _text(variable: str, *, default: str | None = None) -> str:
    """The variable's text; an empty one counts as missing, as CloudFormation cannot leave a variable out."""
    text = os.environ.get(variable, "").strip() or default
    if text is None:
        raise SettingsError(variable, "is missing")
    if text.startswith("{{resolve:"):  # whoever reads the template knows what CloudFormation did not fill in
        raise SettingsError(variable, "was not filled in")
    return text


def _number(variable: str, *, default: int, highest: int, lowest: int = 1) -> int:
    text = _text(variable, default=str(default))
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise SettingsError(variable, f"must be a whole number from {lowest} to {highest}")
    return int(text)


def _url(variable: str, stage: Stage, *, default: str | None = None) -> str:
    text = _text(variable, default=default).rstrip("/")
    if text and not is_url(text, plain_http=stage is Stage.LOCAL):
        raise SettingsError(variable, "must be an https address")
    return text


def _mail_address(variable: str) -> str:
    text = _text(variable)
    if "@" not in text or not text.isprintable():
        raise SettingsError(variable, "must be a mail address")
    return text

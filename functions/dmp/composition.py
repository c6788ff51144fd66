"""What every function that touches records is made of; the handlers put their own services on top."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dmp.adapters.aws import client
from dmp.adapters.cursors import Cursors
from dmp.adapters.keyring import Keyring
from dmp.adapters.ledger import Ledger
from dmp.adapters.quota_store import QuotaStore
from dmp.adapters.record_store import RecordStore
from dmp.adapters.table import Table
from dmp.metrics import Metrics
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.quotas import LookUps, Quota, Quotas
from dmp.settings import RecordSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """The shared parts of one function; nothing is asked of AWS before the first request."""

    settings: RecordSettings
    clock: Callable[[], datetime]
    entropy: Callable[[], bytes]
    keyring: Keyring
    records_table: Table
    audit_table: Table
    records: RecordStore
    ledger: Ledger
    gate: Gate
    cursors: Cursors
    notices: Notices
    quotas: Quotas
    look_ups: LookUps
    metrics: Metrics


def foundation() -> Foundation:
    """Wire the shared parts by the environment."""
    settings = RecordSettings.from_environment()
    keyring = Keyring(lambda: client("secretsmanager"), settings.secret_id)
    records_table = Table(lambda: client("dynamodb"), settings.records_table)
    ledger = Ledger(lambda: client("dynamodb"), settings.records_table, settings.audit_table, keyring)
    gate = Gate(ledger, keyring, entropy)
    counters = QuotaStore(lambda: client("dynamodb"), settings.records_table, keyring)
    limits = {
        Quota.LOOK_UP: settings.look_ups_an_hour,
        Quota.OPENING: settings.openings_an_hour,
        Quota.EMERGENCY: settings.emergencies_an_hour,
    }
    quotas = Quotas(gate, counters, limits)
    look_ups = LookUps(gate, quotas)
    return Foundation(
        settings=settings,
        clock=now,
        entropy=entropy,
        keyring=keyring,
        records_table=records_table,
        audit_table=Table(lambda: client("dynamodb"), settings.audit_table),
        records=RecordStore(records_table, keyring, look_ups.note),
        ledger=ledger,
        gate=gate,
        cursors=Cursors(keyring, entropy),
        notices=Notices(gate, settings.professional_mail_domain),
        quotas=quotas,
        look_ups=look_ups,
        metrics=Metrics(settings.stage, now),
    )


def now() -> datetime:
    """This moment in UTC, to the millisecond: what resources, ids and traces tell of it is the same."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def entropy() -> bytes:
    """Random bytes for one id or one nonce."""
    return secrets.token_bytes(16)

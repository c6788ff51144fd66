"""The tables of one record in memory, for ten thousand histories: what the services read and commit, nothing more."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dmp.domain.changes import Change, Contention, SaveConsent, SaveRecord, Trace
from dmp.domain.consent import Consent, PatientRef
from dmp.domain.identifiers import Identifier
from dmp.domain.profile_changes import SaveRelatedPerson
from dmp.domain.record import Identity, Record, RecordStatus
from dmp.domain.related_person import RelatedPerson
from tests.oracle_case import PATIENT
from tests.oracle_people import ins

RECORD = "0" * 26


class Memory:
    """The stores, the ledger and the counters at once."""

    expiry_shards = 1

    def __init__(self, record: Record) -> None:
        self._record = record
        self._consents: dict[str, Consent] = {}
        self._persons: dict[str, RelatedPerson] = {}

    def existing(self, _record: str) -> Record:
        return self._record

    head = existing

    def named(self, _patient: PatientRef) -> str:
        return RECORD

    def with_consent(self, _record: str, local: str) -> tuple[Record, Consent | None]:
        return self._record, self._consents.get(local)

    def with_consents(self, _record: str, locals_: Sequence[str]) -> tuple[Record, dict[str, Consent]]:
        return self._record, {local: self._consents[local] for local in locals_ if local in self._consents}

    def due_consents(self, month: datetime, _shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        due = [c for c in self._consents.values() if c.due is not None and c.due <= now]
        for consent in due:
            at = consent.due.astimezone(UTC) if consent.due else month
            if (at.year, at.month) == (month.year, month.month):
                yield RECORD, consent.local

    def person(self, _record: str, local: str) -> RelatedPerson | None:
        return self._persons.get(local)

    def with_person(self, _record: str, local: str) -> tuple[Record, RelatedPerson | None]:
        return self._record, self._persons.get(local)

    def spend(self, _quota: str, _caller: Identifier, _now: datetime) -> int:
        return 0

    def append(self, _trace: Trace) -> None:
        return

    def commit(self, changes: Sequence[Change]) -> None:
        """Write them all, or none where the head or a Consent is not what the change relies on."""
        stale = tuple(change for change in changes if self._is_stale(change))
        if stale:
            raise Contention(stale)
        for change in changes:
            match change:
                case SaveRecord(record=record):
                    self._record = record
                case SaveConsent(consent=consent):
                    self._consents[consent.local] = consent
                case SaveRelatedPerson(person=person):
                    self._persons[person.local] = person
                case _:
                    pass

    def _is_stale(self, change: Change) -> bool:
        match change:
            case SaveRecord(previous=previous):
                return previous is not self._record
            case SaveConsent(consent=consent, previous=previous):
                return self._consents.get(consent.local) is not previous
            case _:
                return False


class Pseudonyms:
    """Stands for the keyring, of which only the trace asks anything."""

    def person(self, ins: Identifier) -> str:
        return f"pseudonym of {ins.value}"


def opened(now: datetime, birth_date: str) -> Record:
    """A record that was just opened."""
    return Record(
        id=RECORD,
        version=1,
        patient_version=1,
        updated=now,
        status=RecordStatus.OPEN,
        identity=Identity(
            ins=ins(PATIENT),
            birth_name="X",
            given_names=("Y",),
            usual_name="",
            birth_date=birth_date,
            gender="female",
            birth_place="75056",
        ),
        opened_at=now,
    )

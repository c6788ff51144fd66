"""Builds the archives that were asked for, each at least once and for good: it may stop anywhere and start again."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.changes import RecordUnchanged
from dmp.domain.document import StoredContent
from dmp.domain.errors import DmpError, Unavailable
from dmp.domain.export import MOST_RUNS, Export, SaveExport
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.observability import logger
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.exports import export_attempt
from dmp.services.gate import Gate, asking
from dmp.services.notices import Notices
from dmp.services.record_archive import RecordArchive
from dmp.services.sweeping import OutOfTime, stop_in_time

if TYPE_CHECKING:
    from dmp.adapters.export_store import ExportStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.zip_archive import ZipArchives

_ENOUGH_SECONDS = 30
_ORDERED = Decision(True, "export")


class Outcome(StrEnum):
    """What became of one order."""

    DONE = "done"
    """Nothing is left to do, whether or not there is an archive."""
    LATER = "later"
    """It did not succeed, and is to be tried again."""
    BUSY = "busy"
    """Another run may be at it."""
    UNKNOWN = "unknown"
    """There is no such export, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """What one run is: `call` is the job's own, `remaining` tells the seconds it has left."""

    call: Call
    remaining: Callable[[], float]

    def check(self) -> None:
        """Raise OutOfTime where the next step may not be over in time."""
        stop_in_time(self.remaining, _ENOUGH_SECONDS)


class ExportBuildingService:
    """Builds one archive at a time, in bounded memory; it can be fetched for `days`."""

    def __init__(
        self,
        gate: Gate,
        exports: "ExportStore",
        ledger: "Ledger",
        notices: Notices,
        archives: "ZipArchives",
        archive: RecordArchive,
        *,
        days: int,
    ) -> None:
        self._gate = gate
        self._exports = exports
        self._ledger = ledger
        self._notices = notices
        self._archives = archives
        self._archive = archive
        self._days = days

    def build(self, builder: Builder, record_id: str, local: str) -> Outcome:
        """Build what was asked, unless it is done, or another run may be at it.

        A run whose process ends is forgotten when its time is over; the third that fails is the last.
        """
        now = builder.call.now
        export = self._exports.export(record_id, local)
        if export is None:
            return Outcome.UNKNOWN
        if not export.is_under_way(now):
            return Outcome.DONE
        if export.is_leased(now):
            return Outcome.BUSY
        if export.runs >= MOST_RUNS:
            return self._settled(export, export.failed())
        begun = export.begin(now)
        if not is_committed(self._ledger, [SaveExport(begun, export)]):
            return Outcome.BUSY
        return self._run(builder, begun)

    def _run(self, builder: Builder, export: Export) -> Outcome:
        """One run; what it fails at is tried again, what the asker may not have any more never is."""
        try:
            return self._built(builder, export)
        except (DmpError, OutOfTime) as failure:
            code = failure.code if isinstance(failure, DmpError) else "out-of-time"
            logger.warning("export_not_built", extra={"code": code, "run": export.runs})
            is_passing = isinstance(failure, Unavailable) and export.runs < MOST_RUNS
        return self._settled(export, export.put_off() if is_passing else export.failed())

    def _settled(self, export: Export, after: Export) -> Outcome:
        """Write how an export ends, or goes on; whoever gave it up meanwhile is not contradicted."""
        is_over = not after.is_under_way(after.asked)
        if is_committed(self._ledger, [SaveExport(after, export)]) and not is_over:
            return Outcome.LATER
        return Outcome.DONE

    def _built(self, builder: Builder, export: Export) -> Outcome:
        asker = Call(export.requester, builder.call.now, builder.call.request_id)
        record, _ = self._exports.with_export(export.record, export.local)
        if not _may_have(asker, record):
            return self._settled(export, export.failed())
        with self._archives.begun(export.key, asker.now) as archive:
            counts = self._archive.write(asker, record, export, archive, builder.check)
            content = archive.finish()
        return self._ready(builder, asker, export, content, counts)

    def _ready(
        self, builder: Builder, asker: Call, export: Export, content: StoredContent, counts: dict[str, int]
    ) -> Outcome:
        """Make the archive known, and tell of it; or leave it to the bucket, where nobody is to have it any more."""
        call = builder.call
        ready = export.ready(content, counts, call.now, taken=call.now, days=self._days)
        for _ in attempts():
            record, current = self._exports.with_export(export.record, export.local)
            if current is None or current.version != export.version:
                return Outcome.DONE
            if not _may_have(asker, record):
                return self._settled(export, export.failed())
            told = self._notices.of(call, record, Notice(kind=Kind.EXPORT_READY))
            trace = self._gate.entry(call, record, export_attempt(Interaction.EXPORTED, record.id), _ORDERED)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveExport(ready, export), *told, trace]):
                return Outcome.DONE
        raise Unavailable("service-unavailable")


def _may_have(asker: Call, record: Record) -> bool:
    """Whether whoever asked for an archive might ask for it still."""
    return decide(asking(asker, record, Action.EXPORT)).permit

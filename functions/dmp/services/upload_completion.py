"""From what the bucket and the malware scanner tell to a document that is available, or that never will be (ITI-105).

What they tell are hints: the state is read anew, so that whatever comes twice, late or in another order ends alike.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dmp.domain.changes import Change, RecordUnchanged, SaveDocument
from dmp.domain.correlation import take_up
from dmp.domain.document import Awaited, DocumentEntry
from dmp.domain.errors import Conflict, DmpError, Invalid, Refused, TooLarge, Unavailable
from dmp.domain.record import Record, RecordStatus
from dmp.domain.upload import Place, Verdict, next_version, pinned
from dmp.metrics import Metric, Metrics
from dmp.observability import logger
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_release import DocumentRelease, Reason
from dmp.services.upload_verification import UploadVerification

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore

_BROKEN_RULES = (Conflict, Invalid, Refused, TooLarge)
_GONE = (RecordStatus.ERASING, RecordStatus.ERASED)


class UploadCompletionService:
    """Brings documents on that await their content or a verdict."""

    def __init__(
        self,
        documents: "DocumentStore",
        objects: "ObjectStore",
        ledger: "Ledger",
        verification: UploadVerification,
        release: DocumentRelease,
        hand_on: Callable[[DocumentEntry], None],
        *,
        metrics: Metrics,
    ) -> None:
        """`hand_on` lets the text of a verified document be read, where it was not read with it."""
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._verification = verification
        self._release = release
        self._hand_on = hand_on
        self._metrics = metrics

    def arrived(self, call: Call, place: Place, version: str) -> None:
        """Verify a version of an object that came by upload; delete it where nothing awaits it, or where it is bad.

        Raises Unavailable where that is not certain: then it must be told again.
        """
        content: bytes | None = None
        for _ in attempts():
            record, entry = self._found(place)
            if record is None or entry is None or not _is_awaited(record, entry, version):
                self._leave(place, entry, version)
                return
            try:
                content = content or self._objects.arrived(place.key, version, entry.content.size)
                if content is None:
                    return
                changes = self._verification.changes(call, record, entry, content, version)
                if is_committed(self._ledger, changes):
                    self._hand_on(entry)
                    return
            except _BROKEN_RULES as broken:
                if self._is_failed(call, record, entry, broken):
                    self._objects.remove(place.key, version)
                    return
        raise Unavailable("service-unavailable")

    def _found(self, place: Place) -> tuple[Record | None, DocumentEntry | None]:
        """What lies there; from then on, all belongs to the request that deposited it."""
        record, entry = self._documents.with_document(place.record, place.local)
        take_up(entry.correlation_id if entry else "")
        return record, entry

    def _leave(self, place: Place, entry: DocumentEntry | None, version: str) -> None:
        """Delete what nothing awaits; what was verified before may not have been handed on."""
        if entry is None or not _is_content_of(entry, version):
            self._objects.remove(place.key, version)
        else:
            self._hand_on(entry)

    def judged(self, call: Call, place: Place, version: str, verdict: Verdict) -> None:
        """Release what the scanner found nothing in, end what it found something in; nothing follows from no verdict.

        Raises Unavailable where the deposit is still under way, or it is not certain: then it must be told again.
        """
        for _ in attempts():
            record, entry = self._found(place)
            if record is None or record.status in _GONE:
                return
            if entry is None:
                self._expect(place)
                return
            if not _awaits_verdict(entry, version) or verdict is Verdict.UNKNOWN:
                self._note(entry, verdict)
                return
            if self._is_judged(call, record, entry, version, verdict):
                return
        raise Unavailable("service-unavailable")

    def _note(self, entry: DocumentEntry, verdict: Verdict) -> None:
        """Tell the operator of what nothing follows from: of malware in a document that is available above all."""
        if verdict is Verdict.UNKNOWN:
            logger.warning("document_not_scanned")
        elif verdict is Verdict.INFECTED and not entry.was_never_available:
            logger.error("malware_in_available_document")
            self._metrics.count(Metric.MALWARE_AVAILABLE)

    def _expect(self, place: Place) -> None:
        """Raise Unavailable where the entry of an inline document is still to come, behind its bytes."""
        if not place.is_upload and self._objects.holds(place.key):
            raise Unavailable("service-unavailable")

    def released(self, call: Call, record: Record, entry: DocumentEntry, reason: Reason = Reason.SCAN) -> list[Change]:
        """The changes by which a document awaits no verdict any more."""
        after = next_version(entry, Awaited.VERDICT, call.now)
        return self._release.step(call, record, entry, after, self._release.formers_of(entry), reason)

    def failed(self, call: Call, record: Record, entry: DocumentEntry, code: str) -> list[Change]:
        """The changes by which a document ends that never became available."""
        return self._release.failure(call, record, entry, code)

    def _is_failed(self, call: Call, record: Record, entry: DocumentEntry, broken: DmpError) -> bool:
        logger.info("upload_failed", extra={"code": broken.code})
        return is_committed(self._ledger, self.failed(call, record, entry, broken.code))

    def _is_judged(self, call: Call, record: Record, entry: DocumentEntry, version: str, verdict: Verdict) -> bool:
        is_bad = verdict is Verdict.INFECTED
        try:
            is_done = is_committed(self._ledger, self._judged(call, record, entry, version, verdict))
        except _BROKEN_RULES as broken:
            is_done, is_bad = self._is_failed(call, record, entry, broken), True
        if is_done and is_bad:
            self._objects.remove(entry.content.key, version)
        return is_done

    def _judged(self, call: Call, record: Record, entry: DocumentEntry, version: str, verdict: Verdict) -> list[Change]:
        if verdict is Verdict.INFECTED:
            logger.warning("malware_found")
            self._metrics.count(Metric.MALWARE_FOUND)
            return self.failed(call, record, entry, "malware-found")
        if Awaited.CONTENT not in entry.awaits:
            return self.released(call, record, entry)
        return [RecordUnchanged(record), SaveDocument(pinned(entry, version), entry)]


def _is_awaited(record: Record, entry: DocumentEntry, version: str) -> bool:
    """Whether a version of an object may be the content of a document."""
    is_pending = entry.is_pending and Awaited.CONTENT in entry.awaits
    return record.status is RecordStatus.OPEN and is_pending and entry.content.version in ("", version)


def _is_content_of(entry: DocumentEntry, version: str) -> bool:
    is_verified = Awaited.CONTENT not in entry.awaits and not entry.upload_error
    return is_verified and entry.content.version == version


def _awaits_verdict(entry: DocumentEntry, version: str) -> bool:
    return entry.is_pending and Awaited.VERDICT in entry.awaits and entry.content.version in ("", version)

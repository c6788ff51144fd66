"""What the functions that bring awaited documents on share: the verification reads CDA and FHIR."""

from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.extraction_queue import ExtractionQueue
from dmp.adapters.object_store import ObjectStore
from dmp.cda.admission import examined
from dmp.composition import Foundation
from dmp.domain.announcement import Announcement
from dmp.domain.document import DocumentEntry
from dmp.domain.submission import SubmittedDocument
from dmp.fhir.announced_documents import arrived
from dmp.fhir.document_reference import Intake
from dmp.fhir.security_labels import relabelled
from dmp.reader_composition import cda_readers
from dmp.services.call import Call
from dmp.services.deposit_entries import NewEntries
from dmp.services.document_release import DocumentRelease
from dmp.services.indexing import has_text
from dmp.services.upload_completion import UploadCompletionService
from dmp.services.upload_sweep import UploadSweepService
from dmp.services.upload_verification import UploadVerification
from dmp.settings import optional, queue


def completion(base: Foundation) -> UploadCompletionService:
    """What handles the events of the bucket and of the scanner."""
    documents = DocumentStore(base.records_table, base.keyring)
    announcement = Announcement(base.settings.announcement_notice_days, base.settings.announcement_release_months)
    readers = cda_readers()
    entries = NewEntries(base.entropy, relabelled, announcement, readers)
    release = DocumentRelease(base.gate, documents, entries, base.notices)
    verification = UploadVerification(base.records, documents, release, _read, readers)
    extractions = ExtractionQueue(lambda: client("sqs"), queue("EXTRACTION_QUEUE"))

    def hand_on(entry: DocumentEntry) -> None:
        if has_text(entry):
            extractions.put(entry)

    return UploadCompletionService(
        documents, _objects(base), base.ledger, verification, release, hand_on, metrics=base.metrics
    )


def sweep(base: Foundation) -> UploadSweepService:
    """What looks after documents of which no event tells."""
    return UploadSweepService(
        base.records,
        DocumentStore(base.records_table, base.keyring),
        _objects(base),
        base.ledger,
        completion(base),
        is_scanned=base.settings.scans_for_malware,
    )


def _objects(base: Foundation) -> ObjectStore:
    settings, replica = base.settings, optional("REPLICA_BUCKET")
    return ObjectStore(lambda: client("s3"), settings.documents_bucket, settings.data_key, replica)


def _read(call: Call, entry: DocumentEntry, content: bytes) -> SubmittedDocument:
    """A connexion secrète leaves nothing in a document that names who deposited it."""
    structure = None if entry.is_secret else entry.depositor.structure
    return arrived(entry.body, content, Intake(now=call.now, structure=structure, read_header=examined))

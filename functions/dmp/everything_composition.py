"""What reads a whole record, for the functions that answer it page by page or put it into an archive."""

from dmp.adapters.document_store import DocumentStore
from dmp.adapters.message_store import MessageStore
from dmp.adapters.person_store import PersonStore
from dmp.adapters.profile_store import ProfileStore
from dmp.adapters.reimbursement_store import ReimbursementStore
from dmp.composition import Foundation
from dmp.domain.reimbursement import Window
from dmp.services.everything import EverythingService
from dmp.services.record_contents import RecordContents


def everything(base: Foundation) -> EverythingService:
    """What answers `$everything`."""
    return EverythingService(base.gate, base.records, contents(base))


def contents(base: Foundation) -> RecordContents:
    """What a record holds."""
    return RecordContents(
        base.records,
        ProfileStore(base.records_table),
        PersonStore(base.records_table),
        DocumentStore(base.records_table, base.keyring),
        MessageStore(base.records_table, base.keyring),
        ReimbursementStore(base.records_table, base.keyring),
        window=Window(base.settings.reimbursement_months),
    )

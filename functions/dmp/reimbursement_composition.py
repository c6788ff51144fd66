"""What the functions that take reimbursements in share: single lines come to one, batches to another."""

from dmp.adapters.reimbursement_store import ReimbursementStore
from dmp.composition import Foundation
from dmp.domain.reimbursement import Window
from dmp.services.reimbursement_batch import ReimbursementBatch
from dmp.services.reimbursement_feed import ReimbursementFeed
from dmp.settings import Stage


def batch(base: Foundation) -> ReimbursementBatch:
    """What takes lines in."""
    store = ReimbursementStore(base.records_table, base.keyring)
    feed = ReimbursementFeed(base.gate, store, base.ledger, Window(base.settings.reimbursement_months), base.entropy)
    is_test = base.settings.stage is not Stage.PROD
    return ReimbursementBatch(base.gate, base.records, store, feed, base.clock, test_identities=is_test)

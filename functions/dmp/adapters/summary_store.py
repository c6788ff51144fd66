"""What a summary reads of a record beside its profile: documents and Consents, in one call."""

from collections.abc import Sequence

from dmp.adapters import consent_items, document_items, keys
from dmp.adapters.table import Table
from dmp.domain.consent import Consent
from dmp.domain.document import DocumentEntry

MOST_SOURCES = 100
"""Documents and Consents together: what DynamoDB brings in one call."""


class SummaryStore:
    """Documents and Consents of records, by their local ids."""

    most = MOST_SOURCES

    def __init__(self, table: Table) -> None:
        self._table = table

    def sources(
        self, record: str, documents: Sequence[str], consents: Sequence[str]
    ) -> tuple[dict[str, DocumentEntry], dict[str, Consent]]:
        """Those that are there: one call, for 100 together; none where nothing is asked for."""
        of_documents, of_consents = set(map(keys.document, documents)), set(map(keys.consent, consents))
        found = self._table.batch_get(keys.partition(record), [*of_documents, *of_consents])
        entries = (document_items.read_document(item) for sk, item in found.items() if sk in of_documents)
        made = (consent_items.read_consent(item) for sk, item in found.items() if sk in of_consents)
        return {entry.local: entry for entry in entries}, {consent.local: consent for consent in made}

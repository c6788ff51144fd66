"""What a summary reads of a record beside its profile: documents and Consents, in one call or few at the same time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from dmp.adapters import consent_items, document_items, keys
from dmp.adapters.record_items import Item
from dmp.adapters.table import Table
from dmp.domain.consent import Consent
from dmp.domain.document import DocumentEntry

MOST_SOURCES = 400
"""Documents and Consents together: what four calls bring that are made at once."""
_AT_ONCE = 100
"""What DynamoDB brings in one call."""


class SummaryStore:
    """Documents and Consents of records, by their local ids."""

    most = MOST_SOURCES

    def __init__(self, table: Table) -> None:
        self._table = table

    def sources(
        self, record: str, documents: Sequence[str], consents: Sequence[str]
    ) -> tuple[dict[str, DocumentEntry], dict[str, Consent]]:
        """Those that are there: one call per 100, all at the same time; none where nothing is asked for."""
        of_documents, of_consents = set(map(keys.document, documents)), set(map(keys.consent, consents))
        found = self._found(keys.partition(record), [*of_documents, *of_consents])
        entries = (document_items.read_document(item) for sk, item in found.items() if sk in of_documents)
        made = (consent_items.read_consent(item) for sk, item in found.items() if sk in of_consents)
        return {entry.local: entry for entry in entries}, {consent.local: consent for consent in made}

    def _found(self, pk: str, sks: Sequence[str]) -> dict[str, Item]:
        if len(sks) <= _AT_ONCE:
            return self._table.batch_get(pk, sks)
        parts = [sks[start : start + _AT_ONCE] for start in range(0, len(sks), _AT_ONCE)]
        with ThreadPoolExecutor(max_workers=len(parts)) as readers:
            found = readers.map(partial(self._table.batch_get, pk), parts)
            return {sk: item for part in found for sk, item in part.items()}

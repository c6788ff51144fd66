"""The document behind advance directives: it must be there, and nobody learns of one that they may not see."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.consent import Consent, Directive
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import split_resource_id
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_include

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

ADVANCE_DIRECTIVES = "EXPPAT_3"
"""The type of document (TRE_A05)."""


class Wishes:
    """Looks behind the wishes of one record."""

    def __init__(self, documents: "DocumentStore") -> None:
        self._documents = documents

    def document(self, call: Call, record: Record, request: ConsentRequest) -> str:
        """The local id of the document that a request names, which is one of advance directives; "" where none is.

        Raises Invalid `unknown-reference` for any that the caller cannot see, be it there or not.
        """
        if request.document is None:
            return ""
        held, local = split_resource_id(request.document) or ("", "")
        _, entry = self._documents.with_document(record.id, local) if held == record.id else (None, None)
        if entry is None or not _says_it(entry) or not may_include(call, record, entry):
            raise Invalid("unknown-reference", "Consent.sourceReference", "no document of advance directives")
        return local

    def as_seen(self, call: Call, record: Record, consents: Iterable[Consent]) -> list[Consent]:
        """Consents without the documents that the caller may not see now: one read more where any has one."""
        shown = list(consents)
        named = {one.directive.document for one in shown if one.directive.document}
        if not named:
            return shown
        _, found = self._documents.with_documents(record.id, sorted(named))
        seen = {local for local, one in found.items() if is_listed(one) and may_include(call, record, one)}
        return [_without_document(one) if one.directive.document not in seen else one for one in shown]


def _says_it(entry: DocumentEntry) -> bool:
    is_current = entry.status is DocumentStatus.CURRENT and is_listed(entry)
    return is_current and entry.type is not None and entry.type.code == ADVANCE_DIRECTIVES


def _without_document(consent: Consent) -> Consent:
    directive: Directive = replace(consent.directive, document="")
    return replace(consent, directive=directive)

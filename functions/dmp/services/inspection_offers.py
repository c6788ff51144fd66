"""Whether what a document states is kept for the profile and the summary, by reading those of which nothing is."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dmp.domain.clinical_profile import Offer
from dmp.domain.content import KIND_OF_TYPE, XML, media_type
from dmp.domain.document import DocumentEntry
from dmp.domain.inspection import Fault, Problem, has_bytes
from dmp.domain.profile_changes import SaveExtraction
from dmp.services.indexing import Readers, index_changes

if TYPE_CHECKING:
    from dmp.adapters.object_inspection import ObjectInspection
    from dmp.services.inspection import Holdings


class OffersInspection:
    """Reads one document after the other: only a CDA states anything, and most of them are known to."""

    def __init__(self, objects: "ObjectInspection", statements: Callable[[bytes], Offer]) -> None:
        """`statements` reads what a CDA states."""
        self._objects = objects
        self._readers = Readers(statements=statements, body=lambda _: None, texts={})

    def problems(self, held: "Holdings") -> Iterator[Problem]:
        """The documents that were read, and of which nothing is kept although they state something."""
        for entry in held.documents:
            is_read = has_bytes(entry) and entry.local in held.words
            if is_read and entry.local not in held.offered and self._offers(entry):
                yield Problem(Fault.NOT_EXTRACTED, held.record, f"DocumentReference/{entry.id}")

    def _offers(self, entry: DocumentEntry) -> bool:
        is_xml = KIND_OF_TYPE.get(media_type(entry.content.content_type)) == XML
        content = self._objects.content(entry.content) if is_xml else b""
        try:
            return any(isinstance(one, SaveExtraction) for one in index_changes(entry, content, self._readers))
        except Exception:  # noqa: BLE001 - a document that we fail to understand states nothing
            return False

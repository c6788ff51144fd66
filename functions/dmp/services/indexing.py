"""What is kept of a document beside its entry: the words it is found by, and what it offers to the profile."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dmp.domain.changes import Change
from dmp.domain.clinical_profile import DocumentText, Extraction, Offer
from dmp.domain.content import KIND_OF_TYPE, PDF, RTF, TEXT, XML, media_type
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.profile_changes import SaveExtraction, SaveText
from dmp.domain.words import words_of
from dmp.observability import logger

_TELLING = frozenset({XML, PDF, RTF, TEXT})
"""Kinds of content that have a text; an image of a text has none."""
_DIRECTIVES = "EXPPAT_3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """What reads contents: they raise Invalid or TooLarge.

    The statements of a CDA, the content type and the bytes of the file that is the body of one, or None, and texts by
    kind of content.
    """

    statements: Callable[[bytes], Offer]
    body: Callable[[bytes], tuple[str, bytes] | None]
    texts: Mapping[str, Callable[[bytes], str]]


def has_text(entry: DocumentEntry) -> bool:
    """Whether the content of a document may have a text."""
    return _kind(entry.content.content_type) in _TELLING


def index_changes(entry: DocumentEntry, content: bytes, readers: Readers, *, anew: bool = False) -> Iterator[Change]:
    """What is kept of a document, as far as these read it; of what breaks a rule, only what its entry says.

    `anew`: nothing that was found in it before stays. Raises what the readers raise beside Invalid and TooLarge.
    """
    is_xml = _kind(entry.content.content_type) == XML
    yield _text(entry, content, readers)
    offer = (_read(readers.statements, content) or Offer()) if is_xml else Offer()
    if offer.candidates or (anew and is_xml) or _is_of_interest(entry):
        yield _extraction(entry, offer)


def deposited_changes(entry: DocumentEntry, content: bytes, readers: Readers) -> tuple[Change, ...]:
    """As `index_changes`; what cannot be read keeps nothing out of a record, and is read again by itself."""
    try:
        return tuple(index_changes(entry, content, readers))
    except Exception as failure:  # noqa: BLE001 - a document that we fail to understand is deposited all the same
        logger.error("document_not_understood", extra={"failure": type(failure).__name__})
    interest = (_extraction(entry, Offer()),) if _is_of_interest(entry) else ()
    return (_saved(entry, (), is_whole=False), *interest)


class DepositIndex:
    """What is kept so of the new documents of one deposit, each read once, however often it is tried."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._found: dict[int, tuple[Change, ...]] = {}

    def changes(self, plan: Plan) -> Iterator[Change]:
        """The changes of an attempt; of what is still to come by upload, there are none yet."""
        for place, entry in plan.fresh.items():
            document = plan.submission.documents[place]
            if not document.is_upload and place not in self._found:
                self._found[place] = deposited_changes(entry, document.content, self._readers)
            yield from self._found.get(place, ())


def _is_of_interest(entry: DocumentEntry) -> bool:
    """Whether the profile tells of a document whatever it offers: of advance directives."""
    return entry.type is not None and entry.type.code == _DIRECTIVES


def _extraction(entry: DocumentEntry, offer: Offer) -> Change:
    return SaveExtraction(
        Extraction(record=entry.record, local=entry.local, candidates=offer.candidates, is_cut=offer.is_cut)
    )


def _kind(content_type: str) -> str:
    return KIND_OF_TYPE.get(media_type(content_type), "")


def _read[Value](read: Callable[[bytes], Value], content: bytes) -> Value | None:
    try:
        return read(content)
    except (Invalid, TooLarge):
        return None


def _text(entry: DocumentEntry, content: bytes, readers: Readers) -> Change:
    found = [(_kind(entry.content.content_type), content)]
    if found[0][0] == XML and (body := _read(readers.body, content)):
        found.append((_kind(body[0]), body[1]))
    told = [(kind, data) for kind, data in found if kind in _TELLING]
    texts = [_read(readers.texts[kind], data) or "" for kind, data in told if kind in readers.texts]
    return _saved(entry, texts, is_whole=all(kind in readers.texts for kind, _ in told))


def _saved(entry: DocumentEntry, texts: Iterable[str], *, is_whole: bool) -> Change:
    words = words_of([*_titles(entry), *texts])
    return SaveText(DocumentText(record=entry.record, local=entry.local, words=words, is_whole=is_whole))


def _titles(entry: DocumentEntry) -> Iterator[str]:
    """What the entry says in words."""
    resource = json.loads(entry.body)
    yield resource.get("description", "")
    for content in resource.get("content", ()):
        yield content.get("attachment", {}).get("title", "")

"""What the archive of a record holds: documents as deposited, all else as FHIR, the trace, a page that leads to it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from dmp.domain.audit import AuditEntry
from dmp.domain.content import KIND_OF_TYPE, XML, media_type
from dmp.domain.document import DocumentEntry
from dmp.domain.errors import Unavailable
from dmp.domain.export import Export
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.record_contents import TYPES, RecordContents, Thing
from dmp.services.trace_view import TraceView

if TYPE_CHECKING:
    from dmp.adapters.audit_store import AuditStore, Position
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.zip_archive import ZipArchive

MOST_READABLE = 4 * 1024 * 1024
"""Bytes of a CDA that is written as a page for readers too: it is held for that."""
_EXTENSIONS = {"dicom": "dcm"}
_DOCUMENTS = "DocumentReference"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document in the archive: its file, and its page for readers where there is one; empty where it has none."""

    entry: DocumentEntry
    file: str
    page: str = ""
    is_whole: bool = True
    """Whether the file is what was deposited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that an archive holds, for its first page; `counts` are the resources by type."""

    record: Record
    export: Export
    papers: tuple[Paper, ...]
    counts: dict[str, int]
    proof: tuple[str, ...]
    """The files that show that nothing of the trace was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How things are written; each gives the bytes of a whole file, or of one line.

    `resource` gets the file of a document too, `name` the rest of a file name; `readable` gives a page for readers of
    the bytes of a CDA, or None.
    """

    resource: Callable[[Thing, str, str], bytes]
    event: Callable[[AuditEntry, str], bytes]
    trace: Callable[[Iterable[AuditEntry]], Iterator[bytes]]
    index: Callable[[Contents], Iterator[bytes]]
    name: Callable[[DocumentEntry], str]
    readable: Callable[[bytes], bytes | None]


type Proof = Callable[[Call, Record], Iterable[tuple[str, Iterable[bytes]]]]
"""Further files below `trace/`, by their names: what proves that the trace is whole."""


class WholeTrace:
    """The trace of a record, as one caller may read it."""

    def __init__(
        self,
        trail: "AuditStore",
        position: "Callable[..., Position]",
        documents: "DocumentStore",
    ) -> None:
        self._trail = trail
        self._position = position
        self._documents = documents

    def entries(self, call: Call, record: Record) -> Iterator[AuditEntry]:
        """All entries until now, the newest first."""
        view, end = TraceView(call, record, self._documents), call.now + _MILLISECOND
        before: str | None = ""
        while before is not None:
            entries, before = self._trail.page(record.id, self._position(end=end, before=before), None)
            yield from view.of(entries)


class RecordArchive:
    """Writes archives file by file; `check` is called between two of them, and raises where it is time to stop."""

    def __init__(
        self,
        contents: RecordContents,
        objects: "ObjectStore",
        trace: WholeTrace,
        writing: Writing,
        proof: Proof,
    ) -> None:
        self._contents = contents
        self._objects = objects
        self._trace = trace
        self._writing = writing
        self._proof = proof

    def write(
        self, call: Call, record: Record, export: Export, archive: "ZipArchive", check: Callable[[], None]
    ) -> dict[str, int]:
        """Write all that the caller may see, and count the resources by type. Raises Unavailable."""
        papers = list(self._papers(call, record, archive, check))
        files = {paper.entry.id: paper.file for paper in papers}
        counts = {}
        for name in TYPES:
            check()
            counts[name] = _counted(archive, f"fhir/{name}.ndjson", self._resources(call, record, export, name, files))
        check()
        events = (self._writing.event(entry, export.base_url) for entry in self._trace.entries(call, record))
        counts["AuditEvent"] = _counted(archive, "trace/AuditEvent.ndjson", events)
        archive.add("trace/index.html", self._writing.trace(self._trace.entries(call, record)))
        proof = []
        for name, content in self._proof(call, record):
            check()
            archive.add(f"trace/{name}", content)
            proof.append(f"trace/{name}")
        held = {name: count for name, count in counts.items() if count}
        contents = Contents(record=record, export=export, papers=tuple(papers), counts=held, proof=tuple(proof))
        archive.add("index.html", self._writing.index(contents))
        return held

    def _papers(self, call: Call, record: Record, archive: "ZipArchive", check: Callable[[], None]) -> Iterator[Paper]:
        for number, found in enumerate(self._contents.every(call, record, _DOCUMENTS), 1):
            check()
            if isinstance(found.thing, DocumentEntry):
                yield self._paper(archive, number, found.thing)

    def _paper(self, archive: "ZipArchive", number: int, entry: DocumentEntry) -> Paper:
        """A document, and of a CDA a page beside it; what is damaged is told, and holds nothing else up."""
        kind = KIND_OF_TYPE.get(media_type(entry.content.content_type), "bin")
        name = f"documents/{number:04}-{self._writing.name(entry)}"
        paper = Paper(entry=entry, file=f"{name}.{_EXTENSIONS.get(kind, kind)}")
        try:
            if kind == XML and entry.content.size <= MOST_READABLE:
                return self._readable(archive, entry, paper.file, f"{name}.html")
            archive.add(paper.file, self._objects.chunks(entry.content))
        except Unavailable as failure:
            if failure.code != "content-damaged":
                raise
            return Paper(entry=entry, file=paper.file, is_whole=False)
        return paper

    def _readable(self, archive: "ZipArchive", entry: DocumentEntry, file: str, page: str) -> Paper:
        data = b"".join(self._objects.chunks(entry.content))
        archive.add(file, [data])
        readable = self._writing.readable(data)
        if readable is None:
            return Paper(entry=entry, file=file)
        archive.add(page, [readable])
        return Paper(entry=entry, file=file, page=page)

    def _resources(
        self, call: Call, record: Record, export: Export, name: str, files: dict[str, str]
    ) -> Iterator[bytes]:
        """Of one type; of documents, those alone whose bytes are there."""
        for found in self._contents.every(call, record, name):
            entry = found.thing
            file = files.get(entry.id, "") if isinstance(entry, DocumentEntry) else ""
            if file or name != _DOCUMENTS:
                yield self._writing.resource(entry, export.base_url, file)


def _counted(archive: "ZipArchive", name: str, resources: Iterator[bytes]) -> int:
    """Write resources as NDJSON, and count them; no file where there is none."""
    first = next(resources, None)
    if first is None:
        return 0
    count = 0

    def told() -> Iterator[bytes]:
        nonlocal count
        for resource in chain([first], resources):
            count += 1
            yield resource + b"\n"

    archive.add(name, told())
    return count

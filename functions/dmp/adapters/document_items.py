"""Document entries and lists as items of the records table; the FHIR body is deflated, a third of its read units."""

import json
import zlib
from datetime import datetime
from typing import Any

from dmp.adapters import keys
from dmp.adapters.correlations import id_of_item
from dmp.adapters.record_items import Item, due_indexes, maybe_identifier, maybe_instant, maybe_text, text
from dmp.domain.code_lists import document_type
from dmp.domain.document import (
    Awaited,
    Coding,
    Depositor,
    DocumentEntry,
    DocumentStatus,
    Edition,
    Predecessor,
    StoredContent,
    Visibility,
)
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.identifiers import PS_IDNAT, Identifier


def _deflate(body: str) -> dict[str, bytes]:
    return {"B": zlib.compress(body.encode())}


def _inflate(item: Item) -> str:
    return zlib.decompress(item["body"]["B"]).decode()


def write_document(entry: DocumentEntry, sk: str | None = None) -> Item:
    """The item of a document entry, without its index attributes."""
    content = entry.content
    facts = {
        "type": [entry.type.system, entry.type.code, entry.type.display] if entry.type else None,
        "labels": sorted(entry.visibility),
        "by": [maybe_text(entry.depositor.person), maybe_text(entry.depositor.structure)],
        "secret": entry.is_secret,
        "authors": sorted(map(str, entry.authors)),
        "content": [content.key, content.content_type, content.size, content.sha1, content.sha256, *_pinned(content)],
        "master": maybe_text(entry.master_identifier),
        "ids": [str(i) for i in entry.identifiers],
        "archived": entry.is_archived,
        "hidden": maybe_text(entry.hidden_at),
        "due": maybe_text(entry.due),
        "before": [[one.local, sorted(one.visibility)] for one in entry.predecessors],
        "after": entry.successors,
        "edition": [str(entry.edition.set), entry.edition.number] if entry.edition else None,
        **_arrival(entry),
    }
    return {
        "pk": {"S": keys.partition(entry.record)},
        "sk": {"S": sk or keys.document(entry.local)},
        "kind": {"S": "document"},
        "local": {"S": entry.local},
        "st": {"S": entry.status.value},
        "v": {"N": str(entry.version)},
        "upd": {"S": keys.instant(entry.updated)},
        "facts": {"S": text(facts)},
        "body": _deflate(entry.body),
    }


def document_indexes(entry: DocumentEntry) -> Item:
    """The attributes by which the indexes find a current version of an entry."""
    attributes = {"ls_updated": {"S": f"{keys.instant(entry.updated)}#{entry.local}"}}
    if entry.type:
        attributes["ls_type"] = {"S": f"{entry.type.code}#{entry.local}"}
    if entry.type and (known := document_type(entry.type.system, entry.type.code)):
        attributes["ls_class"] = {"S": f"{known.class_code}#{entry.local}"}
    if entry.depositor.structure:
        attributes["ls_structure"] = {"S": f"{entry.depositor.structure.value}#{entry.local}"}
    if entry.depositor.person and entry.depositor.person.system == PS_IDNAT:
        attributes["ls_person"] = {"S": f"{entry.depositor.person.value}#{entry.local}"}
    kind = keys.Due.UPLOADS if entry.was_never_available else keys.Due.DOCUMENTS
    return attributes | due_indexes(kind, entry.id, entry.due)


def unchanged(entry: DocumentEntry) -> tuple[str, Item]:
    """The condition that nobody has written an entry since it was read, in the same version or not; and its values."""
    version = {":v": {"N": str(entry.version)}}
    if not entry.revision:
        return "v = :v AND attribute_not_exists(rev)", version
    return "v = :v AND rev = :rev", version | {":rev": {"N": str(entry.revision)}}


def rewritten(entry: DocumentEntry) -> Item:
    """The attribute by which whoever read an entry notices that it was written over."""
    return {"rev": {"N": str(entry.revision + 1)}}


def _pinned(content: StoredContent) -> list[str]:
    return [content.version] if content.version else []


def _arrival(entry: DocumentEntry) -> dict[str, Any]:
    """What is kept of a document that came, or is to come, by upload, or that awaits a verdict; of others, nothing."""
    facts = {
        "awaits": sorted(entry.awaits),
        "until": maybe_text(entry.awaited_until),
        "uploaded": entry.is_uploaded,
        "upload_error": entry.upload_error,
    }
    return {name: value for name, value in facts.items() if value}


def _read_content(row: list[Any]) -> StoredContent:
    key, content_type, size, sha1, sha256, *version = row
    return StoredContent(
        key=key, content_type=content_type, size=size, sha1=sha1, sha256=sha256, version=version[0] if version else ""
    )


def _read_edition(row: list[Any] | None) -> Edition | None:
    return Edition(Identifier.parse(row[0]), row[1]) if row else None


def read_document(item: Item) -> DocumentEntry:
    """A document entry from its item."""
    facts = json.loads(item["facts"]["S"])
    person, structure = facts["by"]
    return DocumentEntry(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        revision=int(item["rev"]["N"]) if "rev" in item else 0,
        updated=datetime.fromisoformat(item["upd"]["S"]),
        status=DocumentStatus(item["st"]["S"]),
        type=Coding(*facts["type"]) if facts["type"] else None,
        visibility=frozenset(map(Visibility, facts["labels"])),
        depositor=Depositor(maybe_identifier(person), maybe_identifier(structure)),
        is_secret=facts.get("secret", False),
        authors=frozenset(map(Identifier.parse, facts["authors"])),
        content=_read_content(facts["content"]),
        master_identifier=maybe_identifier(facts["master"]),
        identifiers=tuple(map(Identifier.parse, facts["ids"])),
        is_archived=facts["archived"],
        hidden_at=maybe_instant(facts.get("hidden")),
        due=maybe_instant(facts.get("due")),
        predecessors=tuple(Predecessor(one, frozenset(map(Visibility, by))) for one, by in facts.get("before", ())),
        successors=tuple(facts.get("after", ())),
        edition=_read_edition(facts.get("edition")),
        awaits=frozenset(map(Awaited, facts.get("awaits", ()))),
        awaited_until=maybe_instant(facts.get("until")),
        is_uploaded=facts.get("uploaded", False),
        upload_error=facts.get("upload_error", ""),
        correlation_id=id_of_item(item),
        body=_inflate(item),
    )


def write_list(entry: ListEntry, sk: str | None = None) -> Item:
    """The item of a SubmissionSet or Folder."""
    facts = {
        "by": [maybe_text(entry.depositor.person), maybe_text(entry.depositor.structure)],
        "ids": [str(i) for i in entry.identifiers],
        "documents": entry.documents,
        "lists": entry.lists,
        "brought": entry.brought,
    }
    return {
        "pk": {"S": keys.partition(entry.record)},
        "sk": {"S": sk or keys.document_list(entry.local)},
        "kind": {"S": entry.kind.value},
        "local": {"S": entry.local},
        "st": {"S": entry.status},
        "v": {"N": str(entry.version)},
        "upd": {"S": keys.instant(entry.updated)},
        "facts": {"S": text(facts)},
        "body": _deflate(entry.body),
        **(_list_index(entry) if sk is None else {}),
    }


def _list_index(entry: ListEntry) -> Item:
    """The attribute by which an index finds a current Folder, of which there are few among the SubmissionSets."""
    return {"ls_class": {"S": f"{entry.kind.value}#{entry.local}"}} if entry.kind is ListKind.FOLDER else {}


def read_list(item: Item) -> ListEntry:
    """A SubmissionSet or Folder from its item."""
    facts = json.loads(item["facts"]["S"])
    person, structure = facts["by"]
    return ListEntry(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(item["upd"]["S"]),
        kind=ListKind(item["kind"]["S"]),
        status=item["st"]["S"],
        depositor=Depositor(maybe_identifier(person), maybe_identifier(structure)),
        identifiers=tuple(map(Identifier.parse, facts["ids"])),
        documents=tuple(facts["documents"]),
        lists=tuple(facts.get("lists", ())),
        brought=tuple(facts.get("brought", ())),
        body=_inflate(item),
    )

"""All objects of the bucket against what names them: what nothing names is an orphan, and swept by order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.export import EXPORTS
from dmp.domain.identifiers import is_local_id, is_record_id, resource_id
from dmp.domain.inspection import UNWANTED_AFTER, Fault, Problem, has_bytes
from dmp.domain.upload import place_of

if TYPE_CHECKING:
    from dmp.adapters.inspection_store import InspectionStore
    from dmp.adapters.object_inspection import ObjectInspection, StoredVersion

_ZIP = ".zip"


@dataclass(slots=True)
class ObjectsSeen:
    """What one page of the bucket held; `young` may still find a name."""

    versions: int = 0
    orphans: int = 0
    young: int = 0
    swept: int = 0
    foreign: int = 0
    """Objects under keys that are none of ours: never touched."""
    problems: list[Problem] = field(default_factory=list)
    """Documents that cannot be read: nobody knows which bytes they name, and none of them are swept."""


class ObjectsInspection:
    """The bucket of documents, uploads and archives."""

    def __init__(self, store: "InspectionStore", objects: "ObjectInspection", note: Callable[[int], None]) -> None:
        """`note` hears how many objects a page is about to delete, and raises where that cannot be kept."""
        self._store = store
        self._objects = objects
        self._note = note

    def page(
        self, marker: dict[str, str] | None, now: datetime, *, sweeps: bool
    ) -> tuple[ObjectsSeen, dict[str, str] | None]:
        """Look at a page of versions, and where to go on.

        An orphan is deleted only where it is older than anything that could still come to name it, and where nothing
        did when it was asked, strongly consistent, after the object was seen.
        """
        versions, going_on = self._objects.versions(marker)
        seen = ObjectsSeen(versions=len(versions))
        unnamed = self._unnamed(versions, seen)
        orphans = [one for one in unnamed if now - one.since >= UNWANTED_AFTER]
        seen.orphans, seen.young = len(orphans), len(unnamed) - len(orphans)
        swept = orphans if sweeps else []
        if swept:
            self._note(len(swept))
        for one in swept:
            self._objects.remove(one)
        seen.swept = len(swept)
        return seen, self._behind(going_on, marker, versions, swept)

    def _behind(
        self,
        going_on: dict[str, str] | None,
        marker: dict[str, str] | None,
        versions: "list[StoredVersion]",
        swept: "list[StoredVersion]",
    ) -> dict[str, str] | None:
        """Where to go on: never behind a version that was swept, for a list does not go on behind what is not there."""
        if going_on is None or going_on not in map(self._objects.behind, swept):
            return going_on
        left = [one for one in versions if one not in swept]
        return self._objects.behind(left[-1]) if left else marker or {}

    def _unnamed(self, versions: "list[StoredVersion]", seen: ObjectsSeen) -> "list[StoredVersion]":
        places = {one.key: place for one in versions if (place := place_of(one.key))}
        exports = {one.key: export for one in versions if (export := _export_of(one.key))}
        seen.foreign = len([one for one in versions if one.key not in places and one.key not in exports])
        entries = self._store.documents(list(places.values()))
        known = self._store.exports(list(exports.values()))
        seen.problems = [
            Problem(Fault.UNREADABLE, record, f"DocumentReference/{resource_id(record, local)}")
            for (record, local), entry in sorted(entries.items(), key=lambda one: one[0])
            if entry is None
        ]
        unnamed = []
        for one in versions:
            if place := places.get(one.key):
                is_named = _is_named(entries, (place.record, place.local), one)
            else:
                is_named = one.key not in exports or exports[one.key] in known
            if not is_named:
                unnamed.append(one)
        return unnamed


def _is_named(
    entries: Mapping[tuple[str, str], DocumentEntry | None], name: tuple[str, str], one: "StoredVersion"
) -> bool:
    """Whether a document has, or may come to have, this version as its bytes; one that cannot be read may have."""
    entry = entries.get(name)
    if entry is None:
        return name in entries
    if entry.content.key != one.key:
        return False
    return not has_bytes(entry) or entry.content.version in ("", one.version)


def _export_of(key: str) -> tuple[str, str] | None:
    """Record and local id of the archive that a key tells of."""
    record, _, name = key.removeprefix(EXPORTS).partition("/")
    local = name.removesuffix(_ZIP)
    is_ours = key.startswith(EXPORTS) and name.endswith(_ZIP) and is_record_id(record) and is_local_id(local)
    return (record, local) if is_ours else None

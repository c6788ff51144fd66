"""The archive of a whole record that its person takes away: asked for, built, fetched for some days (L.1111-15)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dmp.domain.document import StoredContent
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.requester import Requester

EXPORTS = "exports/"
"""Begins the keys of archives: the bucket deletes them some days later."""
ZIP = "application/zip"
SUMS = "SHA256SUMS.txt"
"""The file of an archive with the digests of all others."""
LEASE = timedelta(minutes=16)
"""How long one run builds at most: longer than the function that does it may run."""
MOST_RUNS = 3
_PATIENCE = timedelta(hours=12)
"""What is not built by then never will be: whoever asked may ask again."""


class ExportState(StrEnum):
    """How far an export is."""

    ASKED = "asked"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"
    """Whoever asked wants it no more."""


_UNDER_WAY = frozenset({ExportState.ASKED, ExportState.BUILDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One archive of a record, as it may be seen by whoever asked for it: `requester`.

    `base_url` is where the API was reached, which resources name. `counts` are the resources in it, by type.
    """

    record: str
    local: str
    version: int = 1
    requester: Requester = field(repr=False)
    base_url: str
    asked: datetime
    state: ExportState = ExportState.ASKED
    runs: int = 0
    begun: datetime | None = None
    """When the last run began, while it may still be under way."""
    taken: datetime | None = None
    """The moment that the archive tells of."""
    expires: datetime | None = None
    content: StoredContent | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id in its address."""
        return resource_id(self.record, self.local)

    @property
    def key(self) -> str:
        """Where the archive lies."""
        return f"{EXPORTS}{self.record}/{self.local}.zip"

    def is_under_way(self, now: datetime) -> bool:
        """Whether it may still become ready."""
        return self.state in _UNDER_WAY and now < self.asked + _PATIENCE

    def is_leased(self, now: datetime) -> bool:
        """Whether a run may be building it."""
        return self.begun is not None and now < self.begun + LEASE

    def has_expired(self, now: datetime) -> bool:
        """Whether it is fetched no more."""
        return self.expires is not None and self.expires <= now

    def begin(self, now: datetime) -> "Export":
        """The next version: a run builds it."""
        return replace(self._next(ExportState.BUILDING), begun=now, runs=self.runs + 1)

    def put_off(self) -> "Export":
        """The next version: the run did not succeed, another may."""
        return replace(self, version=self.version + 1, begun=None)

    def ready(
        self, content: StoredContent, counts: Mapping[str, int], now: datetime, *, taken: datetime, days: int
    ) -> "Export":
        """The next version: it can be fetched, for so many days."""
        done = replace(self._next(ExportState.READY), content=content, counts=counts, taken=taken)
        return replace(done, expires=now + timedelta(days=days))

    def failed(self) -> "Export":
        """The last version of what could not be built."""
        return self._next(ExportState.FAILED)

    def removed(self) -> "Export":
        """The last version of what nobody wants any more; a run that is under way comes too late."""
        return self._next(ExportState.REMOVED)

    def _next(self, state: ExportState) -> "Export":
        return replace(self, state=state, version=self.version + 1, begun=None)


@dataclass(frozen=True, slots=True)
class SaveExport:
    """Write an export in place of `previous`, or create it."""

    export: Export
    previous: Export | None = None


@dataclass(frozen=True, slots=True)
class ClaimExport:
    """Make an export the one that its asker has under way; fails where that is another than `previous`."""

    record: str
    asker: Identifier
    local: str
    previous: str = ""


ExportChange = SaveExport | ClaimExport

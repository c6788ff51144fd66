"""Finding entries of the structured profile, those entered first, then those that documents offer: one trace entry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.clinical_profile import Extraction, ProfileEntry, ProfileKind
from dmp.domain.consent import PatientRef
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_search import is_for_own_alone, search_attempt
from dmp.services.gate import Gate, asking, failure_of
from dmp.services.profile_sight import Offered, offered, offering, visible_entries

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.profile_store import Profile, ProfileStore
    from dmp.adapters.record_store import RecordStore

_CHUNK = 400
_DOCUMENTS = 100
"""Documents that one read brings."""
_MOST_CHUNKS = 4
"""What one page that holds something may look through, where no single read brings the profile."""
_LAST_NUMBER = "zzz"

type Item = ProfileEntry | Offered
type Placed = tuple[str, Item | None]
"""An item with its place, or the place up to which everything was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileQuery:
    """A page of one kind: what it `says`, and, of what the caller may see, what else is `wanted` of it.

    `described` gives the query as the trace keeps it, without any INS. `after` is a place that an earlier page gave.
    """

    kind: ProfileKind
    patient: PatientRef
    says: Callable[[Mapping[str, Any]], bool]
    wanted: Callable[[Item], bool]
    described: Callable[[str], str]
    count: int
    after: str = ""
    accurate_total: bool = False
    order: Callable[[Item], str] | None = None
    """By what text to order; None for what was entered before what documents offer, the newest first."""
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """What was found; `total` where it is known, `next` where there is more."""

    record: str
    found: tuple[Item, ...]
    total: int | None
    next: str | None


class ProfileSearchService:
    """Searches within one record."""

    def __init__(self, gate: Gate, records: "RecordStore", profile: "ProfileStore", documents: "DocumentStore") -> None:
        self._gate = gate
        self._records = records
        self._profile = profile
        self._documents = documents

    def find(self, call: Call, query: ProfileQuery) -> ProfilePage:
        """What the caller may see; whoever has no other right finds what they entered or deposited themselves.

        Raises NotFound (`no-record`), Refused.
        """
        profile = self._profile.profile(self._records.named(query.patient))
        record = profile.record
        attempt = search_attempt(Interaction.SEARCH, query.kind, record.id, query.described(record.id))
        decision = decide(replace(asking(call, record, Action.SEARCH), resource_type=query.kind))
        page = None
        if decision.permit or is_for_own_alone(decision):
            page = self._page(call, profile, query)
        if page is None or not (decision.permit or page.found or self._owns(call, profile, query)):
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision, query.kind)
        reason = decision if decision.permit else Decision(permit=True, reason="author")
        self._gate.trace_access(call, record, attempt, reason)
        return page

    def _owns(self, call: Call, profile: "Profile", query: ProfileQuery) -> bool:
        """Whether somebody whose search found nothing is told so, having entered something of that kind."""
        anything = replace(query, says=_anything, wanted=_anything, count=1, after="", accurate_total=False, order=None)
        return bool(self._page(call, profile, anything).found)

    def _page(self, call: Call, profile: "Profile", query: ProfileQuery) -> ProfilePage:
        return self._ordered(call, profile, query, query.order) if query.order else self._filled(call, profile, query)

    def _ordered(
        self, call: Call, profile: "Profile", query: ProfileQuery, order: Callable[[Item], str]
    ) -> ProfilePage:
        """A page in an order of the client's: all that is visible is looked at."""
        everything = self._placed(call, profile, replace(query, after=""))
        found = [(f"{order(item)} {place}", item) for place, item in everything if item is not None]
        found.sort(key=lambda one: one[0], reverse=query.is_descending)
        left = [one for one in found if not query.after or _follows(one[0], query)]
        following = left[query.count - 1][0] if len(left) > query.count else None
        total = len(found) if query.accurate_total or (following is None and not query.after) else None
        return ProfilePage(profile.record.id, tuple(item for _, item in left[: query.count]), total, following)

    def _filled(self, call: Call, profile: "Profile", query: ProfileQuery) -> ProfilePage:
        """Fill a page with what is visible, one more to know whether there is a next, within the reading limit.

        That holds once something was found: an empty page with a next one would tell of what is hidden.
        """
        is_all = query.accurate_total
        matching: list[tuple[str, Item]] = []
        chunks, rest = 0, None
        for place, item in self._placed(call, profile, replace(query, after="") if is_all else query):
            if item is not None:
                matching.append((place, item))
            chunks += item is None
            is_enough = item is None and chunks >= _MOST_CHUNKS and matching
            if not is_all and (len(matching) > query.count or is_enough):
                rest = place
                break
        left = [(place, item) for place, item in matching if _is_behind(place, query.after)]
        shown = left[: query.count]
        following = shown[-1][0] if len(left) > query.count else rest
        is_whole = is_all or (following is None and not query.after)
        total = len(matching) if is_whole else None
        return ProfilePage(profile.record.id, tuple(item for _, item in shown), total, following)

    def _placed(self, call: Call, profile: "Profile", query: ProfileQuery) -> Iterator[Placed]:
        for entries, is_last in self._entries(profile, query):
            mine = (one for one in entries if query.says(one.resource))
            for entry in visible_entries(call, profile.record, mine):
                place = _place_of(entry)
                if _is_behind(place, query.after) and query.wanted(entry):
                    yield place, entry
            if not is_last:
                yield _place_of(entries[-1]), None
        for extractions, is_last in self._extractions(profile, query):
            yield from self._offered(call, profile.record, query, extractions)
            if not is_last:
                yield f"x{extractions[-1].local}{_LAST_NUMBER}", None

    def _offered(
        self, call: Call, record: Record, query: ProfileQuery, extractions: Sequence[Extraction]
    ) -> Iterator[Placed]:
        """The candidates of documents that are asked for, read as far as they are."""
        promising = [
            one
            for one in extractions
            if _is_behind(f"x{one.local}{_LAST_NUMBER}", query.after)
            and any(c.kind is query.kind and query.says(c.resource) for c in one.candidates)
        ]
        for start in range(0, len(promising), _DOCUMENTS):
            some = promising[start : start + _DOCUMENTS]
            documents = offering(call, record, some, self._documents)
            for found in offered(call, record, some, documents):
                candidate, place = found.candidate, _place_of(found)
                is_asked = candidate.kind is query.kind and query.says(candidate.resource)
                if is_asked and _is_behind(place, query.after) and query.wanted(found):
                    yield place, found

    def _entries(self, profile: "Profile", query: ProfileQuery) -> Iterator[tuple[Sequence[ProfileEntry], bool]]:
        """The entries of the kind, newest first, in chunks, each with whether it is the last."""
        if query.after.startswith("x"):
            return
        if _covers(profile, query.kind):
            yield [one for one in reversed(profile.entries) if one.kind is query.kind], True
            return
        before: str | None = query.after[1:]
        while before is not None:
            entries, before = self._profile.entries(profile.record.id, query.kind, _CHUNK, before)
            yield entries, before is None or not entries

    def _extractions(self, profile: "Profile", query: ProfileQuery) -> Iterator[tuple[Sequence[Extraction], bool]]:
        """What documents offer, that of the newest first, in chunks, each with whether it is the last."""
        if profile.is_whole:
            yield profile.extractions, True
            return
        yield profile.extractions, not profile.extractions
        after: str | None = profile.extractions[-1].local if profile.extractions else ""
        while after is not None:
            extractions, after = self._profile.extractions(profile.record.id, _CHUNK, after)
            yield extractions, after is None or not extractions


def _covers(profile: "Profile", kind: ProfileKind) -> bool:
    """Whether one read brought all entries of a kind: something lies behind them."""
    is_passed = bool(profile.entries) and profile.entries[-1].kind.value > kind.value
    return bool(profile.is_whole or profile.persons or profile.extractions or is_passed)


def _place_of(item: Item) -> str:
    return f"x{item.local}" if isinstance(item, Offered) else f"e{item.local}"


def _is_behind(place: str, after: str) -> bool:
    """Whether a place comes later: entries newest first, then candidates, by document (newest first) and number."""
    if not after or place[0] != after[0]:
        return not after or place[0] > after[0]
    if place[0] == "e":
        return place < after
    (document, number), (former, was) = _parted(place), _parted(after)
    return document < former or (document == former and number > was)


def _follows(place: str, query: ProfileQuery) -> bool:
    return place < query.after if query.is_descending else place > query.after


def _parted(place: str) -> tuple[str, str]:
    return place[: -len(_LAST_NUMBER)], place[-len(_LAST_NUMBER) :]


def _anything(_: object) -> bool:
    return True

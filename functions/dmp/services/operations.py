"""The orders that an operator's program gives page by page: each bears to be given again, none keeps anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp.domain.audit import AuditEntry
from dmp.domain.changes import Trace
from dmp.domain.errors import DmpError, Invalid, NotFound
from dmp.domain.identifiers import is_record_id, local_id
from dmp.domain.inspection import Fault, Problem, Tally
from dmp.domain.operation import OPERATORS, Act, Stage, act_of, entry_of
from dmp.services.inspection import Inspection

if TYPE_CHECKING:
    from dmp.adapters.inspection_rows import TraceRows
    from dmp.adapters.inspection_store import InspectionStore, RecordsPage
    from dmp.adapters.ledger import Ledger

ENOUGH_SECONDS = 60
"""The largest record is looked at well within."""
_MOST_SEGMENTS = 1000


class OperatorsTrace:
    """What operators did: written by their program before it acts, and after."""

    def __init__(
        self, ledger: "Ledger", rows: "TraceRows", read: Callable[[str], AuditEntry], entropy: Callable[[], bytes]
    ) -> None:
        """`read` reads the stored text of an entry."""
        self._ledger = ledger
        self._rows = rows
        self._read = read
        self._entropy = entropy

    def note(self, event: Mapping[str, Any], now: datetime) -> None:
        """Keep an act; Invalid where it does not say all it must, Unavailable where it may not be kept."""
        texts = {name: value for name, value in event.items() if isinstance(value, str)}
        stage = texts.get("stage", "")
        if stage not in set(Stage):
            raise Invalid("invalid-parameter", "stage")
        act = Act(
            operator=texts.get("operator", ""),
            command=texts.get("command", ""),
            target=texts.get("target", ""),
            stage=Stage(stage),
            detail=texts.get("detail", ""),
            run=texts.get("run", ""),
        )
        if not act.is_sound:
            raise Invalid("invalid-parameter", "operator")
        self._ledger.append(Trace(entry_of(act, local_id(now, self._entropy()), now)))

    def acts(self, before: str, limit: int) -> tuple[list[dict[str, str]], str | None]:
        """The newest acts, and behind which to go on; one that cannot be read is told by its id."""
        found, more = self._rows.newest(OPERATORS, before, limit)
        return [self._told(local, text) for local, text in found], more

    def _told(self, local: str, text: str) -> dict[str, str]:
        try:
            entry = self._read(text)
            act = act_of(entry)
        except (AttributeError, LookupError, TypeError, ValueError, DmpError):
            return {"at": "", "operator": "", "command": "", "target": local, "stage": "unreadable"}
        return {
            "at": entry.at.isoformat(timespec="seconds"),
            "operator": act.operator,
            "command": act.command,
            "target": act.target,
            "stage": act.stage.value,
            "detail": act.detail,
            "run": act.run,
        }


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one page came to, and where to go on; None where all was looked at."""

    tally: Tally
    cursor: dict[str, Any] | None


class RecordsInspection:
    """All records, page by page, in bounded memory and time."""

    def __init__(self, store: "InspectionStore", inspection: Inspection, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._inspection = inspection
        self._clock = clock

    def page(self, event: Mapping[str, Any], remaining: Callable[[], float]) -> Inspected:
        """Look at the records of one page, or at those that the page before left.

        The event: `cursor` as it came with the former page, `segment` of `segments`, `counts` to count alone, `bytes`
        to read every document, `record` for one record alone. Raises Invalid, NotFound `no-record`.
        """
        record = event.get("record")
        if record is not None:
            return Inspected(self._only(_record(record), event), None)
        cursor = event.get("cursor") or {}
        left = list(cursor.get("left", ()))
        tally, after, last = Tally(), cursor.get("after"), cursor.get("last", "")
        if not left:
            page = self._store.records(after, *_segment(event))
            left = [one for one in page.records if one != last]
            after, last = page.after, page.records[-1] if page.records else last
            tally.problems = self._lost(page)
        while left and remaining() > ENOUGH_SECONDS:
            tally.add(self._look(left.pop(0), event))
            if event.get("bytes"):
                break  # the bytes of one record may take all the time there is
        if not left and after is None:
            return Inspected(tally, None)
        return Inspected(tally, {"after": after, "last": last, "left": left})

    def _only(self, record: str, event: Mapping[str, Any]) -> Tally:
        """One record, of which something is there, were it its trace or its chain alone."""
        tally = self._look(record, event)
        nothing = [Problem(Fault.HEAD_MISSING, record, f"Patient/{record}")]
        if not tally.items and not tally.entries and tally.problems == nothing:
            raise NotFound("no-record")
        return tally

    def _look(self, record: str, event: Mapping[str, Any]) -> Tally:
        try:
            if event.get("counts"):
                return self._inspection.counted(record)
            return self._inspection.inspected(record, self._clock, reads_bytes=bool(event.get("bytes")))
        except DmpError:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever is wrong with one record, the others are looked at
            return Tally(records=1, problems=[Problem(Fault.UNREADABLE, record, type(failure).__name__)])

    def _lost(self, page: "RecordsPage") -> list[Problem]:
        """Records that an INS leads to, and that are not there; items of an INS that lead to none."""
        there = self._store.existing(page.led_to) if page.led_to else set()
        lost = [Problem(Fault.HEAD_MISSING, one, "its INS leads here") for one in page.led_to if one not in there]
        return [*lost, *(Problem(Fault.UNREADABLE, "", one) for one in page.broken)]


def _record(value: object) -> str:
    if not isinstance(value, str) or not is_record_id(value):
        raise Invalid("invalid-parameter", "record", "record is missing or wrong")
    return value


def _segment(event: Mapping[str, Any]) -> tuple[int, int]:
    segment, segments = event.get("segment", 0), event.get("segments", 1)
    if type(segment) is not int or type(segments) is not int or not 0 <= segment < segments <= _MOST_SEGMENTS:
        raise Invalid("invalid-parameter", "segment", "segment is wrong")
    return segment, segments

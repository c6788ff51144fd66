"""`fsck`: all records, objects and seals, page by page, in threads that share the table; it can be taken up again."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

from infra.admin.acts import traced
from infra.admin.installation import FAILURES, Installation, NotNow, known_form
from infra.admin.report import Report

_LISTED = 1000
"""Problems told one by one; more are counted."""
_PAUSE_SECONDS = 1
_DONE: dict[str, Any] = {"done": True}
_FIGURES = (
    *("records", "documents", "objects", "stored_bytes", "items", "item_bytes", "entries"),
    *("versions", "orphans", "young", "swept", "foreign", "seals"),
)
_OF_OBJECTS = ("versions", "orphans", "young", "swept", "foreign", "seals")
"""What is looked at only where all objects and seals are."""

type Json = dict[str, Any]


@dataclass
class Progress:
    """How far an inspection is: for each part, where to go on; and what it found. Kept in a file where one is given."""

    path: Path | None
    options: Json
    cursors: Json = field(default_factory=dict)
    figures: Json = field(default_factory=lambda: dict.fromkeys(_FIGURES, 0))
    problems: list[Json] = field(default_factory=list)
    full_heads: list[Json] = field(default_factory=list)
    problem_count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self, part: str, page: Mapping[str, Any]) -> Any:
        """Add a page, and keep where the part goes on; None where it is done."""
        with self._lock:
            for name in _FIGURES:
                self.figures[name] += page.get(name, 0)
            found = page.get("problems", [])
            self.problem_count += len(found)
            self.problems += found[: _LISTED - len(self.problems)]
            self.full_heads += page.get("full_heads", [])[: _LISTED - len(self.full_heads)]
            going_on = page.get("cursor")
            self.cursors[part] = _DONE if going_on is None else {"at": going_on}
            self._keep()
            return going_on

    def begun(self, part: str) -> tuple[bool, Any]:
        """Whether a part is done, and where it goes on."""
        kept = self.cursors.get(part, {})
        return kept == _DONE, kept.get("at")

    def _keep(self) -> None:
        """All of it or the former state: never half a file."""
        if self.path is None:
            return
        content = {name: getattr(self, name) for name in _KEPT}
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(self.path)


_KEPT = ("options", "cursors", "figures", "problems", "full_heads", "problem_count")


def taken_up(path: str, options: Json) -> Progress:
    """The inspection that a file tells of, under the same options, or a new one."""
    file = Path(path) if path else None
    if file is None or not file.exists():
        return Progress(file, options)
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        progress = Progress(file, **{name: kept[name] for name in _KEPT})
    except (LookupError, TypeError, ValueError):
        raise ValueError(f"{path} is no file of an inspection") from None
    if progress.options != options:
        raise ValueError(f"{path} is of an inspection of other things: {progress.options}")
    return progress


def fsck(
    installation: Installation, *, record: str = "", reads_bytes: bool = False, sweeps: bool = False,
    counts: bool = False, parallel: int = 1, resume: str = "",
) -> Report:  # fmt: skip
    """Inspect one record, or all of them with the objects and the seals."""
    if record and (sweeps or resume):
        raise ValueError("--record looks at one record: nothing is swept, and there is nothing to take up")
    if record:
        known_form(record)
    options = {"bytes": reads_bytes, "sweep": sweeps, "counts": counts, "record": record, "segments": parallel}
    options["installation"] = installation.identity
    progress = taken_up(resume, options)
    command = "capacity" if counts else "fsck"
    with traced(installation, command, record or "all") as act:
        if record:
            order = _records(options) | {"record": record}
            progress.take("record", installation.invoke("Operations", order))
        else:
            _all(installation, progress, options, act.run)
        act.outcome = f"records {progress.figures['records']}, problems {progress.problem_count}"
    if progress.path:
        progress.path.unlink(missing_ok=True)
    return _report(progress)


def _all(installation: Installation, progress: Progress, options: Json, run: str) -> None:
    segments = options["segments"]
    parts: list[tuple[str, Json]] = [
        (f"records {number}", _records(options) | {"segment": number, "segments": segments})
        for number in range(segments)
    ]
    with ThreadPoolExecutor(segments) as pool:
        for done in [pool.submit(_part, installation, progress, *part) for part in parts]:
            done.result()
    if not options["counts"]:
        _part(installation, progress, "objects", _objects(installation, options, run))
        _part(installation, progress, "seals", {"order": "seals"})


def _objects(installation: Installation, options: Json, run: str) -> Json:
    """What is deleted is told in the trace by whoever deletes it: for whom, and in which act."""
    return {"order": "objects", "sweep": options["sweep"], "operator": installation.operator, "run": run}


def _part(installation: Installation, progress: Progress, part: str, order: Json) -> None:
    is_done, cursor = progress.begun(part)
    while not is_done:
        page = _patiently(partial(installation.invoke, "Operations", order | {"cursor": cursor}))
        cursor = progress.take(part, page)
        is_done = cursor is None


def _patiently(ask: Callable[[], Json], attempts: int = 3) -> Json:
    """A page that could not be had is asked for again: pages bear that."""
    for attempt in range(1, attempts):
        try:
            return ask()
        except (NotNow, *FAILURES):
            sleep(_PAUSE_SECONDS * attempt)
    return ask()


def _records(options: Json) -> Json:
    return {"order": "records", "bytes": options["bytes"], "counts": options["counts"]}


def _report(progress: Progress) -> Report:
    notes = []
    if progress.problem_count > len(progress.problems):
        notes.append(f"{progress.problem_count - len(progress.problems)} more problems are not listed")
    if progress.figures["orphans"] > progress.figures["swept"]:
        notes.append("orphans are left: fsck --sweep deletes those older than 25 hours")
    faults = {one["fault"] for one in progress.problems}
    notes += [text for fault, text in _ADVICE.items() if fault in faults]
    if not progress.problem_count and not progress.options["counts"]:
        notes.insert(0, "all that was looked at is as it must be")
    looked_at = progress.options["record"] or progress.options["counts"]
    beside = _OF_OBJECTS if looked_at else ()
    figures = {name: number for name, number in progress.figures.items() if name not in beside}
    return Report(
        figures=figures | {"problems": progress.problem_count},
        lists={"problem list": progress.problems, "full heads": progress.full_heads},
        is_well=not progress.problem_count,
        notes=notes,
    )


_ADVICE = {
    "not-indexed": "not-indexed: rebuild RECORD reads its documents anew",
    "not-chained": "not-chained: complete-chain RECORD chains what is missing",
    "not-sealed": (
        "not-sealed: see that AuditSealer runs every minute; the local stack has no schedule, and seals what grew by "
        "`complete-chain RECORD`, or by POST /local/jobs/audit_sealer"
    ),
    "not-extracted": "not-extracted: rebuild RECORD reads its documents anew",
    "chain-cut": "chain-cut: entries were taken out of the trace; see 'A tampered trace' in infra/runbook.md",
    "metadata-differs": (
        "metadata-differs: where --bytes tells object-differs, the facts of the row are wrong, else its FHIR body or "
        "the hash of its unique id: restore the row from a backup"
    ),
    "status-differs": "status-differs: the row named was changed past the trace: restore it from a backup",
    "unreadable": "unreadable: the row named was written by nobody of ours, or damaged: restore it from a backup",
}

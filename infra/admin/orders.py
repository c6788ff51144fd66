"""Orders about one record: rebuild its index, suspend or resume it, complete the chain of its trace."""

from typing import Any

from infra.admin.acts import traced
from infra.admin.installation import Installation, known_form
from infra.admin.report import Report

_OPERATORS = "operators"
"""The trace of the operators, which is chained as a record's."""


def rebuild(installation: Installation, record: str, after: str = "") -> Report:
    """Read all documents of a record anew, run after run until none is left."""
    known_form(record)
    figures: dict[str, Any] = {"record": record, "read": 0, "failed": 0, "after": after}
    with traced(installation, "rebuild", record) as act:
        is_done, is_whole = False, False
        while not is_done:
            event = {"record": record} | ({"after": figures["after"]} if figures["after"] else {})
            done = installation.invoke("IndexRebuild", event)
            figures["read"] += done["read"]
            figures["failed"] += done["failed"]
            # what failed was passed over; a run that gets no further would end so for ever
            is_done = bool(done["done"]) or done["after"] == figures["after"]
            figures["after"], is_whole = done["after"], bool(done["done"])
        act.outcome = f"read {figures['read']}, failed {figures['failed']}"
    return Report(figures, is_well=is_whole and not figures["failed"])


def suspend(installation: Installation, record: str, action: str, reason: str) -> Report:
    """Suspend or resume a record; its person is told, and finds it in the own trace."""
    known_form(record)
    order = {"record": record, "action": action, "reason": reason, "operator": installation.operator}
    with traced(installation, action, record) as act:
        done = installation.invoke("Suspension", order)
        act.outcome = str(done["status"])
    return Report(done)


def complete_chain(installation: Installation, record: str) -> Report:
    """Chain whatever of a record's trace is not chained, and seal what grew."""
    is_of_operators = record == _OPERATORS
    if not is_of_operators:
        known_form(record)
    with traced(installation, "complete-chain", record) as act:
        if not is_of_operators:
            _check_there(installation, record)
        done = installation.invoke("AuditSealer", {"record": record})
        act.outcome = f"completed {done['completed']}"
    return Report(done)


def _check_there(installation: Installation, record: str) -> None:
    """Refused `no-record` where nothing of a record is stored, not even its trace."""
    order = {"order": "records", "record": record}
    if not installation.invoke("Operations", order | {"counts": True})["items"]:
        installation.invoke("Operations", order)


def log(installation: Installation, limit: int) -> Report:
    """What operators did, newest first; that somebody looked is an act too."""
    acts: list[dict[str, Any]] = []
    with traced(installation, "log", "operators") as act:
        before = None
        while len(acts) < limit:
            order = {"order": "acts", "limit": min(limit - len(acts), 100)} | ({"before": before} if before else {})
            page = installation.invoke("Operations", order)
            acts += page["acts"]
            before = page["more"]
            if not before:
                break
        act.outcome = f"acts {len(acts)}"
    return Report(lists={"acts": acts})

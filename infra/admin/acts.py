"""Every act of an operator in the trace of the operators: before it begins, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex

from infra.admin.installation import Installation, NotNow, Refused

_LONGEST = 500


@dataclass
class Act:
    """One act under way; `outcome` is told at its end: numbers and codes alone."""

    outcome: str = ""
    run: str = field(default_factory=lambda: token_hex(8))


@contextmanager
def traced(installation: Installation, command: str, target: str) -> Iterator[Act]:
    """Note an act before anything is done, and its end; where the first cannot be noted, nothing is done."""
    act = Act()
    told = {"operator": installation.operator, "command": command, "target": target[:_LONGEST], "run": act.run}
    _note(installation, told | {"stage": "begun"})
    try:
        yield act
    except (Refused, NotNow) as failure:
        _note(installation, told | {"stage": "failed", "detail": _printable(str(failure))})
        raise
    except BaseException as failure:
        _note(installation, told | {"stage": "failed", "detail": type(failure).__name__})
        raise
    _note(installation, told | {"stage": "done", "detail": _printable(act.outcome)})


def _note(installation: Installation, event: dict[str, str]) -> None:
    installation.invoke("Operations", {"order": "note", **event})


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:_LONGEST]

"""What an operator does, as the trace of the operators keeps it: begun before the act, ended with what came of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.identifiers import SERVICE, Identifier

OPERATORS = "operators"
"""Stands for the record in the trace of the operators, chained and sealed as any other; no record has this id."""
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_COMMAND = re.compile(r"[a-z-]{1,32}", re.ASCII)
_LONGEST = 500
_PURPOSE = "HSYSADMIN"
_DISPLAY = "Opérateur du service"


class Stage(StrEnum):
    """How far an act is."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Act:
    """One command of one operator: on what, how far, and what came of it; ids and numbers alone."""

    operator: str
    command: str
    target: str
    stage: Stage
    detail: str = ""
    run: str = ""
    """By which begin and end of one act are known to be the same."""

    @property
    def is_sound(self) -> bool:
        """Whether it says all it must, in the form that it must have."""
        texts = (self.target, self.detail, self.run)
        is_short = all(len(one) <= _LONGEST and (one == "" or one.isprintable()) for one in texts)
        return bool(_NAME.fullmatch(self.operator) and _COMMAND.fullmatch(self.command)) and is_short


def entry_of(act: Act, local: str, at: datetime) -> AuditEntry:
    """The entry of the trace that tells of an act."""
    return AuditEntry(
        record=OPERATORS,
        local=local,
        at=at,
        interaction=Interaction.OPERATE,
        action=AuditAction.EXECUTE,
        resource_type="",
        what=(act.command, act.target),
        outcome=AuditOutcome.REFUSED if act.stage is Stage.FAILED else AuditOutcome.SUCCESS,
        reason=act.stage.value,
        basis=(),
        actor=Identifier(SERVICE, act.operator),
        actor_name=_DISPLAY,
        role="service",
        profession="",
        structure=None,
        structure_name="",
        purpose=_PURPOSE,
        query=act.detail,
        request_id=act.run,
    )


def act_of(entry: AuditEntry) -> Act:
    """The act that an entry tells of."""
    command, target = entry.what
    return Act(entry.actor.value, command, target, Stage(entry.reason), entry.query, entry.request_id)

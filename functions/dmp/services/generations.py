"""Metadata generated from a document that is not stored: no record is asked, none is learnt of (ITI-106)."""

from collections.abc import Callable

from dmp.domain.access import decide_generation
from dmp.domain.audit import AuditAction, Interaction
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

_ATTEMPT = Attempt(
    interaction=Interaction.GENERATE_METADATA, action=AuditAction.CREATE, resource_type="DocumentReference"
)


class GenerationsService:
    """Lets those who may feed a record have their documents described."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def generate[Described](self, call: Call, read: Callable[[], Described]) -> Described:
        """What `read` makes of the document, traced; it may raise Invalid or TooLarge. Raises Refused."""
        decision = decide_generation(call.requester)
        if not decision.permit:
            self._gate.refuse(call, None, _ATTEMPT, decision)
        described = read()
        self._gate.trace_access(call, None, _ATTEMPT, decision)
        return described

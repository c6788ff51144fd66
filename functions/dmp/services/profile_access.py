"""What is asked of `access` about entries of the structured profile, and what the trace will tell of it."""

from dataclasses import replace

from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.domain.document import INVISIBLE
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import ruled
from dmp.services.gate import Attempt
from dmp.services.profile_sight import of_entry

_CHANGES = (Action.REPLACE, Action.MASK, Action.HIDE, Action.DELETE)


def asked_of(call: Call, record: Record, action: Action, kind: ProfileKind, entry: ProfileEntry | None) -> Decision:
    """What is decided about an entry of a kind, or about one that is not there."""
    return ruled(_of_kind(of_entry(call, record, action, entry), kind))


def may_change(call: Call, record: Record, kind: ProfileKind, entry: ProfileEntry | None) -> Decision:
    """A permit for some change of an entry where there is one; else the denial, a hidden one first."""
    decisions = [asked_of(call, record, action, kind, entry) for action in _CHANGES]
    hidden = next((d for d in decisions if d.hidden), decisions[0])
    return next((d for d in decisions if d.permit), hidden)


def telling(attempt: Attempt, *versions: ProfileEntry | None) -> Attempt:
    """The attempt, that hides what it was about where somebody may have to learn nothing of it (L.1111-5)."""
    return replace(attempt, hides=any(one is not None and bool(one.visibility & INVISIBLE) for one in versions))


def _of_kind(request: AccessRequest, kind: ProfileKind) -> AccessRequest:
    return replace(request, resource_type=kind)

"""What decides about third-party apps: they do what their user may, as far as their scopes go (SMART App Launch)."""

from dmp.domain import smart_scopes
from dmp.domain.access_request import AccessRequest, Decision, deny
from dmp.domain.rights import Action

_WRITING = frozenset(
    {
        *(Action.FEED, Action.REPLACE, Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE),
        *(Action.FEED_REIMBURSEMENT, Action.WRITE_PERSON, Action.NAME_DELEGATE, Action.UPDATE_PATIENT),
        *(Action.CREATE_CONSENT, Action.REVOKE_CONSENT, Action.RENEW_CONSENT),
    }
)


def out_of_scope(request: AccessRequest) -> Decision | None:
    """An app's scopes must cover what the route asks, and the type of what is decided about where that is another.

    Which of reading and searching, of creating, updating and deleting it is, the route tells; but what a deposit
    replaces it updates, whatever else it creates.
    """
    requester = request.requester
    if requester.scopes is None:
        return None
    own = request.concerns_own_record
    if requester.asks and not smart_scopes.permits(requester.scopes, requester.asks, own_record=own):
        return deny(smart_scopes.OUT_OF_SCOPE)
    named = request.resource_type or (requester.asks.partition(".")[0] if request.action is Action.REPLACE else "")
    if not named:
        return None
    held = smart_scopes.letters_of(requester.scopes, named, own_record=own)
    return None if held & _wanted(request.action) else deny(smart_scopes.OUT_OF_SCOPE)


def _wanted(action: Action) -> frozenset[str]:
    if action is Action.REPLACE:
        return frozenset("u")
    return frozenset("cud" if action in _WRITING else "rs")

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

    Which of reading and searching, of creating, updating and deleting it is, the route tells.
    """
    requester = request.requester
    if requester.scopes is None:
        return None
    own = request.concerns_own_record
    if requester.asks and not smart_scopes.permits(requester.scopes, requester.asks, own_record=own):
        return deny(smart_scopes.OUT_OF_SCOPE)
    if not request.resource_type:
        return None
    held = smart_scopes.letters_of(requester.scopes, request.resource_type, own_record=own)
    wanted = "cud" if request.action in _WRITING else "rs"
    return None if held & set(wanted) else deny(smart_scopes.OUT_OF_SCOPE)

"""What decides about the wishes that a person left: who expresses them; they open and close nothing (L.1111-11)."""

from dmp.domain.access_request import AccessRequest, Decision, deny
from dmp.domain.consent import WISHES, ConsentKind
from dmp.domain.directives import is_minor
from dmp.domain.rights import Action

_WRITING = frozenset({Action.CREATE_CONSENT, Action.REVOKE_CONSENT, Action.RENEW_CONSENT})


def personal_wish(request: AccessRequest) -> Decision | None:
    """What becomes of an adult's organs nobody else expresses or takes back (L.1232-1, L.1232-2)."""
    if request.concerns_own_record or request.is_secret or request.action not in _WRITING:
        return None
    kind = request.consent.kind if request.consent else request.consent_kind
    birth_date = request.record.identity.birth_date
    if kind is not ConsentKind.ORGAN_DONATION or is_minor(birth_date, request.now):
        return None
    return deny("not-authorised")


def is_reading_a_wish(request: AccessRequest) -> bool:
    """Whether it asks for a wish, which whoever reads of the person reads."""
    return request.action is Action.READ_CONSENT and request.consent is not None and request.consent.kind in WISHES

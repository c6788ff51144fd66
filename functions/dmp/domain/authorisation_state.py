"""What TD0.2 tells a professional of the own standing towards a record."""

from enum import StrEnum

from dmp.domain.access_request import AccessRequest
from dmp.domain.consent import ConsentKind


class AuthorisationState(StrEnum):
    """What TD0.2 tells a professional of the own authorisation (dmp-autorisation)."""

    VALID = "VALIDE"
    EXPIRED = "EXPIRE"
    NONE = "NON_EXISTE"
    FORBIDDEN = "INTERDIT"


def authorisation_state(request: AccessRequest) -> AuthorisationState:
    """The state of the caller's authorisation, blocks first."""
    if request.naming_the_caller(ConsentKind.BLOCK):
        return AuthorisationState.FORBIDDEN
    if request.authorisations():
        return AuthorisationState.VALID
    return AuthorisationState.EXPIRED if request.has_expired_authorisation() else AuthorisationState.NONE


def is_attending_physician(request: AccessRequest) -> bool:
    """Whether the caller carries the médecin traitant mark now."""
    return bool(request.marks())

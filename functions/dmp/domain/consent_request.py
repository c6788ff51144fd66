"""A Consent as a client asks for it, before anything is decided about it (IHE PCF)."""

from dataclasses import dataclass
from datetime import datetime

from dmp.domain.consent import Consent, ConsentKind, PatientRef
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.related_person import PersonRequest

TREATMENT = "TREAT"
"""The purpose of most kinds, whether or not they name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """`start` and `end` are instants, `end` exclusive; a delegation names its `delegate` instead of an actor."""

    kind: ConsentKind
    permit: bool
    patient: PatientRef
    actor: Identifier | None = None
    actor_display: str = ""
    delegate: str | PersonRequest | None = None
    """The FHIR id of a RelatedPerson, or one that comes with the request."""
    start: datetime | None = None
    end: datetime | None = None
    purposes: tuple[str, ...] = ()
    """May hold one outside of care: whoever asks for that is refused."""
    policy_uri: str | None = None
    document: str | None = None
    """The FHIR id of the document that says it in full."""

    def alters(self, consent: Consent) -> bool:
        """Whether it says something else than a Consent that is there, its status and period aside."""
        held = consent.directive
        if consent.delegate:
            is_other = self.delegate != resource_id(consent.record, consent.delegate)
        else:
            is_other = self.actor != held.actor
        is_other = is_other or self.document not in (None, resource_id(consent.record, held.document))
        other_purposes = {TREATMENT, *self.purposes} != {TREATMENT, *held.purposes}
        return is_other or other_purposes or (self.kind, self.permit) != (held.kind, held.permit)

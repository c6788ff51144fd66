"""Search of Communication: its parameters, and which messages they mean (FHIR R4)."""

from dmp.domain.consent import PatientRef
from dmp.domain.notification import Message
from dmp.fhir.search import Search, malformed_parameter
from dmp.fhir.search_parameters import Kind, Parameter
from dmp.fhir.systems import EVENT_STATUS

COMMUNICATION_PARAMETERS = (
    Parameter("recipient", Kind.PATIENT, linked_as="recipient"),
    Parameter("status", Kind.TOKEN),
)
ME = "me"
"""As `recipient`: whoever asks, and the structure of the token."""


def recipient_of(search: Search) -> PatientRef:
    """Whose messages are asked for; `me` stands as a record's id. Malformed `missing-parameter` without any."""
    if search.patient is None:
        raise malformed_parameter("missing-parameter", "recipient", "recipient is mandatory: Patient/[id], or me")
    return search.patient


def is_wanted(search: Search, message: Message) -> bool:
    """Whether a message satisfies what a search asks besides the recipient."""
    return search.tokens_match("status", [(EVENT_STATUS, message.status.value)])

"""When a professional is in a record for the first time, which its person is told (R.1111-43)."""

from dmp.domain.audit import AuditEntry, AuditOutcome, Interaction
from dmp.domain.requester import RequesterKind

_READING = frozenset(
    {
        Interaction.READ,
        Interaction.VREAD,
        Interaction.HISTORY,
        Interaction.SEARCH,
        Interaction.FIND_LISTS,
        Interaction.FIND_DOCUMENTS,
        Interaction.RETRIEVE,
        Interaction.EXPLAIN,
    }
)
_BESIDE_CONTENT = frozenset({"Communication", "Consent", "Subscription"})
"""What a professional reads of the own standing, rather than of the person."""
_TOLD_OTHERWISE = frozenset({"emergency", "opener"})
"""Rules whose use the person knows of: an emergency is told when it is declared, an opener prints the attestation."""


def is_access_of_a_professional(entry: AuditEntry) -> bool:
    """Whether an entry of the trace tells that a professional read something of the record's content.

    One that names an INVISIBLE document does not count, as its reader is not to learn of it: what the professional
    reads next will.
    """
    return (
        bool(entry.record)
        and entry.outcome is AuditOutcome.SUCCESS
        and entry.role == RequesterKind.PROFESSIONAL.value
        and entry.interaction in _READING
        and entry.resource_type not in _BESIDE_CONTENT
        and entry.reason not in _TOLD_OTHERWISE
        and not entry.hides
    )

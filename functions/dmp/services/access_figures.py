"""What entries of the trace add to the figures: who was let do or refused what is counted where it is proven."""

from collections.abc import Iterator

from dmp.domain.audit import AuditEntry, AuditOutcome, Interaction
from dmp.domain.requester import RequesterKind
from dmp.metrics import Metric

_DEPOSITS = frozenset({Interaction.PROVIDE_BUNDLE, Interaction.SIMPLIFIED_PUBLISH})


def figures_of(entry: AuditEntry) -> Iterator[tuple[Metric, str]]:
    """Each figure that an entry adds one to, with its reason; what our own jobs do is nobody's access."""
    if entry.role == RequesterKind.SERVICE:
        return
    if entry.outcome is AuditOutcome.REFUSED:
        yield Metric.REFUSALS, entry.reason
        return
    yield Metric.ACCESSES, ""
    if entry.interaction is Interaction.EMERGENCY:
        yield Metric.EMERGENCIES, ""
    if entry.interaction in _DEPOSITS:
        yield Metric.DEPOSITS, ""

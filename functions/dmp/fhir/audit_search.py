"""Search of AuditEvent: its parameters, and which entries of the trace they mean (IHE BALP)."""

from collections.abc import Iterator

from dmp.domain.audit import AuditEntry
from dmp.domain.identifiers import RECORD, resource_id
from dmp.fhir.audit_event import references_of
from dmp.fhir.audit_shapes import shape_of
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter

AUDIT_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("date", Kind.DATE),
    Parameter("agent", Kind.TOKEN),
    Parameter("entity", Kind.REFERENCE),
    Parameter("type", Kind.TOKEN),
    Parameter("action", Kind.TOKEN),
    Parameter("outcome", Kind.TOKEN),
)
"""`agent` is an identifier rather than a reference: nobody in the trace but the patient is a resource here."""

_ACTION = "http://hl7.org/fhir/audit-event-action"
_OUTCOME = "http://hl7.org/fhir/audit-event-outcome"


def is_wanted(search: Search, entry: AuditEntry) -> bool:
    """Whether an entry satisfies every parameter of a search."""
    shape = shape_of(entry)
    return (
        search.within("date", entry.at)
        and search.tokens_match("agent", _agents(entry))
        and search.references_match("entity", _entities(entry))
        and search.tokens_match("type", [(shape.type["system"], shape.type["code"])])
        and search.tokens_match("action", [(_ACTION, shape.action.value)])
        and search.tokens_match("outcome", [(_OUTCOME, entry.outcome.value)])
    )


def narrows(search: Search) -> bool:
    """Whether a search leaves out entries of its own time window."""
    return bool(search.values.keys() - {"date"})


def _agents(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    if entry.actor.system == RECORD:
        yield from (("", f"Patient/{entry.actor.value}"), (RECORD, entry.actor.value))
    else:
        yield entry.actor.system, entry.actor.value
    if entry.structure:
        yield entry.structure.system, entry.structure.value


def _entities(entry: AuditEntry) -> Iterator[str]:
    yield f"Patient/{entry.record}"
    yield from references_of(entry)
    yield from (f"Consent/{resource_id(entry.record, local)}" for local in entry.basis)

"""A line of reimbursement as it is answered, and its search (FHIR R4 ExplanationOfBenefit)."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.reimbursement import RESOURCE_TYPE, Reimbursement
from dmp.domain.reimbursement_query import ReimbursementQuery
from dmp.domain.search_terms import Order
from dmp.fhir import security_labels
from dmp.fhir.profile_rendering import codings_of, labels_of
from dmp.fhir.search import Search, Total
from dmp.fhir.search_conditions import codes, conditions, elements, identifiers, ids, instants, moments, references
from dmp.fhir.search_elements import Resource, at
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter
from dmp.fhir.times import instant_text

_CARE, _ACT = ("service-date", "date"), ("item-code", "act")
_NEWEST, _OLDEST = "-service-date", "service-date"
REIMBURSEMENT_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("_id", Kind.TOKEN),
    Parameter("_lastUpdated", Kind.DATE),
    *(Parameter(name, Kind.DATE) for name in _CARE),
    *(Parameter(name, Kind.TOKEN) for name in _ACT),
    Parameter("created", Kind.DATE),
    Parameter("identifier", Kind.TOKEN),
    Parameter("provider", Kind.REFERENCE),
    Parameter("provider.identifier", Kind.TOKEN, aliases=("provider:identifier",)),
    Parameter("status", Kind.TOKEN),
    Parameter("type", Kind.TOKEN),
    Parameter("_sort", Kind.CHOICE, choices=(_NEWEST, _OLDEST)),
)
_FIRST = ("language", "text", "contained", "extension")
_PARTS: tuple[tuple[str, ...], ...] = ((), ("detail",), ("detail", "subDetail"))


def render_reimbursement(line: Reimbursement) -> dict[str, Any]:
    """What the insurer sent of a line, with this server's id, version, labels and patient."""
    sent: Mapping[str, Any] = line.resource
    own = {"resourceType": RESOURCE_TYPE, "id": line.id, "meta": _meta(line, sent.get("meta", {}))}
    first = {name: sent[name] for name in _FIRST if name in sent}
    rest = {name: value for name, value in sent.items() if name not in (*own, *_FIRST)}
    return {**own, **first, **rest, "patient": {"reference": f"Patient/{line.record}"}}


def _meta(line: Reimbursement, sent: Resource) -> dict[str, Any]:
    labels = security_labels.relabelled({"securityLabel": labels_of(sent)}, line.visibility)["securityLabel"]
    return {
        "versionId": str(line.version),
        "lastUpdated": instant_text(line.updated),
        **{name: sent[name] for name in ("source", "tag") if name in sent},
        "security": codings_of(labels),
    }


def acts_of(resource: Resource) -> list[Any]:
    """The concepts that name the acts, products and procedures of a line."""
    paths = [(item, *parts) for item in ("item", "addItem") for parts in _PARTS]
    named = [concept for path in paths for concept in at(resource, *path, "productOrService")]
    return [*named, *at(resource, "procedure", "procedureCodeableConcept")]


_TESTS = {
    **dict.fromkeys(_ACT, codes(acts_of)),
    "created": moments(elements("created")),
    "identifier": identifiers(elements("identifier")),
    "provider": references(elements("provider")),
    "provider.identifier": identifiers(elements("provider")),
    "status": codes(elements("status")),
    "type": codes(elements("type")),
}


def reimbursement_query(search: Search, after: str) -> ReimbursementQuery:
    """What a search asks of the lines; raises Malformed `missing-parameter` where it names no patient."""
    return ReimbursementQuery(
        patient=search.require_patient(),
        care=tuple(group for name in _CARE for group in instants(search, name)),
        updated=instants(search, "_lastUpdated"),
        ids=ids(search),
        conditions=conditions(search, _TESTS),
        order=Order.OLDEST if search.chosen("_sort") == _OLDEST else Order.NEWEST,
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
    )

"""ITI-67: the parameters of a search for documents, and the query that they ask (MHD 4.2.4, PDSm, TD3.1)."""

from dmp.domain.document import Coding
from dmp.domain.document_query import FINDABLE, DocumentQuery
from dmp.domain.identifiers import Identifier
from dmp.domain.search_terms import Groups, Order
from dmp.fhir import search_conditions as of
from dmp.fhir.search import Search, Total
from dmp.fhir.search_includes import including, with_patient
from dmp.fhir.search_parameters import PATIENT_NAMES, Kind, Parameter
from dmp.fhir.systems import MHD_HOME_COMMUNITY, PDSM_IS_ARCHIVED

_ACTORS = ("Practitioner", "PractitionerRole", "Organization", "Device", "Patient", "RelatedPerson")
_RELATED = {
    "DocumentReference:relatesto": ("relatesTo", "target"),
    "DocumentReference:relatesto:DocumentReference": ("relatesTo", "target"),
    "DocumentReference:related": ("context", "related"),
    "DocumentReference:related:DocumentReference": ("context", "related"),
}
_INCLUDES = (
    *_RELATED,
    "DocumentReference:patient", "DocumentReference:patient:Patient",
    "DocumentReference:subject", "DocumentReference:subject:Patient",
)  # fmt: skip
_ORDERS = {order.value: order for order in Order} | {"_id": Order.OLDEST, "-_id": Order.NEWEST}


def _of_author(part: str) -> Parameter:
    types = ("Practitioner", "PractitionerRole.practitioner", "Patient")
    return Parameter(f"author.{part}", Kind.STRING, aliases=tuple(f"author:{one}.{part}" for one in types))


def _identifier_of(name: str) -> Parameter:
    return Parameter(f"{name}.identifier", Kind.TOKEN, aliases=(f"{name}:identifier",))


DOCUMENT_PARAMETERS = (
    *PATIENT_NAMES,
    Parameter("status", Kind.TOKEN),
    Parameter("_id", Kind.TOKEN),
    Parameter("_lastUpdated", Kind.DATE),
    Parameter("_content", Kind.WORDS),
    Parameter("type", Kind.TOKEN),
    Parameter("category", Kind.TOKEN),
    Parameter("identifier", Kind.TOKEN),
    Parameter("date", Kind.DATE),
    Parameter("author", Kind.REFERENCE, targets=_ACTORS),
    _identifier_of("author"),
    _of_author("given"),
    _of_author("family"),
    _of_author("name"),
    Parameter("authenticator", Kind.REFERENCE, targets=("Practitioner", "PractitionerRole", "Organization")),
    _identifier_of("authenticator"),
    Parameter("custodian", Kind.REFERENCE, targets=("Organization",)),
    _identifier_of("custodian"),
    Parameter("creation", Kind.DATE),
    Parameter("event", Kind.TOKEN),
    Parameter("facility", Kind.TOKEN),
    Parameter("setting", Kind.TOKEN),
    Parameter("format", Kind.TOKEN),
    Parameter("contenttype", Kind.TOKEN),
    Parameter("language", Kind.TOKEN),
    Parameter("description", Kind.STRING),
    Parameter("security-label", Kind.TOKEN),
    Parameter("period", Kind.DATE),
    Parameter("period-start", Kind.DATE),
    Parameter("period-end", Kind.DATE),
    Parameter("related", Kind.REFERENCE),
    _identifier_of("related"),
    Parameter("relatesto", Kind.REFERENCE),
    _identifier_of("relatesto"),
    Parameter("relation", Kind.TOKEN),
    Parameter("isArchived", Kind.TOKEN),
    Parameter("targetCommunityIdList", Kind.URI),
    Parameter("_sort", Kind.CHOICE, choices=tuple(_ORDERS)),
    Parameter("_include", Kind.CHOICE, choices=_INCLUDES),
)
_AUTHORS = of.elements("author")
_TESTS = {
    "author": of.references(_AUTHORS),
    "author.identifier": of.actor_identifiers(_AUTHORS),
    "author.given": of.names(of.people(_AUTHORS), "given"),
    "author.family": of.names(of.people(_AUTHORS), "family"),
    "author.name": of.names(of.people(_AUTHORS), "name"),
    "authenticator": of.references(of.elements("authenticator")),
    "authenticator.identifier": of.actor_identifiers(of.elements("authenticator")),
    "custodian": of.references(of.elements("custodian")),
    "custodian.identifier": of.actor_identifiers(of.elements("custodian")),
    "creation": of.moments(of.elements("content", "attachment", "creation")),
    "event": of.codes(of.elements("context", "event")),
    "facility": of.codes(of.elements("context", "facilityType")),
    "setting": of.codes(of.elements("context", "practiceSetting")),
    "format": of.codes(of.elements("content", "format")),
    "contenttype": of.codes(of.elements("content", "attachment", "contentType")),
    "language": of.codes(of.elements("content", "attachment", "language")),
    "description": of.texts(of.elements("description")),
    "security-label": of.codes(of.elements("securityLabel")),
    "period": of.periods(of.elements("context", "period")),
    "period-start": of.moments(of.elements("context", "period", "start")),
    "period-end": of.moments(of.elements("context", "period", "end")),
    "related": of.references(of.elements("context", "related")),
    "related.identifier": of.identifiers(of.elements("context", "related")),
    "relatesto": of.references(of.elements("relatesTo", "target")),
    "relatesto.identifier": of.identifiers(of.elements("relatesTo", "target")),
    "relation": of.codes(of.elements("relatesTo", "code")),
    "isArchived": of.archived(of.extensions(PDSM_IS_ARCHIVED, "valueBoolean")),
    "targetCommunityIdList": of.uris(of.extensions(MHD_HOME_COMMUNITY, "valueOid")),
}
_ON_OTHERS = frozenset({"related", "related.identifier", "relatesto", "relatesto.identifier", "relation"})
"""The parameters on what a document tells of others, which the caller may not know of."""
_STATUS_SYSTEM = "http://hl7.org/fhir/document-reference-status"


def document_query(search: Search, after: str) -> DocumentQuery:
    """What is asked, behind the position `after`; Malformed where patient or status is missing."""
    patient = search.require_patient()
    search.require("status")
    identifiers = ((Identifier(one.system, one.code) for one in group) for group in _codings(search, "identifier"))
    return DocumentQuery(
        patient=patient,
        statuses=tuple(s for s in FINDABLE if search.tokens_match("status", [("", s), (_STATUS_SYSTEM, s)])),
        ids=of.ids(search),
        types=_codings(search, "type"),
        classes=_codings(search, "category"),
        identifiers=tuple(map(tuple, identifiers)),
        date=of.instants(search, "date"),
        updated=of.instants(search, "_lastUpdated"),
        words=search.words("_content"),
        conditions=of.conditions(search, _TESTS),
        asks_relations=not _ON_OTHERS.isdisjoint(search.values),
        order=_ORDERS[search.chosen("_sort") or Order.NEWEST],
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
        named=including(search, _RELATED),
        with_patient=with_patient(search),
    )


def _codings(search: Search, name: str) -> Groups[Coding]:
    return tuple(tuple(Coding(token.system or "", token.code) for token in group) for group in search.tokens(name))

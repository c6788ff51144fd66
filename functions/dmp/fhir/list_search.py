"""ITI-66: the parameters of a search for SubmissionSets and Folders, and the query that they ask (MHD 4.2.4, PDSm)."""

from dmp.domain.document_list import ListKind
from dmp.domain.identifiers import Identifier
from dmp.domain.list_query import ListQuery
from dmp.domain.search_terms import Order
from dmp.fhir import search_conditions as of
from dmp.fhir.search import Search, Total
from dmp.fhir.search_includes import with_patient
from dmp.fhir.search_parameters import PATIENT_NAMES, Kind, Parameter
from dmp.fhir.systems import (
    MHD_AUTHOR_ORG,
    MHD_DESIGNATION_TYPE,
    MHD_HOME_COMMUNITY,
    MHD_LIST_TYPES,
    MHD_SOURCE_ID,
    PDSM_IS_ARCHIVED,
)

_SOURCES = ("Practitioner", "PractitionerRole", "Patient", "Device")
_ITEMS = ("List:item", "List:item:DocumentReference")
_INCLUDES = (*_ITEMS, "List:patient", "List:patient:Patient", "List:subject", "List:subject:Patient")
_ORDERS = {"date": Order.OLDEST, "-date": Order.NEWEST, "_id": Order.OLDEST, "-_id": Order.NEWEST}
_ROLE = "source:PractitionerRole"
_PERSON_OF_ROLE = f"{_ROLE}.practitioner"

LIST_PARAMETERS = (
    *PATIENT_NAMES,
    Parameter("code", Kind.TOKEN),
    Parameter("status", Kind.TOKEN),
    Parameter("_id", Kind.TOKEN),
    Parameter("_lastUpdated", Kind.DATE),
    Parameter("date", Kind.DATE),
    Parameter("identifier", Kind.TOKEN),
    Parameter("title", Kind.STRING),
    Parameter("designationType", Kind.TOKEN),
    Parameter("sourceId", Kind.TOKEN),
    Parameter("source", Kind.REFERENCE, targets=_SOURCES),
    Parameter("source.identifier", Kind.TOKEN, aliases=("source:identifier",)),
    Parameter("source.given", Kind.STRING),
    Parameter("source.family", Kind.STRING),
    Parameter("source.name", Kind.STRING),
    Parameter("source:Patient.given", Kind.STRING),
    Parameter("source:Patient.family", Kind.STRING),
    Parameter("source:Practitioner.given", Kind.STRING),
    Parameter("source:Practitioner.family", Kind.STRING),
    Parameter(f"{_ROLE}.name", Kind.STRING),
    Parameter(
        f"{_PERSON_OF_ROLE}.given", Kind.STRING, aliases=(f"{_PERSON_OF_ROLE}:Practitioner.given", f"{_ROLE}.given")
    ),
    Parameter(
        f"{_PERSON_OF_ROLE}.family", Kind.STRING, aliases=(f"{_PERSON_OF_ROLE}:Practitioner.family", f"{_ROLE}.family")
    ),
    Parameter("authorOrg", Kind.REFERENCE, targets=("Organization",)),
    Parameter("authorOrg.identifier", Kind.TOKEN, aliases=("authorOrg:identifier",)),
    Parameter("isArchived", Kind.TOKEN),
    Parameter("targetCommunityIdList", Kind.URI),
    Parameter("_sort", Kind.CHOICE, choices=tuple(_ORDERS)),
    Parameter("_include", Kind.CHOICE, choices=_INCLUDES),
)
_SOURCE = of.elements("source")
_PATIENTS = of.people(_SOURCE, "Patient")
_PRACTITIONERS = of.people(_SOURCE, "Practitioner")
_ROLES = of.people(_SOURCE, "PractitionerRole", "Practitioner", "Organization")
_IN_ROLES = of.people(_SOURCE, "PractitionerRole", "Practitioner")
_AUTHOR_ORG = of.extensions(MHD_AUTHOR_ORG, "valueReference", "source")
_TESTS = {
    "code": of.codes(of.elements("code")),
    "date": of.starts(of.elements("date")),
    "identifier": of.identifiers(of.elements("identifier")),
    "title": of.texts(of.elements("title")),
    "designationType": of.codes(of.extensions(MHD_DESIGNATION_TYPE, "valueCodeableConcept")),
    "sourceId": of.identifiers(of.extensions(MHD_SOURCE_ID, "valueIdentifier")),
    "source": of.references(_SOURCE),
    "source.identifier": of.actor_identifiers(_SOURCE),
    "source.given": of.names(of.people(_SOURCE), "given"),
    "source.family": of.names(of.people(_SOURCE), "family"),
    "source.name": of.names(of.people(_SOURCE), "name"),
    "source:Patient.given": of.names(_PATIENTS, "given"),
    "source:Patient.family": of.names(_PATIENTS, "family"),
    "source:Practitioner.given": of.names(_PRACTITIONERS, "given"),
    "source:Practitioner.family": of.names(_PRACTITIONERS, "family"),
    f"{_ROLE}.name": of.names(_ROLES, "name"),
    f"{_PERSON_OF_ROLE}.given": of.names(_IN_ROLES, "given"),
    f"{_PERSON_OF_ROLE}.family": of.names(_IN_ROLES, "family"),
    "authorOrg": of.references(_AUTHOR_ORG),
    "authorOrg.identifier": of.actor_identifiers(_AUTHOR_ORG),
    "isArchived": of.archived(of.extensions(PDSM_IS_ARCHIVED, "valueBoolean")),
    "targetCommunityIdList": of.uris(of.extensions(MHD_HOME_COMMUNITY, "valueOid")),
}
_STATUS_SYSTEM = "http://hl7.org/fhir/list-status"
_STATUSES = {"current": ("current",), "retired": ("retired", "superseded")}
"""FHIR's codes, with MHD's for the same: a List that entered in error is found by nobody."""


def list_query(search: Search, after: str) -> ListQuery:
    """What is asked, behind the list `after`; Malformed where patient or status is missing."""
    patient = search.require_patient()
    search.require("status")
    kinds = (kind for kind in ListKind if search.tokens_match("code", [("", kind), (MHD_LIST_TYPES, kind)]))
    return ListQuery(
        patient=patient,
        kinds=frozenset(kinds),
        statuses=frozenset(one for one, names in _STATUSES.items() if _asks(search, names)),
        ids=of.ids(search),
        identifiers=_lookups(search),
        date=of.instants(search, "date"),
        updated=of.instants(search, "_lastUpdated"),
        conditions=of.conditions(search, _TESTS),
        order=_ORDERS[search.chosen("_sort") or Order.NEWEST],
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
        with_documents=any(group[0] in _ITEMS for group in search.texts("_include")),
        with_patient=with_patient(search),
    )


def _asks(search: Search, names: tuple[str, ...]) -> bool:
    return search.tokens_match("status", [(system, name) for name in names for system in ("", _STATUS_SYSTEM)])


def _lookups(search: Search) -> tuple[Identifier, ...]:
    """The identifiers of which one must be had; none where a token leaves its system or value open."""
    groups = search.tokens("identifier")
    return tuple(Identifier(one.system or "", one.code) for one in groups[0]) if groups else ()

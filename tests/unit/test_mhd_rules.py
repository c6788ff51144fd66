"""Every rule of the profiles of ITI-65: broken, it is refused at the levels that have it, and there alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.errors import Invalid
from dmp.domain.identifiers import structure
from dmp.fhir import mhd_profiles
from dmp.fhir import systems as s
from dmp.fhir.document_reference import Intake
from dmp.fhir.mhd_profiles import Profile
from dmp.fhir.submission import read_submission
from tests import fhir_factories as make

INTAKE = Intake(now=make.NOW, base_url="https://dmp.example/fhir", structure=structure("1750100125"))
PROFILES = Path(__file__).parents[3] / "shared" / "data" / "ihe" / "MHD" / "profiles"
MINIMAL, UNCONTAINED, COMPREHENSIVE, PDSM = LEVELS = (
    s.MHD_PROVIDE_MINIMAL,
    s.MHD_PROVIDE_UNCONTAINED,
    s.MHD_PROVIDE_COMPREHENSIVE,
    s.PDSM_PROVIDE,
)
ALL, MHD, WITH_METADATA = LEVELS, LEVELS[:3], LEVELS[1:]
SET, DOCUMENT, FOLDER = 0, 1, 3
FOLDER_URL = "urn:uuid:00000000-0000-4000-8000-000000000004"

type Json = dict[str, Any]
type Change = Callable[[Json], object]
type Levels = tuple[str, ...]


def base() -> list[Json]:
    """A bundle that keeps every rule of every level: a SubmissionSet, a document, its bytes and a Folder."""
    kinds = {"uniqueId": "urn:oid:1.2.3.4.6", "entryUUID": "urn:uuid:5d3d3a7d-82a6-4fe0-8d87-ee2cb87fa219"}
    identifiers = [identifier(kind, value) for kind, value in kinds.items()]
    return [
        make.entry(make.SET_URL, make.submission_set(identifier=identifiers)),
        make.entry(make.DOCUMENT_URL, make.document_reference(authenticator={"reference": "#author"})),
        make.entry(make.BINARY_URL, make.binary()),
        make.entry(FOLDER_URL, make.folder()),
    ]


def identifier(kind: str, value: str, system: str = s.URI) -> Json:
    return {"type": make.concept(s.MHD_IDENTIFIER_TYPE, kind), "system": system, "value": value}


def without(path: str) -> Change:
    def change(resource: Json) -> object:
        *parents, last = path.split(".")
        for name in parents:
            resource = resource[name][0] if isinstance(resource[name], list) else resource[name]
        return resource.pop(last)

    return change


def having(**elements: Any) -> Change:
    return lambda resource: resource.update(elements)


def having_at(path: str, **elements: Any) -> Change:
    def change(resource: Json) -> object:
        for name in path.split("."):
            resource = resource[name][0] if isinstance(resource[name], list) else resource[name]
        return resource.update(elements)

    return change


def more(element: str, *items: Any) -> Change:
    return lambda resource: resource.setdefault(element, []).extend(items)


def extended(url: str, **value: Any) -> Change:
    return more("extension", {"url": url, **(value or {"valueString": "x"})})


def without_extension(url: str) -> Change:
    return lambda resource: resource.update(extension=[one for one in resource["extension"] if one["url"] != url])


CONCEPT = make.concept("urn:x", "1")
DESIGNATION = {"url": s.MHD_DESIGNATION_TYPE, "valueCodeableConcept": CONCEPT}
SOURCE = {"url": s.MHD_SOURCE_ID, "valueIdentifier": {"value": "urn:oid:1.2"}}
ORGANISATION = {"url": s.MHD_AUTHOR_ORG, "valueReference": {"display": "Hôpital"}}
ELSEWHERE = {"reference": "Practitioner/elsewhere"}

RULES: dict[str, tuple[int, Levels, Change, str]] = {
    # the SubmissionSet
    "set: sourceId is there": (SET, ALL, without_extension(s.MHD_SOURCE_ID), f"extension('{s.MHD_SOURCE_ID}')"),
    "set: one sourceId": (SET, ALL, more("extension", SOURCE), f"extension('{s.MHD_SOURCE_ID}')"),
    "set: sourceId is an Identifier": (
        SET,
        ALL,
        lambda one: (without_extension(s.MHD_SOURCE_ID)(one), extended(s.MHD_SOURCE_ID)(one)),
        f"extension('{s.MHD_SOURCE_ID}').valueIdentifier",
    ),
    "set: designationType is there": (
        SET,
        WITH_METADATA,
        without_extension(s.MHD_DESIGNATION_TYPE),
        f"extension('{s.MHD_DESIGNATION_TYPE}')",
    ),
    "set: one designationType": (SET, ALL, more("extension", DESIGNATION), f"extension('{s.MHD_DESIGNATION_TYPE}')"),
    "set: intendedRecipient is a Reference": (
        SET,
        ALL,
        extended(s.MHD_INTENDED_RECIPIENT),
        f"extension('{s.MHD_INTENDED_RECIPIENT}').valueReference",
    ),
    "set: homeCommunityId is an oid": (
        SET,
        ALL,
        extended(s.MHD_HOME_COMMUNITY),
        f"extension('{s.MHD_HOME_COMMUNITY}').valueOid",
    ),
    "set: one homeCommunityId": (
        SET,
        ALL,
        lambda one: [extended(s.MHD_HOME_COMMUNITY, valueOid="urn:oid:1.2")(one) for _ in "12"],
        f"extension('{s.MHD_HOME_COMMUNITY}')",
    ),
    "set: it is current": (SET, ALL, having(status="retired"), "status"),
    "set: it is working": (SET, ALL, having(mode="snapshot"), "mode"),
    "set: it has a date": (SET, ALL, without("date"), "date"),
    "set: it has a subject": (SET, WITH_METADATA, without("subject"), "subject"),
    "set: no encounter": (SET, ALL, having(encounter={"display": "x"}), "encounter"),
    "set: no order": (SET, ALL, having(orderedBy=CONCEPT), "orderedBy"),
    "set: one note": (SET, ALL, having(note=[{"text": "a"}, {"text": "b"}]), "note"),
    "set: no flag": (SET, ALL, having_at("entry", flag=CONCEPT), "entry.flag"),
    "set: nothing deleted": (SET, ALL, having_at("entry", deleted=False), "entry.deleted"),
    "set: no date of an entry": (SET, ALL, having_at("entry", date="2026-01-01"), "entry.date"),
    "set: no modifier": (SET, ALL, having(modifierExtension=[{"url": "urn:x", "valueCode": "x"}]), "modifierExtension"),
    "set: the source is contained": (SET, (COMPREHENSIVE,), having(source=ELSEWHERE), "source"),
    "set: it has a source": (SET, (PDSM,), without("source"), "source"),
    "set: the source is of a type of FHIR": (SET, ALL, having(source={"reference": "Organization/1"}), "source"),
    "set: one authorOrg": (
        SET,
        ALL,
        having_at("source", extension=[ORGANISATION] * 2),
        f"source.extension('{s.MHD_AUTHOR_ORG}')",
    ),
    "set: authorOrg is a Reference": (
        SET,
        ALL,
        having_at("source", extension=[{"url": s.MHD_AUTHOR_ORG, "valueString": "x"}]),
        f"source.extension('{s.MHD_AUTHOR_ORG}').valueReference",
    ),
    "set: one uniqueId": (SET, ALL, more("identifier", identifier("uniqueId", "urn:oid:1.2.7")), "identifier"),
    "set: the uniqueId is an OID": (SET, ALL, having(identifier=[identifier("uniqueId", "urn:uuid:1")]), "identifier"),
    "set: the uniqueId is a URI": (
        SET,
        ALL,
        having(identifier=[identifier("uniqueId", "urn:oid:1.2.7", "urn:x")]),
        "identifier",
    ),
    "set: one entryUUID": (SET, ALL, more("identifier", identifier("entryUUID", "urn:uuid:1")), "identifier"),
    "set: the entryUUID is a UUID": (
        SET,
        ALL,
        having(identifier=[identifier("entryUUID", "urn:oid:1.2.7")]),
        "identifier",
    ),
    # the Folder
    "folder: it is working": (FOLDER, ALL, having(mode="changes"), "mode"),
    "folder: it has a designationType": (
        FOLDER,
        (PDSM,),
        without("extension"),
        f"extension('{s.MHD_DESIGNATION_TYPE}')",
    ),
    "folder: one designationType": (
        FOLDER,
        (PDSM,),
        more("extension", DESIGNATION),
        f"extension('{s.MHD_DESIGNATION_TYPE}')",
    ),
    "folder: it has a title": (FOLDER, (PDSM,), without("title"), "title"),
    "folder: it has a subject": (FOLDER, (PDSM,), without("subject"), "subject"),
    "folder: it has a date": (FOLDER, (PDSM,), without("date"), "date"),
    "folder: it holds something": (FOLDER, (PDSM,), without("entry"), "entry"),
    "folder: no source": (FOLDER, ALL, having(source={"display": "x"}), "source"),
    "folder: no encounter": (FOLDER, ALL, having(encounter={"display": "x"}), "encounter"),
    "folder: no order": (FOLDER, ALL, having(orderedBy=CONCEPT), "orderedBy"),
    "folder: one note": (FOLDER, ALL, having(note=[{"text": "a"}, {"text": "b"}]), "note"),
    "folder: no flag": (FOLDER, ALL, having_at("entry", flag=CONCEPT), "entry.flag"),
    "folder: nothing empty for a reason": (
        FOLDER,
        ALL,
        lambda one: (one.pop("entry"), one.update(emptyReason=CONCEPT)),
        "emptyReason|entry",
    ),
    "folder: it holds documents alone": (
        FOLDER,
        ALL,
        more("entry", {"item": {"reference": make.SET_URL}}),
        "entry",
    ),
    "folder: one uniqueId": (
        FOLDER,
        ALL,
        having(identifier=[identifier("uniqueId", f"urn:oid:1.2.{n}") for n in (7, 8)]),
        "identifier",
    ),
    "folder: the entryUUID is a UUID": (
        FOLDER,
        ALL,
        having(identifier=[identifier("entryUUID", "urn:oid:1.2.7")]),
        "identifier",
    ),
    # the DocumentReference
    "document: it has a masterIdentifier": (DOCUMENT, ALL, without("masterIdentifier"), "masterIdentifier"),
    "document: masterIdentifier.type": (DOCUMENT, MHD, without("masterIdentifier.type"), "masterIdentifier.type"),
    "document: masterIdentifier.system": (DOCUMENT, ALL, without("masterIdentifier.system"), "masterIdentifier.system"),
    "document: masterIdentifier.value": (DOCUMENT, ALL, without("masterIdentifier.value"), "masterIdentifier.value"),
    "document: one entryUUID": (
        DOCUMENT,
        ALL,
        having(identifier=[identifier("entryUUID", f"urn:uuid:{n}") for n in (1, 2)]),
        "identifier",
    ),
    "document: the entryUUID is a UUID": (
        DOCUMENT,
        ALL,
        having(identifier=[identifier("entryUUID", "urn:oid:1.2.7")]),
        "identifier",
    ),
    "document: it is not in error": (DOCUMENT, ALL, having(status="entered-in-error"), "status"),
    "document: no docStatus": (DOCUMENT, ALL, having(docStatus="final"), "docStatus"),
    "document: a type": (DOCUMENT, WITH_METADATA, without("type"), "type"),
    "document: a category": (DOCUMENT, WITH_METADATA, without("category"), "category"),
    "document: one category": (DOCUMENT, ALL, more("category", CONCEPT), "category"),
    "document: a subject": (DOCUMENT, WITH_METADATA, without("subject"), "subject"),
    "document: a label": (DOCUMENT, WITH_METADATA, without("securityLabel"), "securityLabel"),
    "document: one content": (
        DOCUMENT,
        ALL,
        lambda one: one["content"].append({"attachment": make.attachment()}),
        "content",
    ),
    "document: no data": (DOCUMENT, ALL, having_at("content.attachment", data="AAAA"), "content.attachment.data"),
    "document: a language": (
        DOCUMENT,
        WITH_METADATA,
        without("content.attachment.language"),
        "content.attachment.language",
    ),
    "document: a creation": (
        DOCUMENT,
        WITH_METADATA,
        without("content.attachment.creation"),
        "content.attachment.creation",
    ),
    "document: a format": (DOCUMENT, WITH_METADATA, without("content.format"), "content.format"),
    "document: a facility": (DOCUMENT, WITH_METADATA, without("context.facilityType"), "context.facilityType"),
    "document: a setting": (DOCUMENT, WITH_METADATA, without("context.practiceSetting"), "context.practiceSetting"),
    "document: a source": (DOCUMENT, WITH_METADATA, without("context.sourcePatientInfo"), "context.sourcePatientInfo"),
    "document: no modifier": (
        DOCUMENT,
        ALL,
        having(modifierExtension=[{"url": "urn:x", "valueCode": "x"}]),
        "modifierExtension",
    ),
    "document: one homeCommunityId": (
        DOCUMENT,
        ALL,
        lambda one: [extended(s.MHD_HOME_COMMUNITY, valueOid="urn:oid:1.2")(one) for _ in "12"],
        f"extension('{s.MHD_HOME_COMMUNITY}')",
    ),
    "document: its author is contained": (DOCUMENT, (COMPREHENSIVE,), having(author=[ELSEWHERE]), "author"),
    "document: its authenticator is contained": (
        DOCUMENT,
        (COMPREHENSIVE,),
        having(authenticator=ELSEWHERE),
        "authenticator",
    ),
    "document: its source is contained": (
        DOCUMENT,
        (COMPREHENSIVE,),
        having_at("context", sourcePatientInfo={"identifier": {"system": "urn:x", "value": "1"}}),
        "context.sourcePatientInfo",
    ),
    "document: an author": (DOCUMENT, (PDSM,), without("author"), "author"),
    "document: a date": (DOCUMENT, (PDSM,), without("date"), "date"),
    "document: a title": (DOCUMENT, (PDSM,), without("content.attachment.title"), "content.attachment.title"),
    "document: a size": (DOCUMENT, (PDSM,), without("content.attachment.size"), "content.attachment.size"),
    "document: a hash": (DOCUMENT, (PDSM,), without("content.attachment.hash"), "content.attachment.hash"),
    "document: the start of its act": (DOCUMENT, (PDSM,), without("context.period"), "context.period.start"),
    "document: archived or not": (
        DOCUMENT,
        ALL,
        lambda one: [extended(s.PDSM_IS_ARCHIVED, valueBoolean=True)(one) for _ in "12"],
        f"extension('{s.PDSM_IS_ARCHIVED}')",
    ),
    "document: its author is of a type of FHIR": (
        DOCUMENT,
        ALL,
        having(author=[{"reference": "Location/1"}]),
        "author[0]|author",
    ),
    "document: its authenticator is no patient": (
        DOCUMENT,
        ALL,
        having(authenticator={"reference": "#patient"}),
        "authenticator",
    ),
    "document: its custodian is an organisation": (
        DOCUMENT,
        ALL,
        having(custodian={"reference": "https://other.example/fhir/Practitioner/1"}),
        "custodian",
    ),
    "document: what it relates to is a document": (
        DOCUMENT,
        ALL,
        having(relatesTo=[{"code": "appends", "target": {"reference": "Binary/1"}}]),
        "relatesTo[0].target",
    ),
    "document: its encounter is one": (
        DOCUMENT,
        ALL,
        having_at("context", encounter=[{"reference": "Patient/1"}]),
        "context.encounter[0]",
    ),
}


def places(name: str) -> list[str]:
    """Where a broken rule is told: of two that break together, either."""
    index, _, _, paths = RULES[name]
    return [f"Bundle.entry[{index}].resource.{path}" for path in paths.split("|")]


@pytest.mark.parametrize("level", LEVELS, ids=lambda url: url.rpartition("/")[2])
def test_a_bundle_may_keep_every_rule(level: str) -> None:
    assert read_submission(make.bundle(*base(), profile=level), INTAKE).folders


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("level", LEVELS, ids=lambda url: url.rpartition("/")[2])
def test_a_rule_is_of_its_levels_alone(name: str, level: str) -> None:
    index, levels, change, _ = RULES[name]
    entries = base()
    change(entries[index]["resource"])
    bundle = make.bundle(*entries, profile=level)

    if level not in levels:
        assert read_submission(bundle, INTAKE).documents
        return
    with pytest.raises(Invalid) as refused:
        read_submission(bundle, INTAKE)
    assert refused.value.code == "invalid-resource"
    assert refused.value.expression in places(name)


PUBLISHED = {
    profile.url: profile
    for profile in mhd_profiles.PUBLISHED.values()
    if profile.url.startswith("https://profiles.ihe.net") and "SimplifiedPublish" not in profile.url
}
INHERENT = {"status", "mode", "code", "content", "content.attachment", "entry.item", "extension", "context"}
"""What the schema or the kind of an entry makes sure of, or a rule for what is inside does."""


@pytest.mark.skipif(not PROFILES.exists(), reason="the profiles of IHE are not here")
@pytest.mark.parametrize("url", PUBLISHED)
def test_the_cardinalities_are_those_that_ihe_publishes(url: str) -> None:
    profile = PUBLISHED[url]

    assert set(required(profile)) == set(profile.required)
    assert set(forbidden(profile)) == set(profile.forbidden)


def required(profile: Profile) -> Iterator[str]:
    for path, element in published(profile):
        if element.get("min", 0) > 0 and path not in INHERENT:
            yield path


def forbidden(profile: Profile) -> Iterator[str]:
    for path, element in published(profile):
        if element.get("max") == "0" and path != "modifierExtension":
            yield path


def published(profile: Profile) -> Iterator[tuple[str, Json]]:
    """The constrained elements of the snapshot, slices aside."""
    definition = json.loads((PROFILES / f"StructureDefinition-{profile.url.rpartition('/')[2]}.json").read_text())
    for element in definition["snapshot"]["element"]:
        path = element["path"].partition(".")[2]
        is_deep = path.count(".") > 0 and path.split(".")[0] not in {"content", "context", "entry"}
        if path and ":" not in element["id"] and not is_deep:
            yield path, element

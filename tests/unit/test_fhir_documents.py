"""ITI-105, PATCH of metadata, and what a CDA adds to a DocumentReference."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dmp.domain.clinical_document import (
    STRUCTURED_BODY,
    CdaAuthor,
    ClinicalDocumentHeader,
    RelatedDocument,
    Relation,
)
from dmp.domain.document import Coding, DocumentStatus, Metadata, Visibility
from dmp.domain.errors import DmpError, Invalid, Malformed, NotAllowed, UnsupportedMedia
from dmp.domain.identifiers import Identifier, structure
from dmp.domain.submission import Publication
from dmp.fhir import systems as s
from dmp.fhir.document_patch import read_document_patch
from dmp.fhir.document_reference import Intake
from dmp.fhir.document_rendering import render_binary, render_document
from dmp.fhir.publication import read_simplified_publish
from tests import fhir_factories as make
from tests.fhir_validity import assert_valid_r4

INTAKE = Intake(now=make.NOW, structure=structure("1750100125"))
CDA = b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'
JSON_PATCH, FHIR_JSON = "application/json-patch+json", "application/fhir+json"


def published(**changes: Any) -> Metadata:
    return read_simplified_publish(make.publication(**changes), INTAKE).document.metadata


def refused(**changes: Any) -> Invalid:
    with pytest.raises(Invalid) as error:
        read_simplified_publish(make.publication(**changes), INTAKE)
    return error.value


def header(**changes: Any) -> ClinicalDocumentHeader:
    author = CdaAuthor(
        identifier=Identifier(make.PS, make.RPPS),
        family="DURAND",
        given="Anne",
        specialty=None,
        organization=None,
        organization_name="",
    )
    complete = ClinicalDocumentHeader(
        patient_ids=(Identifier(make.INS_SYSTEM, make.INS),),
        patient=None,
        unique_id="urn:oid:1.2.3^45",
        set_id="urn:oid:1.2.3^44",
        version=2,
        type=Coding(s.LOINC, "34133-9", "Synthèse"),
        title="Synthèse d'épisode",
        effective_time=datetime(2026, 6, 12, 8, 0, tzinfo=UTC),
        authors=(author,),
        legal_authenticator=None,
        custodian=Identifier(make.STRUCTURE, "1690012345"),
        custodian_name="Clinique",
        confidentiality=Coding(s.CONFIDENTIALITY, "N"),
        language="fr-FR",
        service_start=datetime(2026, 6, 10, 8, 0, tzinfo=UTC),
        service_end=datetime(2026, 6, 12, 8, 0, tzinfo=UTC),
        facility=Coding("urn:oid:1.2.250.1.71.4.2.4", "SA01", "Hôpital"),
        practice_setting=Coding("urn:oid:1.2.250.1.213.1.1.4.9", "ETABLISSEMENT"),
        events=(),
        related=(RelatedDocument(Relation.REPLACES, "urn:oid:1.2.3^43"),),
        template_ids=(),
        body_media_type=STRUCTURED_BODY,
        format=Coding("urn:oid:1.2.250.1.213.1.1.4.2.282", "urn:asip:ci-sis:2012"),
    )
    return replace(complete, **changes)


def cda_published(found: ClinicalDocumentHeader, **changes: Any) -> Publication:
    file = {"contentType": "text/xml", "data": make.binary(CDA)["data"]}
    bare = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": make.patient_reference(),
        "content": [{"attachment": make.merged(file, changes.pop("file", {}))}],
    }
    intake = replace(INTAKE, read_header=lambda _: found)
    return read_simplified_publish(make.merged(bare, changes), intake)


def test_a_simplified_publication_is_read() -> None:
    publication = read_simplified_publish(make.publication(), INTAKE)

    assert publication.subject.ins == Identifier(make.INS_SYSTEM, make.INS)
    assert publication.document.content == make.TEXT
    assert publication.document.metadata.size == len(make.TEXT)


def test_what_is_stored_holds_neither_bytes_nor_address() -> None:
    stored: Any = published().resource

    assert stored["content"][0]["attachment"].keys() & {"data", "url"} == set()


def test_a_publication_without_bytes_announces_them() -> None:
    file = {"contentType": "text/plain", "size": 3, "hash": make.sha1(b"abc"), "title": "x"}

    document = read_simplified_publish(make.publication(content=[{"attachment": file}]), INTAKE).document

    assert (document.is_upload, document.content, document.size) == (True, b"", 3)
    assert (document.sha1, document.sha256) == (make.sha1(b"abc"), "")
    assert "meta" not in document.metadata.resource


def test_a_publication_that_neither_brings_nor_announces_bytes_is_refused() -> None:
    file = {"contentType": "text/plain", "title": "x"}

    assert refused(content=[{"attachment": file}]).code == "content-missing"


@pytest.mark.parametrize(
    ("file", "code"), [({"hash": make.sha1(b"x")}, "hash-mismatch"), ({"size": 1}, "size-mismatch")]
)
def test_a_hash_and_a_size_that_are_given_are_verified(file: make.Json, code: str) -> None:
    complete = {"contentType": "text/plain", "data": make.binary()["data"], "title": "x", **file}

    assert refused(content=[{"attachment": complete}]).code == code


def test_a_publication_needs_a_patient() -> None:
    assert refused(subject=None).expression == "DocumentReference.subject"


def test_a_missing_date_is_now() -> None:
    resource = make.publication(date=None, meta=None)

    assert read_simplified_publish(resource, INTAKE).document.metadata.date == make.NOW


def test_a_cda_fills_what_is_left_out() -> None:
    publication = cda_published(header())

    metadata = publication.document.metadata
    resource: Any = metadata.resource
    assert metadata.master_identifier == Identifier("urn:oid:1.2.3", "45")
    assert metadata.type == Coding(s.LOINC, "34133-9", "Synthèse")
    assert metadata.title == resource["description"] == "Synthèse d'épisode"
    assert metadata.created == metadata.date == datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
    assert metadata.authors == (Identifier(make.PS, make.RPPS),)
    assert resource["custodian"]["identifier"]["value"] == "1690012345"
    assert resource["context"]["facilityType"]["coding"][0]["code"] == "SA01"


def test_a_cda_names_its_patients_and_predecessors_without_replacing_them() -> None:
    document = cda_published(header()).document

    resource: Any = document.metadata.resource
    assert document.content_patients == {Identifier(make.INS_SYSTEM, make.INS)}
    assert document.predecessors == (Identifier("urn:oid:1.2.3", "43"),)
    assert document.metadata.replaces == ()
    assert resource["relatesTo"][0]["target"]["identifier"] == {"system": "urn:oid:1.2.3", "value": "43"}


def test_what_a_cda_filled_in_is_valid_fhir() -> None:
    resource = cda_published(header()).document.metadata.resource

    assert_valid_r4(
        render_document(resource, id="r.d", version=1, updated=make.NOW, base_url="https://dmp.example/fhir")
    )


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"masterIdentifier": {"system": s.URI, "value": "urn:oid:9.9"}}, "masterIdentifier"),
        ({"type": make.concept(s.LOINC, "11488-4")}, "type"),
        ({"file": {"creation": "2025-01-01"}}, "content[0].attachment.creation"),
    ],
)
def test_a_cda_that_contradicts_its_metadata_is_refused(changes: make.Json, place: str) -> None:
    with pytest.raises(Invalid) as error:
        cda_published(header(), **changes)

    assert (error.value.code, error.value.expression) == ("metadata-mismatch", f"DocumentReference.{place}")


@pytest.mark.parametrize(
    "changes",
    [
        {"masterIdentifier": {"system": s.URI, "value": "urn:oid:1.2.3^45"}},
        {"masterIdentifier": {"system": "urn:oid:1.2.3", "value": "45"}},
        {"type": make.concept("urn:oid:2.16.840.1.113883.6.1", "34133-9")},
        {"file": {"creation": "2026-06-12"}},
        {"file": {"title": "Un autre titre"}},
    ],
)
def test_a_cda_that_says_the_same_in_other_words_is_accepted(changes: make.Json) -> None:
    assert cda_published(header(), **changes).document.metadata.type is not None


def test_an_empty_header_adds_nothing() -> None:
    bare = header(unique_id="", type=None, title="", effective_time=None, authors=(), custodian=None, related=())

    with pytest.raises(Invalid):
        cda_published(bare, masterIdentifier=None)


def revised(resource: Mapping[str, object], body: bytes, content_type: str) -> Metadata:
    return read_document_patch(body, content_type).revise(resource)


def patched(*operations: make.Json, **stored: Any) -> Metadata:
    resource = json.loads(json.dumps(published(**stored).resource))
    return revised(resource, make.as_bytes(list(operations)), JSON_PATCH)


def labels(metadata: Metadata) -> list[str]:
    stored: Any = metadata.resource["securityLabel"]
    return [label["coding"][0]["code"] for label in stored]


MASK = make.concept(s.VISIBILITY, "MASQUE_PS")
ARCHIVED = {"url": s.PDSM_IS_ARCHIVED, "valueBoolean": True}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/securityLabel/-", "value": MASK},
        {"op": "add", "path": "/securityLabel/0", "value": MASK},
        {"op": "replace", "path": "/securityLabel/0", "value": MASK},
        {"op": "replace", "path": "/securityLabel", "value": [MASK]},
        {"op": "replace", "path": "/securityLabel/0/coding/0/code", "value": "MASQUE_PS"},
    ],
)
def test_every_form_of_masking_masks(operation: make.Json) -> None:
    metadata = patched(operation)

    assert metadata.visibility == {Visibility.MASQUE_PS}
    assert labels(metadata) == ["N", "MASQUE_PS"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/securityLabel/1"},
        {"op": "remove", "path": "/securityLabel"},
        {"op": "replace", "path": "/securityLabel", "value": [make.concept(s.CONFIDENTIALITY, "N")]},
        {"op": "replace", "path": "/securityLabel/0", "value": make.concept(s.CONFIDENTIALITY, "N")},
    ],
)
def test_every_form_of_unmasking_unmasks(operation: make.Json) -> None:
    metadata = patched(operation, securityLabel=[MASK])

    assert metadata.visibility == frozenset()
    assert labels(metadata) == ["N"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/extension/-", "value": ARCHIVED},
        {"op": "add", "path": "/extension", "value": [ARCHIVED]},
        {"op": "replace", "path": f"/extension[url:'{s.PDSM_IS_ARCHIVED}']/valueBoolean", "value": True},
        {"op": "add", "path": f'/extension[url:"{s.PDSM_IS_ARCHIVED}"]/valueBoolean', "value": True},
    ],
)
def test_every_form_of_archiving_archives(operation: make.Json) -> None:
    assert patched(operation).is_archived


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/extension/0/valueBoolean", "value": False},
        {"op": "remove", "path": "/extension/0"},
        {"op": "replace", "path": f'/extension[url:"{s.PDSM_IS_ARCHIVED}"]/valueBoolean', "value": False},
    ],
)
def test_archiving_is_taken_back(operation: make.Json) -> None:
    assert not patched(operation, extension=[ARCHIVED]).is_archived


def test_a_status_is_changed() -> None:
    metadata = patched({"op": "replace", "path": "/status", "value": "entered-in-error"})

    assert metadata.status is DocumentStatus.ENTERED_IN_ERROR


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/description", "value": "x"},
        {"op": "replace", "path": "/type", "value": MASK},
        {"op": "remove", "path": "/status"},
        {"op": "move", "path": "/status", "from": "/description"},
        {"op": "add", "path": "/extension/-", "value": {"url": "http://other", "valueString": "x"}},
        {"op": "replace", "path": '/extension[url:"http://other"]/valueBoolean', "value": True},
        {"op": "replace", "path": "/", "value": "x"},
        {"op": "add", "path": "/subject/reference", "value": "Patient/x"},
    ],
)
def test_other_elements_cannot_be_patched(operation: make.Json) -> None:
    with pytest.raises(NotAllowed):
        read_document_patch(make.as_bytes([operation]), JSON_PATCH)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/extension/0/valueString", "value": "y"},
        {"op": "remove", "path": "/extension/0"},
        {"op": "replace", "path": "/extension/0", "value": ARCHIVED},
    ],
)
def test_another_extension_cannot_be_patched(operation: make.Json) -> None:
    with pytest.raises(NotAllowed):
        patched(operation, extension=[{"url": "http://other", "valueString": "x"}])


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "replace", "path": "/status", "value": "final"}, Invalid),
        ({"op": "replace", "path": "/status", "value": ["current"]}, Invalid),
        ({"op": "remove", "path": "/securityLabel/9"}, Invalid),
        ({"op": "remove", "path": "/securityLabel/-"}, Invalid),
        ({"op": "add", "path": "/securityLabel/x", "value": MASK}, Invalid),
        ({"op": "add", "path": "/securityLabel/-", "value": "MASQUE_PS"}, Invalid),
        ({"op": "add", "path": "/securityLabel/-", "value": make.concept(s.VISIBILITY, "MASQUE")}, Invalid),
        ({"op": "add", "path": "/extension/-", "value": {"url": s.PDSM_IS_ARCHIVED, "valueString": "x"}}, Invalid),
        ({"op": "test", "path": "/status", "value": "superseded"}, Invalid),
        ({"op": "add", "path": "/securityLabel/-"}, Malformed),
        ({"op": "add", "path": "securityLabel", "value": MASK}, Malformed),
        ({"op": "sing", "path": "/status", "value": "x"}, Malformed),
        ({"path": "/status", "value": "x"}, Malformed),
        ("replace", Malformed),
    ],
)
def test_a_patch_that_makes_no_sense_is_refused(operation: Any, error: type[DmpError]) -> None:
    with pytest.raises(error):
        patched(operation)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"[", b"7"])
def test_a_body_that_is_no_json_patch_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_document_patch(body, JSON_PATCH)


def test_an_xml_patch_is_another_media_type() -> None:
    with pytest.raises(UnsupportedMedia):
        read_document_patch(b"<diff/>", "application/xml-patch+xml")


def fhirpath(*parts: make.Json) -> bytes:
    return make.as_bytes({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": list(parts)}]})


def part(name: str, kind: str, value: Any) -> make.Json:
    return {"name": name, kind: value}


@pytest.mark.parametrize(
    ("body", "stored", "visibility", "archived"),
    [
        (
            fhirpath(
                part("type", "valueCode", "add"),
                part("path", "valueString", "DocumentReference"),
                part("name", "valueString", "securityLabel"),
                part("value", "valueCodeableConcept", MASK),
            ),
            [],
            {Visibility.MASQUE_PS},
            False,
        ),
        (
            fhirpath(
                part("type", "valueCode", "delete"),
                part("path", "valueString", "DocumentReference.securityLabel.where(coding.code='MASQUE_PS')"),
            ),
            [MASK],
            set(),
            False,
        ),
        (
            fhirpath(
                part("type", "valueCode", "insert"),
                part("path", "valueString", "DocumentReference.securityLabel"),
                part("index", "valueInteger", 0),
                part("value", "valueCodeableConcept", MASK),
            ),
            [],
            {Visibility.MASQUE_PS},
            False,
        ),
        (
            fhirpath(
                part("type", "valueCode", "replace"),
                part("path", "valueString", f"DocumentReference.extension('{s.PDSM_IS_ARCHIVED}').value"),
                part("value", "valueBoolean", True),
            ),
            [],
            set(),
            True,
        ),
        (
            fhirpath(
                part("type", "valueCode", "add"),
                part("path", "valueString", "DocumentReference"),
                part("name", "valueString", "extension"),
                {
                    "name": "value",
                    "part": [part("url", "valueUri", s.PDSM_IS_ARCHIVED), part("value", "valueBoolean", True)],
                },
            ),
            [],
            set(),
            True,
        ),
    ],
)
def test_fhirpath_patches_do_the_same(
    body: bytes, stored: list[make.Json], visibility: set[Visibility], archived: bool
) -> None:
    resource = published(securityLabel=stored or None).resource

    metadata = revised(resource, body, FHIR_JSON)

    assert metadata.visibility == visibility
    assert metadata.is_archived == archived


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            fhirpath(part("type", "valueCode", "replace"), part("path", "valueString", "DocumentReference.type")),
            Malformed,
        ),
        (
            fhirpath(
                part("type", "valueCode", "replace"),
                part("path", "valueString", "DocumentReference.description"),
                part("value", "valueString", "x"),
            ),
            NotAllowed,
        ),
        (
            fhirpath(
                part("type", "valueCode", "delete"), part("path", "valueString", "DocumentReference.content.first()")
            ),
            NotAllowed,
        ),
        (
            fhirpath(part("type", "valueCode", "sing"), part("path", "valueString", "DocumentReference.status")),
            NotAllowed,
        ),
        (
            fhirpath(
                part("type", "valueCode", "replace"),
                part("path", "valueString", "Patient.status"),
                part("value", "valueCode", "x"),
            ),
            Invalid,
        ),
        (b'{"resourceType": "Parameters"}', Invalid),
        (b'{"resourceType": "Patient"}', Malformed),
    ],
)
def test_a_fhirpath_patch_that_is_not_ours_is_refused(body: bytes, error: type[DmpError]) -> None:
    with pytest.raises(error):
        revised(published().resource, body, FHIR_JSON)


def test_a_patch_leaves_the_stored_resource_alone() -> None:
    resource = published().resource
    before = copy.deepcopy(resource)

    revised(resource, make.as_bytes([{"op": "add", "path": "/securityLabel/-", "value": MASK}]), JSON_PATCH)

    assert resource == before


def test_a_binary_is_valid_fhir() -> None:
    assert_valid_r4(render_binary(b"abc", "text/plain", id="r.d"))


def test_a_date_far_from_that_of_the_cda_is_another_date() -> None:
    late = header(effective_time=make.NOW + timedelta(days=3))

    with pytest.raises(Invalid):
        cda_published(late, file={"creation": "2026-06-15T09:30:00Z"})

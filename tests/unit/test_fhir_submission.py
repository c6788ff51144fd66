"""ITI-65: what a bundle must be, whatever record it is for."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.document import ReplacesTarget, Visibility
from dmp.domain.errors import DmpError, Invalid, TooLarge
from dmp.domain.identifiers import Identifier, structure
from dmp.domain.submission import SUBJECT, EntryKind, Submission, SubmittedRelation, with_references
from dmp.fhir import systems as s
from dmp.fhir.document_reference import Intake
from dmp.fhir.document_rendering import render_document, render_list
from dmp.fhir.parsing import parse_resource
from dmp.fhir.submission import MAX_DOCUMENTS, read_submission
from tests import fhir_factories as make
from tests.fhir_validity import assert_valid_r4

BASE = "https://dmp.example/fhir"
INTAKE = Intake(now=make.NOW, base_url=BASE, structure=structure("1750100125"), structure_name="Hôpital")
EXAMPLES = Path(__file__).parents[3] / "shared" / "data"


def read(*entries: make.Json, **changes: Any) -> Submission:
    return read_submission(make.bundle(*entries, **changes), INTAKE)


def refused(*entries: make.Json, **changes: Any) -> Invalid:
    with pytest.raises(Invalid) as error:
        read(*entries, **changes)
    return error.value


def with_document(**changes: Any) -> list[make.Json]:
    return [
        make.entry(make.SET_URL, make.submission_set()),
        make.entry(make.DOCUMENT_URL, make.document_reference(**changes)),
        make.entry(make.BINARY_URL, make.binary()),
    ]


def everything() -> list[make.Json]:
    """The entries of a bundle with all that it may have: a Patient, a Folder, relations, patches."""
    known = f"{make.RECORD}.{'0' * 26}"
    targets = {"replaces": "a.b", "appends": known}
    relations = [{"code": c, "target": {"reference": f"DocumentReference/{one}"}} for c, one in targets.items()]
    signed = {"code": "signs", "target": {"identifier": {"system": "urn:x", "value": "1"}}}
    context = {
        **make.document_reference()["context"],
        "related": [{"reference": f"Binary/{known}"}],
        "encounter": [{"reference": "Encounter/1"}],
    }
    subject = {"reference": "urn:uuid:patient"}
    patient = make.entry("urn:uuid:patient", make.contained_patient(id=None), method="PUT", url="Patient")
    patient["request"]["ifNoneExist"] = f"identifier={make.INS_SYSTEM}|{make.INS}"
    folder = make.folder(make.DOCUMENT_URL, f"DocumentReference/{known}")
    entries = with_document(relatesTo=[*relations, signed], subject=subject, context=context)
    entries[0]["resource"]["subject"] = subject
    at = make.entry("https://a.example/List/f", folder, method="PUT", url=f"List/{known}")
    return [*entries, patient, at, make.superseding("DocumentReference?identifier=urn:x|2")]


def test_a_complete_bundle_becomes_a_submission() -> None:
    submission = read()

    (document,) = submission.documents
    assert submission.subject.ins == Identifier(make.INS_SYSTEM, make.INS)
    assert document.content == make.TEXT
    assert document.metadata.master_identifier == Identifier(s.URI, "urn:oid:1.2.3.4.5")
    assert document.metadata.authors == (Identifier(make.PS, make.RPPS),)
    assert document.metadata.source_patient == Identifier(make.INS_SYSTEM, make.INS)
    assert submission.submission_set is not None
    assert submission.submission_set.documents == (make.DOCUMENT_URL,)
    assert [ref.kind for ref in submission.order] == [
        EntryKind.SUBMISSION_SET,
        EntryKind.DOCUMENT,
        EntryKind.CONTENT,
    ]


@pytest.mark.parametrize("profile", [s.PDSM_PROVIDE, s.MHD_PROVIDE_MINIMAL, s.MHD_PROVIDE_COMPREHENSIVE])
def test_one_bundle_may_keep_every_level(profile: str) -> None:
    assert read(profile=profile).documents


@pytest.mark.parametrize("profile", [None, "http://example.org/other"])
def test_a_bundle_that_names_no_level_is_refused(profile: str | None) -> None:
    assert refused(profile=profile).expression == "Bundle.meta.profile"


@pytest.mark.parametrize("type_", ["batch", "document", "message"])
def test_a_bundle_of_another_type_is_refused(type_: str) -> None:
    assert refused(type=type_).expression == "Bundle.type"


@pytest.mark.parametrize(
    ("profile", "changes", "place"),
    [
        (s.MHD_PROVIDE_MINIMAL, {"masterIdentifier": None}, "masterIdentifier"),
        (
            s.MHD_PROVIDE_MINIMAL,
            {"masterIdentifier": {"system": s.URI, "value": "urn:oid:1.2"}},
            "masterIdentifier.type",
        ),
        (s.MHD_PROVIDE_MINIMAL, {"docStatus": "final"}, "docStatus"),
        (s.MHD_PROVIDE_COMPREHENSIVE, {"securityLabel": None}, "securityLabel"),
        (s.MHD_PROVIDE_COMPREHENSIVE, {"type": None}, "type"),
        (s.MHD_PROVIDE_COMPREHENSIVE, {"context": None}, "context.facilityType"),
        (s.MHD_PROVIDE_COMPREHENSIVE, {"author": [{"display": "Dr Durand"}]}, "author"),
        (s.PDSM_PROVIDE, {"date": None}, "date"),
        (s.PDSM_PROVIDE, {"author": None}, "author"),
        (s.PDSM_PROVIDE, {"file": make.attachment(hash=None)}, "content.attachment.hash"),
        (s.PDSM_PROVIDE, {"file": make.attachment(size=None)}, "content.attachment.size"),
        (s.PDSM_PROVIDE, {"file": make.attachment(title=None)}, "content.attachment.title"),
    ],
)
def test_the_level_that_is_named_is_checked(profile: str, changes: make.Json, place: str) -> None:
    error = refused(*with_document(**changes), profile=profile)

    assert error.code == "invalid-resource"
    assert error.expression == f"Bundle.entry[1].resource.{place}"


def test_the_minimal_level_needs_neither_type_nor_hash() -> None:
    file = {"contentType": "text/plain", "url": make.BINARY_URL}
    bare = with_document(file=file, type=None, category=None, author=None, context=None, contained=None)

    (document,) = read(*bare, profile=s.MHD_PROVIDE_MINIMAL).documents

    assert document.metadata.type is None
    assert document.metadata.sha1 == make.sha1(make.TEXT)


def test_pdsm_forgives_what_the_examples_of_the_dmp_leave_out() -> None:
    untyped = {"system": s.URI, "value": "urn:oid:1.2.3"}
    entries = with_document(custodian=None, masterIdentifier=untyped)
    entries[0]["resource"]["identifier"] = [untyped]

    (document,) = read(*entries).documents

    custodian = document.metadata.resource["custodian"]
    assert custodian == {
        "type": "Organization",
        "identifier": {"system": make.STRUCTURE, "value": "1750100125"},
        "display": "Hôpital",
    }


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"hash": make.sha1(b"other")}, "hash-mismatch", "hash"),
        ({"size": 3}, "size-mismatch", "size"),
        ({"contentType": "application/pdf"}, "content-mismatch", "contentType"),
        ({"url": "urn:uuid:nowhere"}, "unknown-reference", "url"),
        ({"url": "https://elsewhere.example/a.pdf"}, "unknown-reference", "url"),
    ],
)
def test_bytes_and_metadata_must_agree(change: make.Json, code: str, place: str) -> None:
    error = refused(*with_document(file=make.attachment(**change)))

    assert error.code == code
    assert error.expression == f"Bundle.entry[1].resource.content[0].attachment.{place}"


def test_a_type_that_is_not_of_the_bytes_is_refused() -> None:
    entries = with_document(file=make.attachment(contentType="application/pdf"))
    entries[2]["resource"]["contentType"] = "application/pdf"

    assert refused(*entries).code == "content-mismatch"


@pytest.mark.parametrize("data", [None, "not base64!"])
def test_a_binary_without_bytes_is_refused(data: str | None) -> None:
    entries = with_document()
    entries[2]["resource"] = make.merged(entries[2]["resource"], {"data": data})

    assert refused(*entries).expression == "Bundle.entry[2].resource.data"


def test_base64_broken_into_lines_is_read() -> None:
    entries = with_document()
    entries[2]["resource"]["data"] = base64.encodebytes(make.TEXT).decode()

    assert read(*entries).documents[0].content == make.TEXT


@pytest.mark.parametrize(
    ("position", "entry"),
    [
        (0, make.entry(make.SET_URL, {"resourceType": "Observation"})),
        (0, make.entry(make.SET_URL, make.submission_set(code=make.concept(s.MHD_LIST_TYPES, "other")))),
        (0, make.entry(make.SET_URL, make.folder())),
        (1, make.entry(make.DOCUMENT_URL, make.document_reference(), method="PUT")),
        (1, make.entry("", make.document_reference())),
        (2, make.entry(make.BINARY_URL, make.binary(), method="DELETE")),
        (2, make.entry("urn:uuid:other", make.binary())),
    ],
)
def test_an_entry_that_the_profile_has_no_place_for_is_refused(position: int, entry: make.Json) -> None:
    entries = with_document()
    entries[position] = entry

    assert refused(*entries).code in ("invalid-resource", "unknown-reference")


def test_a_fhir_document_is_not_accepted_yet() -> None:
    entries = [*with_document(), make.entry("urn:uuid:4", {"resourceType": "Bundle", "type": "document"})]

    assert refused(*entries).code == "unsupported-content"


def test_two_submission_sets_are_refused() -> None:
    entries = [*with_document(), make.entry("urn:uuid:other", make.submission_set())]

    assert refused(*entries).expression == "Bundle.entry"


def test_two_entries_with_one_full_url_are_refused() -> None:
    assert refused(*with_document(), make.entry(make.BINARY_URL, make.binary())).code == "duplicate-entry"


def test_the_submission_set_holds_every_document() -> None:
    entries = with_document()
    entries[0]["resource"]["entry"] = [{"item": {"reference": "DocumentReference/a"}}]

    assert refused(*entries).expression == "Bundle.entry[0].resource.entry"


def test_a_reference_to_no_entry_is_refused() -> None:
    entries = with_document(author=[{"reference": "urn:uuid:nobody"}])

    error = refused(*entries)

    assert (error.code, error.expression) == ("unknown-reference", "Bundle.entry[1].resource.author[0].reference")


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": f"Patient?identifier={make.INS_SYSTEM}|185032A00402129"},
        {"identifier": {"system": make.INS_SYSTEM, "value": "185032A00402129"}},
    ],
)
def test_two_patients_in_one_bundle_are_refused(subject: make.Json) -> None:
    assert refused(*with_document(subject=subject)).code == "wrong-patient"


def test_a_source_patient_of_another_record_is_refused() -> None:
    record, other = (f"Patient/{letter * 26}" for letter in "ab")
    entries = with_document(subject={"reference": record})
    entries[0]["resource"]["subject"] = {"reference": record}
    entries[1]["resource"]["context"]["sourcePatientInfo"] = {"reference": other}

    assert refused(*entries, profile=s.MHD_PROVIDE_MINIMAL).code == "wrong-patient"


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": f"Patient/{make.RECORD}"},
        {"reference": f"{BASE}/Patient/{make.RECORD}"},
        {"reference": f"Patient?identifier={make.INS_SYSTEM}%7C{make.INS}"},
        {"type": "Patient", "identifier": {"system": make.INS_SYSTEM, "value": make.INS}},
        {"reference": "#patient"},
    ],
)
def test_the_patient_may_be_named_in_every_way(subject: make.Json) -> None:
    submission = read(*with_document(subject=subject))

    assert submission.subject.ins == Identifier(make.INS_SYSTEM, make.INS)


def test_the_patient_may_be_an_entry_of_the_bundle() -> None:
    patient = make.entry("urn:uuid:patient", make.contained_patient(id=None))
    entries = with_document(subject={"reference": "urn:uuid:patient"})
    entries[0]["resource"]["subject"] = {"reference": "urn:uuid:patient"}

    submission = read(*entries, patient)

    assert submission.subject.ins == Identifier(make.INS_SYSTEM, make.INS)
    assert submission.order[-1].kind is EntryKind.PATIENT


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "https://other.example/fhir/Patient/1"},
        {"reference": "Patient?identifier=http://other|1"},
        {"display": "Mme X"},
        {"reference": "Group/1"},
    ],
)
def test_a_subject_that_nobody_knows_here_is_refused(subject: make.Json) -> None:
    error = refused(*with_document(subject=subject))

    assert (error.code, error.expression) == ("unknown-reference", "Bundle.entry[1].resource.subject")


def test_the_ins_never_stays_in_a_reference() -> None:
    author = {"reference": f"Patient?identifier={make.INS_SYSTEM}|{make.INS}"}
    entries = with_document(author=[author], contained=[make.contained_patient()])

    (document,) = read(*entries, profile=s.MHD_PROVIDE_MINIMAL).documents

    assert document.metadata.resource["subject"] == {"reference": SUBJECT}
    assert "Patient?identifier" not in json.dumps(document.metadata.resource)
    assert document.metadata.authors == (Identifier(make.INS_SYSTEM, make.INS),)


def test_the_class_follows_from_the_type() -> None:
    (document,) = read(*with_document(category=[make.concept(s.DOCUMENT_CLASS, "42")])).documents

    assert document.metadata.resource["category"] == [
        {"coding": [{"system": s.DOCUMENT_CLASS, "code": "10", "display": "Compte rendu"}]}
    ]


@pytest.mark.parametrize("system", [s.LOINC, "urn:oid:2.16.840.1.113883.6.1"])
def test_a_type_is_known_by_url_and_by_oid(system: str) -> None:
    (document,) = read(*with_document(type=make.concept(system, "11488-4"))).documents

    assert document.metadata.type is not None
    assert document.metadata.type.system == s.LOINC


def test_an_unknown_type_is_refused() -> None:
    error = refused(*with_document(type=make.concept(s.LOINC, "99999-9")))

    assert (error.code, error.expression) == ("unknown-code", "Bundle.entry[1].resource.type")


@pytest.mark.parametrize(
    ("labels", "codes", "visibility"),
    [
        ([make.concept(s.CONFIDENTIALITY, "N")], ["N"], set()),
        ([make.concept(s.VISIBILITY_MISSPELT, "N")], ["N"], set()),
        ([make.concept(s.VISIBILITY, "MASQUE_PS")], ["N", "MASQUE_PS"], {Visibility.MASQUE_PS}),
        ([make.concept(s.VISIBILITY_MISSPELT, "MASQUE_PS")], ["N", "MASQUE_PS"], {Visibility.MASQUE_PS}),
        ([make.concept("urn:oid:1.2.250.1.213.1.1.4.13", "MASQUE_PS")], ["N", "MASQUE_PS"], {Visibility.MASQUE_PS}),
        ([make.concept(s.ACT_CODE, "NOPAT")], ["N", "INVISIBLE_PATIENT"], {Visibility.INVISIBLE_PATIENT}),
        ([make.concept(s.CONFIDENTIALITY, "R")], ["N", "R"], set()),
    ],
)
def test_labels_become_normal_and_the_extra_codes(
    labels: list[make.Json], codes: list[str], visibility: set[Visibility]
) -> None:
    (document,) = read(*with_document(securityLabel=labels)).documents

    stored: Any = document.metadata.resource["securityLabel"]
    assert [label["coding"][0]["code"] for label in stored] == codes
    assert document.metadata.visibility == visibility


def test_a_misspelt_mask_is_refused_rather_than_lost() -> None:
    error = refused(*with_document(securityLabel=[make.concept(s.VISIBILITY, "MASQUE-PS")]))

    assert error.code == "unknown-code"


def test_a_status_with_blanks_is_forgiven_and_another_one_refused() -> None:
    assert read(*with_document(status="current ")).documents
    assert refused(*with_document(status="superseded")).expression == "Bundle.entry[1].resource.status"


def test_what_replaces_names_its_target() -> None:
    relation = {"code": "replaces", "target": {"reference": f"{BASE}/DocumentReference/a.b"}}
    entries = [*with_document(relatesTo=[relation]), make.superseding("DocumentReference/a.b")]

    submission = read(*entries)

    assert submission.documents[0].metadata.replaces == (ReplacesTarget("a.b"),)
    assert [patch.target for patch in submission.patches] == [ReplacesTarget("a.b")]


def test_what_replaces_may_name_an_identifier() -> None:
    relation = {"code": "replaces", "target": {"reference": "DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:9"}}

    (document,) = read(*with_document(relatesTo=[relation])).documents

    assert document.metadata.replaces == (ReplacesTarget(identifier=Identifier(s.URI, "urn:oid:9")),)


def test_a_patch_of_anything_but_superseded_is_refused() -> None:
    patch = make.superseding("DocumentReference/a.b")
    patch["resource"]["parameter"][0]["part"][2]["valueCode"] = "entered-in-error"

    assert refused(*with_document(), patch).expression == "Bundle.entry[3].resource.parameter"


def test_a_folder_holds_documents_of_the_bundle_and_of_the_record() -> None:
    held = f"{make.RECORD}.{'0' * 26}"
    entries = [*with_document(), make.entry("urn:uuid:f", make.folder(make.DOCUMENT_URL, f"DocumentReference/{held}"))]

    (folder,) = read(*entries).folders

    place = "Bundle.entry[3].resource.entry[1].item"
    assert folder.documents == (make.DOCUMENT_URL,)
    assert folder.existing == (SubmittedRelation(ReplacesTarget(held), place),)
    assert not folder.updates


def test_more_than_thirty_documents_are_too_many() -> None:
    urls = [f"urn:uuid:document-{n}" for n in range(MAX_DOCUMENTS + 1)]
    documents = [make.entry(url, make.document_reference()) for url in urls]
    first = make.entry(make.SET_URL, make.submission_set(*urls))

    with pytest.raises(TooLarge):
        read(first, *documents, make.entry(make.BINARY_URL, make.binary()))


def test_more_than_three_mebibytes_inline_are_too_many() -> None:
    content = b"a" * (3 * 1024 * 1024 + 1)
    entries = with_document(file=make.attachment(content))
    entries[2]["resource"] = make.binary(content)

    with pytest.raises(TooLarge):
        read(*entries)


def test_what_only_the_server_decides_is_not_kept() -> None:
    meta = {"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "profile": [s.PDSM_DOCUMENT, "http://other"]}

    (document,) = read(*with_document(id="mine", meta=meta)).documents

    assert "id" not in document.metadata.resource
    assert document.metadata.resource["meta"] == {"profile": [s.PDSM_DOCUMENT]}


def test_a_profile_that_the_stored_resource_breaks_is_not_kept() -> None:
    entries = with_document(meta={"profile": [s.MHD_DOCUMENT_COMPREHENSIVE]}, securityLabel=None, type=None)

    (document,) = read(*entries, profile=s.MHD_PROVIDE_MINIMAL).documents

    assert "meta" not in document.metadata.resource


def test_contained_resources_that_lost_their_reference_are_dropped() -> None:
    entries = with_document(subject={"reference": "#patient"}, context=None)

    (document,) = read(*entries, profile=s.MHD_PROVIDE_MINIMAL).documents

    contained: Any = document.metadata.resource["contained"]
    assert [one["id"] for one in contained] == ["author"]


def test_a_submitted_document_is_rendered_as_valid_fhir() -> None:
    submission = read()

    rendered = render_document(
        with_references(submission.documents[0].metadata.resource, {SUBJECT: f"Patient/{make.RECORD}"}),
        id=f"{make.RECORD}.x",
        version=1,
        updated=make.NOW,
        base_url=BASE,
    )

    assert_valid_r4(rendered)
    assert rendered["content"][0]["attachment"]["url"] == f"{BASE}/Binary/{make.RECORD}.x"
    assert rendered["subject"] == {"reference": f"Patient/{make.RECORD}"}


def test_a_submission_set_is_rendered_with_what_may_be_seen() -> None:
    submission = read()
    assert submission.submission_set is not None

    rendered = render_list(
        submission.submission_set.resource, id=f"{make.RECORD}.l", version=1, updated=make.NOW, documents=["a.b"]
    )

    assert_valid_r4(rendered)
    assert rendered["entry"] == [{"item": {"reference": "DocumentReference/a.b"}}]


@pytest.mark.parametrize(
    "junk",
    [None, 7, True, "x", "urn:uuid:x", [], {}, ["x"], [{}], {"reference": 5}, {"coding": "x"}, "Patient?identifier=|"],
    ids=repr,
)
def test_junk_at_any_place_of_a_bundle_is_refused_or_harmless(junk: Any) -> None:
    whole = make.bundle(*everything())
    assert read_submission(whole, INTAKE).patches
    unlike_ours = []

    for broken in make.spoilt(whole, junk):
        try:
            read_submission(parse_resource(make.as_bytes(broken), "Bundle"), INTAKE)
        except DmpError as error:
            place = error.expression or "Bundle"
            unlike_ours += [place] if not place.startswith(("Bundle", "resourceType")) else []

    assert unlike_ours == []


@pytest.mark.parametrize(
    "path",
    sorted([*EXAMPLES.glob("pdsm/generated/Bundle*.json"), *EXAMPLES.glob("ihe/MHD/examples/Bundle-ex-comp*.json")]),
    ids=lambda path: path.name,
)
def test_official_bundles_are_read(path: Path) -> None:
    body = json.loads(path.read_text())
    if any(entry["resource"]["resourceType"] == "Bundle" for entry in body["entry"]):
        pytest.skip("documents that are FHIR Bundles are not accepted yet")

    if path.name.endswith("BundleReplace.json"):
        body["entry"][2]["resource"]["content"][0]["attachment"]["size"] = 23  # IHE counts one byte too many

    assert read_submission(body, INTAKE).documents

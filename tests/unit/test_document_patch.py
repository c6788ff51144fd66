"""PATCH of a DocumentReference in the forms that software sends (TD3.3a to TD3.3d, FHIRPath Patch, JSON Patch)."""

import json
from typing import Any

import pytest

from dmp.domain.document import DocumentStatus, Metadata, Visibility
from dmp.domain.errors import DmpError, Invalid, Malformed, NotAllowed, UnsupportedMedia
from dmp.fhir import systems as s
from dmp.fhir.document_patch import read_document_patch
from tests import fhir_factories as make
from tests.unit.test_fhir_documents import published

type Json = dict[str, Any]

FHIR_JSON, JSON_PATCH = "application/fhir+json", "application/json-patch+json"
MASK = make.concept(s.VISIBILITY, "MASQUE_PS")
HIDE = make.concept(s.VISIBILITY, "INVISIBLE_PATIENT")
ARCHIVED = {"url": s.PDSM_IS_ARCHIVED, "valueBoolean": True}
ARCHIVED_PARTS = [{"name": "url", "valueUri": s.PDSM_IS_ARCHIVED}, {"name": "value", "valueBoolean": True}]
FLAG = f"DocumentReference.extension.where(url='{s.PDSM_IS_ARCHIVED}')"
MASKED, SHOWN = frozenset({Visibility.MASQUE_PS}), frozenset[Visibility]()


def operation(kind: str, path: str, value: Json | None = None, **parts: Any) -> Json:
    """An operation of a FHIRPath Patch; `value` is a value[x], or the parts of one."""
    told = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    told += [
        {"name": name, "valueInteger" if isinstance(one, int) else "valueString": one} for name, one in parts.items()
    ]
    return {"name": "operation", "part": [*told, *([{"name": "value", **value}] if value else [])]}


def fhirpath(*operations: Json, **stored: Any) -> Metadata:
    return patched({"resourceType": "Parameters", "parameter": list(operations)}, FHIR_JSON, **stored)


def patched(body: Any, content_type: str = JSON_PATCH, **stored: Any) -> Metadata:
    resource = json.loads(json.dumps(published(**stored).resource))
    return read_document_patch(make.as_bytes(body), content_type).revise(resource)


def labels(metadata: Metadata) -> list[str]:
    stored: Any = metadata.resource["securityLabel"]
    return [label["coding"][0]["code"] for label in stored]


@pytest.mark.parametrize(
    "one",
    [
        operation("add", "DocumentReference", {"valueCodeableConcept": MASK}, name="securityLabel"),
        operation("add", "DocumentReference.securityLabel", {"valueCodeableConcept": MASK}),
        operation("insert", "DocumentReference.securityLabel", {"valueCodeableConcept": MASK}, index=1),
        operation("replace", "DocumentReference.securityLabel", {"valueCodeableConcept": MASK}),
        operation("replace", "DocumentReference.securityLabel[0]", {"valueCodeableConcept": MASK}),
        operation("replace", "DocumentReference.securityLabel.first()", {"valueCodeableConcept": MASK}),
        operation("replace", "securityLabel[0].coding[0].code", {"valueCode": "MASQUE_PS"}),
    ],
)
def test_a_document_is_masked(one: Json) -> None:
    metadata = fhirpath(one)

    assert (metadata.visibility, labels(metadata)) == (MASKED, ["N", "MASQUE_PS"])


@pytest.mark.parametrize(
    "condition",
    [
        "coding.code='MASQUE_PS'",
        'coding.code = "MASQUE_PS"',
        "coding.where(code='MASQUE_PS').exists()",
        f"coding.where(system='{s.VISIBILITY}' and code='MASQUE_PS').exists()",
        "coding.exists(code = 'MASQUE_PS')",
        "coding.first().code = 'MASQUE_PS'",
        f"coding[0].system = '{s.VISIBILITY}' and coding[0].code = 'MASQUE_PS'",
    ],
)
@pytest.mark.parametrize("tail", ["", "[0]", ".first()"])
def test_a_mask_is_found_by_its_code_and_taken_away(condition: str, tail: str) -> None:
    one = operation("delete", f"DocumentReference.securityLabel.where({condition}){tail}")

    metadata = fhirpath(one, securityLabel=[MASK, HIDE])

    assert metadata.visibility == {Visibility.INVISIBLE_PATIENT}


@pytest.mark.parametrize(
    "path",
    [
        "DocumentReference.securityLabel[1]",
        "DocumentReference.securityLabel",
        "DocumentReference.securityLabel.coding.where(code='MASQUE_PS')",
        "securityLabel.where(coding.code='MASQUE_PS')",
    ],
)
def test_a_mask_is_taken_away(path: str) -> None:
    assert fhirpath(operation("delete", path), securityLabel=[MASK]).visibility == SHOWN


@pytest.mark.parametrize(
    "path",
    ["DocumentReference.securityLabel[7]", "DocumentReference.securityLabel.where(coding.code='MASQUE_PS')", FLAG],
)
def test_what_is_not_there_is_deleted_without_complaint(path: str) -> None:
    metadata = fhirpath(operation("delete", path), securityLabel=[HIDE])

    assert metadata.visibility == {Visibility.INVISIBLE_PATIENT}


def test_labels_that_change_places_say_the_same() -> None:
    moved = fhirpath(
        operation("move", "DocumentReference.securityLabel", source=1, destination=0), securityLabel=[MASK]
    )
    copied = patched([{"op": "copy", "from": "/securityLabel/1", "path": "/securityLabel/-"}], securityLabel=[MASK])

    assert (moved.visibility, labels(moved)) == (MASKED, ["N", "MASQUE_PS"])
    assert (copied.visibility, labels(copied)) == (MASKED, ["N", "MASQUE_PS"])


@pytest.mark.parametrize(
    "one",
    [
        operation("add", "DocumentReference", {"part": ARCHIVED_PARTS}, name="extension"),
        operation("insert", "DocumentReference.extension", {"part": ARCHIVED_PARTS}, index=0),
        operation("replace", f"{FLAG}.value", {"valueBoolean": True}),
        operation("replace", f"{FLAG}.valueBoolean", {"valueBoolean": True}),
        operation("replace", f"{FLAG}.value.ofType(boolean)", {"valueBoolean": True}),
        operation("replace", f"{FLAG}.first().value", {"valueBoolean": True}),
        operation("replace", f"DocumentReference.extension('{s.PDSM_IS_ARCHIVED}').value", {"valueBoolean": True}),
        operation("replace", FLAG, {"part": ARCHIVED_PARTS}),
        operation("add", FLAG, {"valueBoolean": True}, name="value"),
    ],
)
@pytest.mark.parametrize("before", [None, [{**ARCHIVED, "valueBoolean": False}]])
def test_a_document_is_archived_whatever_it_was(one: Json, before: list[Json] | None) -> None:
    metadata = fhirpath(one, extension=before)

    assert metadata.is_archived
    assert metadata.resource["extension"] == [ARCHIVED]


@pytest.mark.parametrize(
    "path", [FLAG, f"{FLAG}.value", "DocumentReference.extension[0]", "DocumentReference.extension"]
)
def test_a_document_is_taken_out_of_the_archive(path: str) -> None:
    assert not fhirpath(operation("delete", path), extension=[ARCHIVED]).is_archived


@pytest.mark.parametrize(
    "path", [f"/extension[url:'{s.PDSM_IS_ARCHIVED}']", f"/extension[url='{s.PDSM_IS_ARCHIVED}']/valueBoolean"]
)
@pytest.mark.parametrize("op", ["add", "replace"])
def test_the_path_of_the_draft_is_understood(path: str, op: str) -> None:
    assert patched([{"op": op, "path": path, "value": True}]).is_archived
    assert patched([{"op": op, "path": path, "value": ARCHIVED}]).is_archived


def test_archiving_twice_is_archiving_once() -> None:
    metadata = patched([{"op": "add", "path": "/extension/-", "value": ARCHIVED}], extension=[ARCHIVED])

    assert metadata.resource["extension"] == [ARCHIVED]


def test_a_test_of_the_archive_passes_or_fails() -> None:
    path = f"/extension[url:'{s.PDSM_IS_ARCHIVED}']/valueBoolean"

    assert patched([{"op": "test", "path": path, "value": True}], extension=[ARCHIVED]).is_archived
    with pytest.raises(Invalid):
        patched([{"op": "test", "path": path, "value": False}], extension=[ARCHIVED])


@pytest.mark.parametrize(
    "one",
    [
        operation("replace", "DocumentReference.status", {"valueCode": "superseded"}),
        operation("replace", "status", {"valueCode": "superseded"}),
        operation("replace", "DocumentReference.status", {"valueString": "superseded "}),
        operation("add", "DocumentReference", {"valueCode": "superseded"}, name="status"),
    ],
)
def test_a_status_is_changed(one: Json) -> None:
    assert fhirpath(one).status is DocumentStatus.SUPERSEDED


def test_several_operations_are_one_change() -> None:
    metadata = fhirpath(
        operation("add", "DocumentReference", {"valueCodeableConcept": MASK}, name="securityLabel"),
        operation("replace", f"{FLAG}.value", {"valueBoolean": True}),
        operation("replace", "DocumentReference.status", {"valueCode": "superseded"}),
    )

    assert (metadata.visibility, metadata.is_archived, metadata.status) == (MASKED, True, DocumentStatus.SUPERSEDED)


def test_parameters_may_come_as_plain_json() -> None:
    one = operation("replace", "DocumentReference.status", {"valueCode": "superseded"})
    sent = {"resourceType": "Parameters", "parameter": [one]}

    assert patched(sent, "application/json; charset=utf-8").status is DocumentStatus.SUPERSEDED


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/fhir+json", "application/xml-patch+xml", "application/fhir+xml", ""],
)
def test_another_media_type_is_not_guessed_at(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia):
        patched([{"op": "replace", "path": "/status", "value": "superseded"}], content_type)


@pytest.mark.parametrize(
    "one",
    [
        operation("replace", "DocumentReference.description", {"valueString": "x"}),
        operation("delete", "DocumentReference.status"),
        operation("delete", "DocumentReference.content[0]"),
        operation("delete", "DocumentReference"),
        operation("delete", "DocumentReference.securityLabel.where(true)"),
        operation("delete", "DocumentReference.securityLabel.where(coding.code='a' or true)"),
        operation("add", "DocumentReference", {"valueString": "x"}, name="description"),
        operation("replace", "DocumentReference.extension.where(url='http://other').value", {"valueBoolean": True}),
        operation("move", "DocumentReference.identifier", source=0, destination=1),
        operation("move", "DocumentReference.status", source=0, destination=0),
        operation("upsert", "DocumentReference.status", {"valueCode": "superseded"}),
        operation("delete", "DocumentReference."),
    ],
)
def test_no_other_path_is_followed(one: Json) -> None:
    with pytest.raises(NotAllowed):
        fhirpath(one)


@pytest.mark.parametrize(
    ("one", "error"),
    [
        (operation("insert", "DocumentReference.securityLabel", {"valueCodeableConcept": MASK}), Malformed),
        (operation("insert", "DocumentReference.securityLabel", {"valueCodeableConcept": MASK}, index=9), Invalid),
        (operation("move", "DocumentReference.securityLabel", source=0), Malformed),
        (operation("move", "DocumentReference.securityLabel", source=9, destination=0), Invalid),
        (operation("replace", f"{FLAG}.value", {"valueString": "oui"}), Invalid),
        (operation("replace", "DocumentReference.securityLabel[9]", {"valueCodeableConcept": MASK}), Invalid),
        (operation("replace", "Binary.status", {"valueCode": "superseded"}), Invalid),
    ],
)
def test_an_operation_that_cannot_be_done_is_refused(one: Json, error: type[DmpError]) -> None:
    with pytest.raises(error):
        fhirpath(one)


@pytest.mark.parametrize(
    "one",
    [
        {"op": "move", "from": "/securityLabel/0", "path": "/extension/0"},
        {"op": "copy", "from": "/securityLabel", "path": "/securityLabel/-"},
        {"op": "copy", "from": "/securityLabel/0", "path": "/securityLabel/0/coding/0/extension"},
        {"op": "copy", "from": "/description", "path": "/status"},
        {"op": "move", "from": "/identifier/0", "path": "/identifier/1"},
    ],
)
def test_nothing_is_moved_out_of_its_list(one: Json) -> None:
    with pytest.raises(NotAllowed):
        patched([one])


@pytest.mark.parametrize(
    "one", [{"op": "move", "path": "/securityLabel/0"}, {"op": "copy", "from": 1, "path": "/status"}]
)
def test_a_move_names_whence(one: Json) -> None:
    with pytest.raises(Malformed):
        patched([one])

"""What the International Patient Summary asks of a document beyond FHIR R4, written from its profiles (1.1 and 2.0)."""

import re
from collections.abc import Iterator
from typing import Any

from dmp.fhir.narrative import is_safe
from tests.fhir_validity import assert_valid_r4

type Json = dict[str, Any]

LOINC = "http://loinc.org"
REQUIRED = {"11450-4", "48765-2", "10160-0"}
ENTRY_TYPES = {
    "104605-1": {"Flag", "DocumentReference"},
    "48765-2": {"AllergyIntolerance", "DocumentReference"},
    "10160-0": {"MedicationStatement", "MedicationRequest", "DocumentReference"},
    "11450-4": {"Condition", "DocumentReference"},
    "11348-0": {"Condition", "DocumentReference"},
    "47519-4": {"Procedure", "DocumentReference"},
    "11369-6": {"Immunization", "DocumentReference"},
    "30954-2": {"Observation", "DiagnosticReport", "DocumentReference"},
    "8716-3": {"Observation", "DocumentReference"},
    "29762-2": {"Observation", "DocumentReference"},
    "10157-6": {"FamilyMemberHistory"},
    "42348-3": {"Consent", "DocumentReference"},
    "contacts": {"RelatedPerson"},
    "85847-2": {"CareTeam"},
}
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def assert_summary(bundle: Json) -> None:
    """Fail with everything that is wrong with a document."""
    assert_valid_r4(bundle)
    found = [*_bundle_problems(bundle), *_composition_problems(bundle), *_reference_problems(bundle)]
    assert not found, "\n".join(found)


def sections(bundle: Json) -> dict[str, Json]:
    """The sections by their codes."""
    return {one["code"]["coding"][0]["code"]: one for one in bundle["entry"][0]["resource"]["section"]}


def resources(bundle: Json, kind: str) -> list[Json]:
    """The resources of a type."""
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def entries_of(bundle: Json, code: str) -> list[Json]:
    """The resources of a section, in its order; none where it is not there."""
    held = {one["fullUrl"]: one["resource"] for one in bundle["entry"]}
    return [held[one["reference"]] for one in sections(bundle).get(code, {}).get("entry", [])]


def _bundle_problems(bundle: Json) -> Iterator[str]:
    if bundle["type"] != "document" or "total" in bundle:
        yield "Bundle: a document has no total"
    if bundle["identifier"]["system"] != "urn:ietf:rfc:3986" or not _UUID.fullmatch(bundle["identifier"]["value"]):
        yield "Bundle.identifier: a urn:uuid"
    if "timestamp" not in bundle:
        yield "Bundle.timestamp: missing"
    if not all("fullUrl" in one for one in bundle["entry"]):
        yield "Bundle.entry.fullUrl: missing"
    if len({one["fullUrl"] for one in bundle["entry"]}) != len(bundle["entry"]):
        yield "Bundle.entry.fullUrl: twice"
    kinds = [one["resource"]["resourceType"] for one in bundle["entry"]]
    if kinds[0] != "Composition" or kinds.count("Composition") != 1 or kinds.count("Patient") != 1:
        yield "Bundle.entry: one Composition, first, and one Patient"


def _composition_problems(bundle: Json) -> Iterator[str]:
    composition = bundle["entry"][0]["resource"]
    if composition["type"]["coding"][0] != {"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}:
        yield "Composition.type: patient summary"
    if composition["status"] != "final" or not composition["title"] or not composition["author"]:
        yield "Composition: final, with title and author"
    held = {one["fullUrl"]: one["resource"] for one in bundle["entry"]}
    if held[composition["subject"]["reference"]]["resourceType"] != "Patient":
        yield "Composition.subject: the Patient of the document"
    codes = [one["code"]["coding"][0]["code"] for one in composition["section"]]
    if not set(codes) >= REQUIRED or len(codes) != len(set(codes)):
        yield f"Composition.section: {codes}"
    if "text" in composition and not is_safe(composition["text"]["div"]):
        yield "Composition.text: not safe"
    for section in composition["section"]:
        yield from _section_problems(section, held)


def _section_problems(section: Json, held: dict[str, Json]) -> Iterator[str]:
    code = section["code"]["coding"][0]["code"]
    if not section["title"] or not is_safe(section["text"]["div"]) or "section" in section:
        yield f"{code}: title, safe narrative, no sections within"
    if "<p" not in section["text"]["div"] and "<tr" not in section["text"]["div"]:
        yield f"{code}: nothing to read"
    if code in REQUIRED and ("entry" in section) == ("emptyReason" in section):
        yield f"{code}: ips-comp-1, entries or a reason why there are none"
    for entry in section.get("entry", []):
        kind = held[entry["reference"]]["resourceType"]
        if kind not in ENTRY_TYPES[code]:
            yield f"{code}: {kind} does not belong there"
    for resource in (held[one["reference"]] for one in section.get("entry", [])):
        yield from (f"{code}: {problem}" for problem in _resource_problems(resource))


def _resource_problems(resource: Json) -> Iterator[str]:
    kind, names = resource["resourceType"], {name.lstrip("_") for name in resource}
    for wanted, kinds in {"effective": {"MedicationStatement", "Observation"}, "performed": {"Procedure"}}.items():
        if kind in kinds and not any(name.startswith(wanted) for name in names):
            yield f"{kind}.{wanted}[x]: a value or a reason"
    if kind == "Observation" and not resource.get("performer"):
        yield "Observation.performer: somebody or a reason"
    if kind in {"AllergyIntolerance", "Condition", "Procedure"} and "code" not in resource:
        yield f"{kind}.code: missing"
    subject: Json = resource.get("subject") or resource.get("patient") or {}
    if kind not in {"DocumentReference", "Consent"} and "reference" not in subject:
        yield f"{kind}: about nobody"
    if "entered-in-error" in str(resource.get("status")) + str(resource.get("verificationStatus")):
        yield f"{kind}: entered in error"


def _reference_problems(bundle: Json) -> Iterator[str]:
    """Every reference leads to an entry of the document, every entry is led to from the Composition."""
    held = {one["fullUrl"]: one["resource"] for one in bundle["entry"]}
    for url, resource in held.items():
        contained = {f"#{one['id']}" for one in resource.get("contained", [])}
        known = contained | held.keys()
        yield from (f"{url}: {one} leads nowhere" for one in _references(resource) if one not in known)
    reached: set[str] = set()
    waiting: list[str] = [bundle["entry"][0]["fullUrl"]]
    while waiting:
        url = waiting.pop()
        if url in held and url not in reached:
            reached.add(url)
            waiting += _references(held[url])
    yield from (f"{url}: nothing leads there" for url in held.keys() - reached)


def _references(node: object) -> Iterator[str]:
    match node:
        case dict():
            if isinstance(node.get("reference"), str):
                yield node["reference"]
            for value in node.values():
                yield from _references(value)
        case list():
            for value in node:
                yield from _references(value)

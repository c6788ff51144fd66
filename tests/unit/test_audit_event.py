"""The AuditEvent of every kind of entry: valid R4, and of the shape its profile asks for (BALP 1.1.5, MHD 4.2.4)."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.identifiers import PSEUDONYM, RECORD, SERVICE, Identifier
from dmp.fhir.audit_event import render_audit_event
from tests.audit_factories import DOCUMENT, LOCAL, RECORD_ID, audit_entry
from tests.fhir_validity import assert_valid_r4

type Json = dict[str, Any]

BASE = "https://dmp.example/fhir"
PROFILES = Path(__file__).parents[3] / "shared" / "data" / "ihe"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit"
MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD"
LIST = f"List/{RECORD_ID}.{LOCAL}"
READ, CREATE, UPDATE, DELETE, EXECUTE = (
    AuditAction.READ,
    AuditAction.CREATE,
    AuditAction.UPDATE,
    AuditAction.DELETE,
    AuditAction.EXECUTE,
)
DOCUMENTS = (f"DocumentReference/{DOCUMENT}",)
QUERY = "patient=0123&status=current"
EXPECTED: list[tuple[Interaction, AuditAction, tuple[str, ...], str, str]] = [
    (Interaction.OPEN, CREATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientCreate"),
    (Interaction.CLOSE, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.REOPEN, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.STATUS, EXECUTE, (f"Patient/{RECORD_ID}",), QUERY, f"{BALP}.PatientQuery"),
    (Interaction.PROVIDE_BUNDLE, CREATE, (LIST, *DOCUMENTS), "", f"{MHD}.ProvideBundle.Audit.Recipient"),
    (Interaction.SIMPLIFIED_PUBLISH, CREATE, DOCUMENTS, "", f"{MHD}.SimplifiedPublish.Audit.Recipient"),
    (Interaction.FIND_LISTS, EXECUTE, (), QUERY, f"{MHD}.FindDocumentLists.Audit.Responder"),
    (Interaction.FIND_DOCUMENTS, EXECUTE, (), QUERY, f"{MHD}.FindDocumentReferences.Audit.Responder"),
    (Interaction.RETRIEVE, READ, (f"Binary/{DOCUMENT}",), "", f"{MHD}.RetrieveDocument.Audit.Responder"),
    (Interaction.CREATE, CREATE, (f"Consent/{DOCUMENT}",), "", f"{BALP}.PatientCreate"),
    (Interaction.READ, READ, DOCUMENTS, "", f"{BALP}.PatientRead"),
    (Interaction.VREAD, READ, DOCUMENTS, "", f"{BALP}.PatientRead"),
    (Interaction.HISTORY, READ, DOCUMENTS, "", f"{BALP}.PatientRead"),
    (Interaction.SEARCH, EXECUTE, (f"Patient/{RECORD_ID}",), QUERY, f"{BALP}.PatientQuery"),
    (Interaction.UPDATE, UPDATE, (f"Consent/{DOCUMENT}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.PATCH, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
    (Interaction.DELETE, DELETE, DOCUMENTS, "", f"{BALP}.PatientDelete"),
    (Interaction.EXPIRE, UPDATE, (f"Consent/{DOCUMENT}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.WARN, UPDATE, (f"Consent/{DOCUMENT}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.OPPOSE, CREATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientCreate"),
    (Interaction.LIFT_OPPOSITION, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.EMERGENCY, CREATE, (f"Consent/{DOCUMENT}",), "", f"{BALP}.PatientCreate"),
    (Interaction.ERASE, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.ERASED, DELETE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientDelete"),
    (Interaction.SUSPEND, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.RESUME, UPDATE, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientUpdate"),
    (Interaction.EVERYTHING, EXECUTE, (f"Patient/{RECORD_ID}",), QUERY, f"{BALP}.PatientQuery"),
    (Interaction.EXPORT, READ, (f"Patient/{RECORD_ID}/$export",), "", f"{BALP}.PatientRead"),
    (Interaction.EXPORTED, READ, (f"Patient/{RECORD_ID}/$export",), "", f"{BALP}.PatientRead"),
    (Interaction.EXPORT_FETCHED, READ, (f"Patient/{RECORD_ID}/$export",), "", f"{BALP}.PatientRead"),
    (Interaction.EXPORT_REMOVED, DELETE, (f"Patient/{RECORD_ID}/$export",), "", f"{BALP}.PatientDelete"),
    (Interaction.EXPLAIN, READ, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientRead"),
    (Interaction.PROOF, READ, (f"Patient/{RECORD_ID}",), "", f"{BALP}.PatientRead"),
    (Interaction.RELEASE, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
    (Interaction.SUBSCRIBE, CREATE, (f"Subscription/{DOCUMENT}",), "", f"{BALP}.PatientCreate"),
    (Interaction.GENERATE_METADATA, CREATE, DOCUMENTS, "", f"{MHD}.GenerateMetadata.Audit.Recipient"),
    (Interaction.UPLOAD_VERIFIED, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
    (Interaction.SCANNED, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
    (Interaction.UPLOAD_FAILED, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
    (Interaction.OPERATE, UPDATE, DOCUMENTS, "", f"{BALP}.PatientUpdate"),
]
every_interaction = pytest.mark.parametrize(
    ("interaction", "action", "what", "query", "profile"), EXPECTED, ids=[case[0].name for case in EXPECTED]
)


def rendered(**fields: Any) -> Json:
    event = render_audit_event(audit_entry(**fields), BASE)
    assert_valid_r4(event)
    return event


def agent(event: Json, code: str) -> Json:
    [found] = [one for one in event["agent"] if one["type"]["coding"][0]["code"] == code]
    return dict(found)


def references(event: Json) -> list[str]:
    return [one["what"]["reference"] for one in event["entity"] if "reference" in one.get("what", {})]


def test_every_interaction_is_tested() -> None:
    assert {case[0] for case in EXPECTED} == set(Interaction)


@every_interaction
def test_an_event_names_the_profile_it_conforms_to(
    interaction: Interaction, action: AuditAction, what: tuple[str, ...], query: str, profile: str
) -> None:
    event = rendered(interaction=interaction, action=action, what=what, query=query)

    assert event["meta"]["profile"] == [profile]
    assert event["action"] == action.value
    assert event["outcome"] == "0"


@pytest.mark.skipif(not PROFILES.is_dir(), reason="the published profiles are not here")
@every_interaction
def test_an_event_has_what_its_published_profile_asks_for(
    interaction: Interaction, action: AuditAction, what: tuple[str, ...], query: str, profile: str
) -> None:
    event = rendered(interaction=interaction, action=action, what=what, query=query)

    assert not broken(profile, event)


@pytest.mark.skipif(not PROFILES.is_dir(), reason="the published profiles are not here")
@pytest.mark.parametrize("left_out", ["subtype", "agent", "source", "entity"])
def test_the_check_against_published_profiles_sees_what_lacks(left_out: str) -> None:
    event = rendered(interaction=Interaction.RETRIEVE, what=(f"Binary/{DOCUMENT}",))

    if left_out == "source":
        event["entity"][1]["role"]["code"] = "4"
    else:
        event[left_out] = event[left_out][:1]

    assert broken(event["meta"]["profile"][0], event)


@pytest.mark.parametrize("interaction", list(Interaction))
def test_a_refusal_has_outcome_8_and_the_callers_identifier(interaction: Interaction) -> None:
    event = rendered(interaction=interaction, outcome=AuditOutcome.REFUSED, reason="blocked")

    [requesting] = [one for one in event["agent"] if one["requestor"]]
    assert event["outcome"] == "8"
    assert event["outcomeDesc"] == "Refus : professionnel ou structure bloqué par le patient."
    assert event["type"]["code"] == "110113"
    assert event["subtype"][0]["code"] == "AuthZ-Consent"
    assert requesting["who"]["identifier"] == {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810101234567"}
    assert agent(event, "authserver")["who"] == event["source"]["observer"]
    assert "profile" not in event["meta"]


def test_the_requesting_agent_has_name_profession_purpose_and_the_rule_that_decided() -> None:
    event = rendered()

    user = agent(event, "IRCP")
    assert user["who"]["display"] == user["name"] == "Alix MARTIN"
    assert [role["coding"][0]["code"] for role in user["role"]] == ["professional", "10"]
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert user["policy"] == ["https://interop.esante.gouv.fr/ig/fhir/dmp/policy/authorised"]


def test_the_structure_is_an_agent_of_its_own() -> None:
    event = rendered()

    organisation = agent(event, "PROV")
    assert not organisation["requestor"]
    assert organisation["who"]["identifier"]["value"] == "1750100125"
    assert organisation["who"]["display"] == "Cabinet du Parc"


def test_a_person_in_the_own_record_is_its_patient() -> None:
    event = rendered(actor=Identifier(RECORD, RECORD_ID), actor_name="", role="patient", structure=None, profession="")

    assert agent(event, "IRCP")["who"] == {"reference": f"Patient/{RECORD_ID}"}
    assert len(event["agent"]) == 3


def test_another_person_is_a_pseudonym() -> None:
    event = rendered(actor=Identifier(PSEUDONYM, "9f86d081"), role="other-person", structure=None, profession="")

    assert agent(event, "IRCP")["who"]["identifier"] == {"system": PSEUDONYM, "value": "9f86d081"}


def test_a_job_is_named_as_a_service() -> None:
    event = rendered(
        interaction=Interaction.EXPIRE, action=UPDATE, actor=Identifier(SERVICE, "consent-expiry"), purpose="HSYSADMIN"
    )

    assert agent(event, "AUT")["who"]["identifier"]["system"] == SERVICE


def test_the_entities_are_the_patient_the_document_the_consents_and_the_request_id() -> None:
    event = rendered()

    assert references(event) == [
        f"Patient/{RECORD_ID}",
        f"DocumentReference/{DOCUMENT}",
        f"Consent/{RECORD_ID}.{audit_entry().basis[0]}",
    ]
    [request] = [one for one in event["entity"] if one["type"]["code"] == "XrequestId"]
    assert request["what"]["identifier"]["value"] == "request-7"


def test_who_retrieved_the_bytes_is_found_by_the_document() -> None:
    event = rendered(interaction=Interaction.RETRIEVE, what=(f"Binary/{DOCUMENT}",))

    assert {f"Binary/{DOCUMENT}", f"DocumentReference/{DOCUMENT}"} <= set(references(event))


def test_a_query_is_kept_in_base64() -> None:
    event = rendered(interaction=Interaction.FIND_DOCUMENTS, action=EXECUTE, what=(), query="status=current&type=é")

    [query] = [one for one in event["entity"] if "query" in one]
    assert base64.b64decode(query["query"]).decode() == "status=current&type=é"


def test_an_operation_is_told_beside_the_resource_it_was_asked_of() -> None:
    event = rendered(what=(f"Patient/{RECORD_ID}/$attestation",))

    [data] = [one for one in event["entity"] if one["type"]["code"] == "2"]
    assert data["what"] == {"reference": f"Patient/{RECORD_ID}"}
    assert data["description"] == "$attestation"


def test_the_event_is_the_first_and_only_version_of_its_moment() -> None:
    event = rendered()

    assert event["id"] == f"{RECORD_ID}.{LOCAL}"
    assert event["meta"]["versionId"] == "1"
    assert event["meta"]["lastUpdated"] == event["recorded"] == "2026-03-02T12:00:00.123Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"what": ()},
        {"action": CREATE},
        {"interaction": Interaction.PROVIDE_BUNDLE, "action": CREATE},
        {"interaction": Interaction.SEARCH, "action": EXECUTE, "query": ""},
    ],
)
def test_an_event_that_falls_short_of_its_profile_does_not_name_it(fields: Json) -> None:
    assert "profile" not in rendered(**fields)["meta"]


def test_an_event_of_no_record_is_still_valid() -> None:
    event = rendered(record="", interaction=Interaction.STATUS, action=EXECUTE, what=(), basis=(), query="")

    assert event["id"] == LOCAL
    assert not [reference for reference in references(event) if reference.startswith("Patient")]


def test_an_event_of_no_record_names_the_profile_without_a_patient() -> None:
    event = rendered(record="", interaction=Interaction.STATUS, action=EXECUTE, what=(), basis=(), query="_count=2")

    assert event["meta"]["profile"] == [f"{BALP}.Query"]


def test_a_rule_without_a_text_is_told_by_its_code() -> None:
    assert rendered(reason="some-new-rule")["outcomeDesc"] == "some-new-rule"


def test_an_entry_of_the_year_9999_is_rendered() -> None:
    entry: AuditEntry = audit_entry(at=datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC))

    assert_valid_r4(render_audit_event(entry, BASE))


def elements_of(profile: str) -> list[tuple[str, Json]]:
    """The elements that a profile and those it is derived from constrain, the most general first."""
    definitions = {
        one["url"]: one for path in PROFILES.glob("*/profiles/*.json") for one in [json.loads(path.read_bytes())]
    }
    found: list[tuple[str, Json]] = []
    while profile in definitions:
        elements = definitions[profile]["differential"]["element"]
        found = [(element["id"], element) for element in elements] + found
        profile = definitions[profile]["baseDefinition"]
    return found


def broken(profile: str, event: Json) -> list[str]:
    """The cardinalities and patterns of a profile, its slices included, that an event breaks."""
    elements = elements_of(profile)
    patterns = {name: value for name, element in elements if (value := pattern_of(element)) is not None}
    problems = []
    for name, element in elements:
        path = name.removeprefix("AuditEvent").strip(".")
        for values in instances(path, event, patterns) if path else []:
            count, most = len(values), element.get("max", "*")
            if count < element.get("min", 0) or (most.isdigit() and count > int(most)):
                problems.append(f"{name}: {count} values")
            if name in patterns and ":" not in path.rpartition(".")[2]:
                problems += [f"{name}: pattern" for value in values if not has(value, patterns[name])]
    return problems


def pattern_of(element: Json) -> Any:
    return next((value for key, value in element.items() if key.startswith("pattern")), None)


def instances(path: str, event: Json, patterns: Json) -> list[list[Any]]:
    """The values of an element within each of its parents, slices told apart by their type."""
    parents: list[Any] = [event]
    steps, trail, groups = path.split("."), "AuditEvent", []
    for step in steps:
        name, _, slice_name = step.partition(":")
        trail = f"{trail}.{step}"
        groups = [children(parent, name) for parent in parents]
        if slice_name:
            groups = [[one for one in group if in_slice(one, trail, patterns)] for group in groups]
        parents = [one for group in groups for one in group]
    return groups


def children(parent: Any, name: str) -> list[Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, list) else [] if value is None else [value]


def in_slice(value: Json, trail: str, patterns: Json) -> bool:
    """A slice without a pattern of its own (agent:user, subtype:anyRead) is told apart by its value set."""
    if trail in patterns:
        return has(value, patterns[trail])
    if f"{trail}.type" in patterns:
        return has(value.get("type"), patterns[f"{trail}.type"])
    code = value["type"]["coding"][0]["code"] if "type" in value else value.get("code")
    return code in VALUE_SETS[trail.rpartition(":")[2]]


VALUE_SETS = {
    "user": {"AUT", "INF", "CST"},
    "anyRead": {"read", "vread"},
    "anySearch": {"search", "search-type", "search-system"},
    "anyUpdate": {"update", "patch"},
}


def has(value: Any, pattern: Any) -> bool:
    """Whether a value holds everything that a pattern fixes."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(has(value.get(key), wanted) for key, wanted in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(has(one, wanted) for one in value) for wanted in pattern)
    return bool(value == pattern)

"""The resources of the structured profile: every element of R4 is read, and what is read comes back as it was sent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.domain.document import Depositor, Visibility
from dmp.domain.identifiers import Identifier, professional, record_id, structure
from dmp.domain.measures import UNITS, is_measured_in
from dmp.domain.profile_request import changed, needed
from dmp.fhir import dosage, observation_model, profile_acts, profile_models
from dmp.fhir.datatypes import Element
from dmp.fhir.profile_reading import read_entry
from dmp.fhir.profile_rendering import render_entry, without_given
from tests import bodies, fhir_schema, profile_bodies
from tests.audit_factories import AT
from tests.profile_bodies import BODIES
from tests.requester_factories import requester_patient, requester_server

type Json = dict[str, Any]

RECORD = record_id(bytes(16))
DEFINITIONS: dict[type[Element], str] = {
    profile_models.AllergyIntolerance: "AllergyIntolerance",
    profile_models.AllergyReaction: "AllergyIntolerance_Reaction",
    profile_models.Condition: "Condition",
    profile_models.ConditionStage: "Condition_Stage",
    profile_models.ConditionEvidence: "Condition_Evidence",
    profile_models.Medication: "Medication",
    profile_models.Ingredient: "Medication_Ingredient",
    profile_models.Batch: "Medication_Batch",
    profile_models.MedicationStatement: "MedicationStatement",
    profile_acts.Immunization: "Immunization",
    profile_acts.ImmunizationPerformer: "Immunization_Performer",
    profile_acts.Education: "Immunization_Education",
    profile_acts.ImmunizationReaction: "Immunization_Reaction",
    profile_acts.Protocol: "Immunization_ProtocolApplied",
    profile_acts.Procedure: "Procedure",
    profile_acts.ProcedurePerformer: "Procedure_Performer",
    profile_acts.FocalDevice: "Procedure_FocalDevice",
    profile_acts.FamilyMemberHistory: "FamilyMemberHistory",
    profile_acts.FamilyCondition: "FamilyMemberHistory_Condition",
    observation_model.Observation: "Observation",
    observation_model.ObservationComponent: "Observation_Component",
    observation_model.ReferenceRange: "Observation_ReferenceRange",
    dosage.Dosage: "Dosage",
    dosage.DoseAndRate: "Dosage_DoseAndRate",
    dosage.Timing: "Timing",
    dosage.TimingRepeat: "Timing_Repeat",
    dosage.SampledData: "SampledData",
}
NOT_READ = {"implicitRules", "modifierExtension"}
"""What changes the meaning of a resource in a way that nothing here understands."""
DEPOSITORS = [
    Depositor(professional("810101234567"), structure("1750100125")),
    Depositor(None, structure("1750100125")),
    Depositor(Identifier.parse(bodies.qualified("279035121518989")), None),
]


@pytest.mark.parametrize("model", DEFINITIONS, ids=lambda model: model.__name__)
def test_every_element_of_r4_is_read_and_no_other(model: type[Element]) -> None:
    definitions = json.loads(fhir_schema.ensure().read_bytes())["definitions"]

    wanted = {name for name in definitions[DEFINITIONS[model]]["properties"] if not name.startswith("_")}

    assert {field.alias or name for name, field in model.model_fields.items()} == wanted - NOT_READ


@given(
    kind=st.sampled_from(ProfileKind),
    depositor=st.sampled_from(DEPOSITORS),
    is_secret=st.booleans(),
    is_by_patient=st.booleans(),
    visibility=st.frozensets(st.sampled_from(Visibility)),
    others=st.lists(st.sampled_from(["PSY", "ETH", "R"]), unique=True),
)
def test_what_is_read_and_sent_back_says_the_same(
    kind: ProfileKind,
    depositor: Depositor,
    is_secret: bool,
    is_by_patient: bool,
    visibility: frozenset[Visibility],
    others: list[str],
) -> None:
    labels = [{"system": f"{profile_bodies.HL7}/v3-ActCode", "code": code} for code in others]
    body = BODIES[kind](RECORD, meta={"security": [profile_bodies.NORMAL, *labels]})
    entry = ProfileEntry(
        record=RECORD,
        local="0" * 26,
        kind=kind,
        version=1,
        updated=AT,
        depositor=depositor,
        depositor_name="Alix MARTIN",
        is_by_patient=is_by_patient,
        is_secret=is_secret,
        visibility=visibility,
        resource=read_entry(body, kind).resource,
    )

    again = read_entry(render_entry(entry), kind)
    sent = replace(again, resource=without_given(entry, again.resource))
    following = changed(entry, sent, requester_server(), requester_patient().identifier, AT)

    assert list(needed(entry, following)) == []
    assert (following.visibility, following.depositor) == (visibility, depositor)


@given(code=st.sampled_from(sorted(UNITS)), note=st.from_regex(r"[a-z]{0,8}", fullmatch=True))
def test_an_annotation_changes_nothing_of_a_unit(code: str, note: str) -> None:
    assert all(is_measured_in(code, f"{{{note}}}{unit}") for unit in UNITS[code])
    assert not is_measured_in(code, f"{{{note}}}furlong")

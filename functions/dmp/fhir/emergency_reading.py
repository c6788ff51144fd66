"""The Parameters of `$emergency-access`: for whom, by which mode, for which reason (R.1111-48)."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.consent import EmergencyPurpose, PatientRef
from dmp.domain.emergency import LONGEST_REASON, Declaration
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import INS_SYSTEMS
from dmp.fhir.operation import OperationInput, place_of


def read_declaration(parameters: Mapping[str, Any]) -> Declaration:
    """Read mode and reason; raises Invalid (`missing-parameter`, `reason-required`, `invalid-parameter`)."""
    given = OperationInput(parameters)
    mode, reason = given.code("mode", EmergencyPurpose), given.text("reason")
    if not reason:
        raise Invalid("reason-required", place_of("reason"), "an emergency has a written reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid("invalid-parameter", place_of("reason"), f"at most {LONGEST_REASON} characters")
    return Declaration(mode, reason)


def read_person(parameters: Mapping[str, Any]) -> PatientRef:
    """Read the INS of the person, where the id of the record is not known; raises Invalid `ins-required`."""
    ins = OperationInput(parameters).identifier("identifier")
    if ins is None or ins.system not in INS_SYSTEMS:
        raise Invalid("ins-required", place_of("identifier"), "the INS of the person, with its system")
    return PatientRef(ins=ins)

"""OperationOutcome: the body of every failure, and the warning within a searchset."""

from collections.abc import Mapping, Sequence
from typing import Any

from dmp.fhir.systems import DMP_ERROR


def issue(
    severity: str,
    issue_type: str,
    code: str,
    text: str,
    expression: Sequence[str] = (),
    diagnostics: str | None = None,
) -> dict[str, Any]:
    """One issue: FHIR's severity and issue type, our code, a French sentence for a person, and the place."""
    details = {"coding": [{"system": DMP_ERROR, "code": code}], "text": text}
    content: dict[str, Any] = {"severity": severity, "code": issue_type, "details": details}
    if diagnostics:
        content["diagnostics"] = diagnostics
    if expression:
        content["expression"] = list(expression)
    return content


def operation_outcome(*issues: Mapping[str, Any]) -> dict[str, Any]:
    """The resource that holds these issues; FHIR wants at least one."""
    return {"resourceType": "OperationOutcome", "issue": [dict(one) for one in issues]}


def outcome(
    severity: str,
    issue_type: str,
    code: str,
    text: str,
    expression: Sequence[str] = (),
    diagnostics: str | None = None,
) -> dict[str, Any]:
    """An OperationOutcome of one issue."""
    return operation_outcome(issue(severity, issue_type, code, text, expression, diagnostics))

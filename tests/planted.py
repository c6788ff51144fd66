"""Dangerous edits of the templates, each with the rule that must not let it pass: what they are made with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]
type Templates = Mapping[str, Json]
"""The templates as they are written, by their path; an edit changes them in place."""

MAIN = "template.yaml"


@dataclass(frozen=True)
class Edit:
    """One dangerous edit, and the rule of ours that catches it."""

    make: Callable[[Templates], object]
    rule: str

    def __str__(self) -> str:
        return self.make.__name__


def planted(edits: list[Edit], rule: str) -> Callable[[Callable[[Templates], object]], Callable[[Templates], object]]:
    """Add a function to a list of edits, as one that this rule must catch."""

    def add(make: Callable[[Templates], object]) -> Callable[[Templates], object]:
        edits.append(Edit(make, rule))
        return make

    return add


def whole(templates: Templates, name: str, path: str = MAIN) -> Json:
    """The declaration of one resource."""
    declared: Json = templates[path]["Resources"][name]
    return declared


def properties(templates: Templates, name: str, path: str = MAIN) -> Json:
    """What one resource is to be like."""
    found: Json = whole(templates, name, path)["Properties"]
    return found


def grant(templates: Templates, role: str, action: str, resource: Any) -> None:
    """Give a role one permission more."""
    [policy, *_] = properties(templates, role)["Policies"]
    statement = {"Sid": "Planted", "Effect": "Allow", "Action": [action], "Resource": resource}
    policy["PolicyDocument"]["Statement"].append(statement)


def statement_of(templates: Templates, holder: str, sid: str) -> Json:
    """The statement of that name in the policy of a resource or the first of a role."""
    [found] = [each for each in policy_of(templates, holder)["Statement"] if each["Sid"] == sid]
    statement: Json = found
    return statement


def policy_of(templates: Templates, holder: str, path: str = MAIN) -> Json:
    """The policy that a resource is or has."""
    own = properties(templates, holder, path)
    [of_role, *_] = own.get("Policies", [None])
    found: Json = of_role or own.get("PolicyDocument") or own.get("KeyPolicy") or own["ResourcePolicy"]
    document: Json = found.get("PolicyDocument", found)
    return document


def permit(templates: Templates, holder: str, principal: Any, action: str) -> None:
    """Let somebody in by the policy of a resource."""
    statement = {"Sid": "Planted", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    policy_of(templates, holder)["Statement"].append(statement)


def strike(templates: Templates, holder: str, sid: str) -> None:
    """Take a statement out of the policy of a resource; ValueError where there is none of that name."""
    statements = policy_of(templates, holder)["Statement"]
    statements.remove(statement_of(templates, holder, sid))


def arn(name: str) -> Json:
    """The ARN of a resource of the template."""
    return {"Fn::GetAtt": [name, "Arn"]}

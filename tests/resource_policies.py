"""Judges the policies of keys, buckets, tables and secrets of template.yaml as IAM does, missing keys included."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from infra.checks.resolution import PSEUDO_PARAMETERS, Resolution
from infra.local.template import content

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
ACCOUNT = PSEUDO_PARAMETERS["AWS::AccountId"]

type Context = Mapping[str, Any]


def role(name: str) -> dict[str, str]:
    """What a request of a role of this account says of its caller."""
    return {
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "aws:PrincipalIsAWSService": "false",
        "kms:CallerAccount": ACCOUNT,
    }


SERVICE = {"aws:PrincipalIsAWSService": "true"}
ADMINISTRATOR = role("Administrator")
FUNCTION = role("dmp-ContentsRole-1A2B3C")


def denials(holder: str, action: str, context: Context, resource: str = "*", **parameters: str) -> set[str]:
    """The Sids of the statements of a resource's own policy, or of a part of it, that deny an action then."""
    return {
        each["Sid"]
        for each in _statements(holder, tuple(parameters.items()))
        if each["Effect"] == "Deny"
        and _speaks_of(each, action, resource)
        and _holds(each.get("Condition", {}), context)
    }


@cache
def _statements(holder: str, given: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    template = content(TEMPLATE)
    defaults = {name: each.get("Default", name) for name, each in template["Parameters"].items()}
    arns = {f"{name}.Arn": _arn(name) for name in template["Resources"]}
    resolution = Resolution(template, {**PSEUDO_PARAMETERS, **defaults, **arns, **dict(given)})
    name, *parts = holder.split(".")
    properties = resolution.value(template["Resources"][name]["Properties"])
    for part in parts:
        properties = properties[part]
    named = (properties.get(each) for each in ("KeyPolicy", "ResourcePolicy", "AccessPolicy"))
    policy = next(filter(None, named), properties)
    found: list[dict[str, Any]] = _plain(policy.get("PolicyDocument", policy)["Statement"])
    return found


def _arn(name: str) -> str:
    return f"arn:aws:test:::{name}"


def _plain(value: Any) -> Any:
    match value:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return _arn(name)
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value


def _speaks_of(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    wanted = (
        resource if resource == "*" else resource.replace(resource.partition("/")[0], _arn(resource.partition("/")[0]))
    )
    if not any(fnmatchcase(action, each) for each in _listed(statement["Action"])):
        return False
    if "NotResource" in statement:
        return not any(fnmatchcase(wanted, each) for each in _listed(statement["NotResource"]))
    return any(fnmatchcase(wanted, each) for each in _listed(statement["Resource"]))


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _compares(operator, _listed(values), context.get(key))
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _compares(operator: str, values: list[Any], found: Any) -> bool:
    """A missing key fits where the operator says IfExists, and where it denies a likeness."""
    if operator == "Null":
        return [str(found is None).lower()] == values
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    negated = "Not" in name
    if found is None:
        return if_exists or negated
    return negated != any(_OPERATORS[name.replace("Not", "")](str(found), str(each)) for each in values)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, value: found == value,
    "Bool": lambda found, value: found == value,
    "ArnLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "NumericLessThan": lambda found, value: float(found) < float(value),
    "NumericGreaterThan": lambda found, value: float(found) > float(value),
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

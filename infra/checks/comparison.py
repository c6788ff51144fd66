"""Whether what a template says is what is expected: one form for what CloudFormation and IAM write in several."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.checks.deployments import Deployment
from infra.checks.expected import Denial
from infra.checks.policies import Statement, listed, statements
from infra.checks.shapes import Shape


def text(expression: Any) -> str:
    """A name or ARN as it would stand in an Fn::Sub."""
    match expression:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [*path]}:
            return f"${{{'.'.join(path)}}}"
        case {"Fn::Sub": str(written)}:
            return written
        case str():
            return expression
    return json.dumps(expression, sort_keys=True)


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two conditions are the same; the order of values, and a parameter that is not given, do not count."""
    return _conditions(one) == _conditions(other)


def _conditions(written: Mapping[str, Any]) -> set[tuple[str, str, frozenset[str]]]:
    return {
        (operator, key, _texts(values)) for operator, compared in written.items() for key, values in compared.items()
    }


def _texts(values: Any) -> frozenset[str]:
    return frozenset(text(each) for each in listed(values) if each != "")


def missing(deployment: Deployment, denials: Iterable[Denial]) -> Iterator[str]:
    """The denials that no policy holds under just this condition, on just these resources."""
    held: dict[str, list[Statement]] = {}
    for each in statements(deployment):
        if not each.allows and each.principals == [("*", "*")]:
            held.setdefault(each.holder.id, []).append(each)
    there = {each.id for each in deployment.main.resources()}
    for denial in denials:
        if (not denial.where or denial.where in there) and not any(
            _denies(each, denial) for each in held.get(denial.holder, ())
        ):
            yield f"{denial.holder}: does not deny everybody {', '.join(denial.actions)} under {denial.condition}"


def _denies(statement: Statement, denial: Denial) -> bool:
    stack = statement.holder.stack
    resources, others = ("NotResource", "Resource") if denial.besides else ("Resource", "NotResource")
    return (
        set(statement.actions) >= set(denial.actions)
        and others not in statement.written
        and _texts(statement.written.get(resources)) == _texts(stack.given(denial.resources))
        and alike(statement.conditions, stack.given(denial.condition))
    )


def differing(deployment: Deployment, shapes: Iterable[Shape]) -> Iterator[str]:
    """Where a resource that is there is not of the shape that is expected."""
    for shape in shapes:
        for stack in deployment.stacks:
            if stack.name == shape.stack and shape.resource in stack.content["Resources"]:
                resource = stack.resource(shape.resource)
                found, wanted = _at(resource.properties, shape.path), stack.given(shape.value)
                if found != wanted:
                    yield f"{resource}: {'.'.join(map(str, shape.path))} is {found}, expected is {wanted}"


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value

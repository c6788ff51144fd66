"""What a deployment with given parameters makes of a template: conditions decided, functions of literals done."""

import re
from collections.abc import Callable, Mapping
from typing import Any

type Json = dict[str, Any]

PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-3",
    "AWS::StackName": "dmp",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
_IN_TEXT = re.compile(r"\$\{([^!}]+)\}")


class Resolution:
    """One template under one choice of parameters; what refers to a resource stays as it is."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        self._resources: Mapping[str, Any] = template["Resources"]
        self._parameters = parameters

    def template(self) -> Json:
        """The resources that would be there, as a template without parameters and conditions."""
        there = {name: each for name, each in self._resources.items() if self._is_there(each)}
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": {name: self._resource(each, there) for name, each in there.items()},
        }

    def holds(self, condition: Any) -> bool:
        """Whether a condition, named or written out, is true."""
        match condition:
            case str() as name:
                return self.holds(self._conditions[name])
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::And": several}:
                return all(map(self.holds, several))
            case {"Fn::Or": several}:
                return any(map(self.holds, several))
            case {"Fn::Equals": [one, other]}:
                return self._compared(one) == self._compared(other)
        raise ValueError(f"no condition: {condition}")

    def value(self, expression: Any) -> Any:
        """An expression with all that can be known of it put in."""
        match expression:
            case {"Ref": "AWS::NoValue"}:
                return NO_VALUE
            case {"Ref": str(name)}:
                return self._parameters.get(name, expression)
            case {"Fn::If": [condition, if_true, if_false]}:
                return self.value(if_true if self.holds(condition) else if_false)
            case dict() if len(expression) == 1 and (known := _FUNCTIONS.get(next(iter(expression)))):
                [(name, arguments)] = expression.items()
                result = known(self, self.value(arguments) if name != "Fn::Sub" else arguments)
                return {name: self.value(arguments)} if result is None else result
            case dict():
                return {name: each for name, value in expression.items() if (each := self.value(value)) is not NO_VALUE}
            case list():
                return [each for value in expression if (each := self.value(value)) is not NO_VALUE]
        return expression

    def _is_there(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self.holds(resource["Condition"])

    def _resource(self, resource: Mapping[str, Any], there: Mapping[str, Any]) -> Json:
        kept = {name: each for name, each in resource.items() if name not in {"Condition", "DependsOn"}}
        needed = (
            [resource["DependsOn"]] if isinstance(resource.get("DependsOn"), str) else resource.get("DependsOn", [])
        )
        resolved: Json = self.value(kept)
        return resolved | {"DependsOn": [name for name in needed if name in there]}

    def _compared(self, operand: Any) -> str:
        value = self.value(operand)
        if isinstance(value, dict) and value.get("Ref") in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[value["Ref"]]
        return str(value)

    def _sub(self, arguments: Any) -> Any:
        text, given = (arguments, {}) if isinstance(arguments, str) else arguments
        known = {**self._parameters, **{name: self.value(each) for name, each in given.items()}}
        told = _IN_TEXT.sub(lambda name: str(known[name[1]]) if _is_plain(known.get(name[1])) else name[0], text)
        if not _IN_TEXT.search(told):
            return told
        left = {name: known[name] for name in given if not _is_plain(known[name])}
        return {"Fn::Sub": [told, left] if left else told}

    def _find_in_map(self, arguments: Any) -> Any:
        name, first, second = (PSEUDO_PARAMETERS[each["Ref"]] if isinstance(each, dict) else each for each in arguments)
        return self._mappings[name][first][second]


def _join(_: Resolution, arguments: Any) -> Any:
    between, parts = arguments
    return between.join(map(str, parts)) if isinstance(parts, list) and all(map(_is_plain, parts)) else None


def _split(_: Resolution, arguments: Any) -> Any:
    between, text = arguments
    return text.split(between) if isinstance(text, str) else None


def _select(_: Resolution, arguments: Any) -> Any:
    index, values = arguments
    return values[int(index)] if isinstance(values, list) and int(index) < len(values) else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


_FUNCTIONS: dict[str, Callable[[Resolution, Any], Any]] = {
    "Fn::Sub": Resolution._sub,
    "Fn::FindInMap": Resolution._find_in_map,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
}

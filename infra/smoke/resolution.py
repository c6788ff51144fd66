"""What expressions of the template come to in one stack; what cannot be told of them stands for anything."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ANYTHING = "\0"
"""In the place of what is not known, in a text or alone."""
_NO_VALUE = object()
_IN_TEXT = re.compile(r"\$\{(!?)([^}]+)\}")
_ARNS = {
    "AWS::Backup::BackupVault": "arn:{partition}:backup:{region}:{account}:backup-vault:{id}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{id}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{id}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{id}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{id}:*",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{id}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{id}",
}
_STREAM = "StreamArn"
_OUTPUT = "Outputs."
_SAME_AS_ID = frozenset({"GroupId"})

type Json = dict[str, Any]


class Untold(ValueError):
    """What an expression comes to is not to be told, and nothing may stand for it."""


class Resolution:
    """The expressions of one template, with the parameters and resources of one stack."""

    def __init__(
        self,
        stack_id: str,
        parameters: Mapping[str, Any],
        conditions: Mapping[str, Any],
        resources: Mapping[str, tuple[str, str]],
    ) -> None:
        """`resources` are types and physical ids by logical id."""
        _, partition, _, region, account, name = stack_id.split(":", 5)
        self._here = {"partition": partition, "region": region, "account": account}
        self._known = {
            **{logical: physical for logical, (_, physical) in resources.items() if physical},
            **parameters,
            "AWS::AccountId": account,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": stack_id,
            "AWS::StackName": name.split("/")[1],
            "AWS::NoValue": _NO_VALUE,
        }
        self._conditions = conditions
        self._resources = resources

    def value(self, expression: Any) -> Any:
        """An expression with all that is known of it put in; lists and mappings without what has no value."""
        match expression:
            case {"Ref": str(name)}:
                return self._known.get(name, ANYTHING)
            case {"Fn::GetAtt": path}:
                return self._attribute(*(path.split(".", 1) if isinstance(path, str) else path))
            case {"Fn::If": [condition, if_true, if_false]}:
                return self.value(if_true if self.holds(condition) else if_false)
            case {"Fn::Sub": arguments}:
                return self._sub(*(arguments if isinstance(arguments, list) else [arguments]))
            case dict() if len(expression) == 1 and next(iter(expression)).startswith("Fn::"):
                [(name, arguments)] = expression.items()
                return _OF_VALUES.get(name, _unknown)(self.value(arguments))
            case dict():
                return {
                    name: each for name, value in expression.items() if (each := self.value(value)) is not _NO_VALUE
                }
            case list():
                return [each for each in map(self.value, expression) if each is not _NO_VALUE]
        return expression

    def holds(self, condition: Any) -> bool:
        """Whether a condition, named or written out, is true; Untold where that is not to be told."""
        match condition:
            case str() as name if name in self._conditions:
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
                texts = [str(self.value(each)) for each in (one, other)]
                if ANYTHING not in "".join(texts):
                    return texts[0] == texts[1]
        raise Untold(f"a condition that cannot be told: {condition}")

    def _attribute(self, logical: str, attribute: str) -> str:
        kind, physical = self._resources.get(logical, ("", ""))
        if attribute.startswith(_OUTPUT):
            return ANYTHING
        if attribute in _SAME_AS_ID:
            return physical or ANYTHING
        if not physical or not attribute.endswith("Arn"):
            return ANYTHING
        arn = physical if physical.startswith("arn:") else self._arn(kind, physical)
        return f"{arn}/stream/{ANYTHING}" if attribute == _STREAM else arn

    def _arn(self, kind: str, physical: str) -> str:
        last = physical.rpartition("/")[2] if kind == "AWS::SQS::Queue" else physical
        return _ARNS.get(kind, ANYTHING).format(**self._here, id=last)

    def _sub(self, text: str, given: Mapping[str, Any] | None = None) -> str:
        own = {name: self.value(each) for name, each in (given or {}).items()}

        def told(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(own[name])
            return str(self.value({"Fn::GetAtt": name} if "." in name else {"Ref": name}))

        return _IN_TEXT.sub(told, text)


def _join(arguments: Any) -> Any:
    between, parts = arguments
    return between.join(map(str, parts)) if isinstance(parts, list) else ANYTHING


def _split(arguments: Any) -> Any:
    between, text = arguments
    return ANYTHING if ANYTHING in text else text.split(between)


def _select(arguments: Any) -> Any:
    index, values = arguments
    if not str(index).isdigit():
        raise Untold("a choice by a number that is not known")
    return values[int(index)] if isinstance(values, list) and int(index) < len(values) else ANYTHING


def _unknown(_: Any) -> Any:
    return ANYTHING


_OF_VALUES: dict[str, Callable[[Any], Any]] = {"Fn::Join": _join, "Fn::Select": _select, "Fn::Split": _split}

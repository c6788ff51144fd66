"""Names and ARNs as AWS would give them, for what a template knows only by reference."""

import re
from typing import Any

from infra.checks.deployments import Resource, Stack
from infra.checks.resolution import PSEUDO_PARAMETERS

_HERE = "eu-west-3:123456789012"
_ARNS = {
    "AWS::Backup::BackupVault": f"arn:aws:backup:{_HERE}:backup-vault:{{}}",
    "AWS::CloudFront::Distribution": "arn:aws:cloudfront::123456789012:distribution/{}",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{_HERE}:alarm:{{}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{_HERE}:rule/{{}}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::123456789012:policy/{}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_HERE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{_HERE}:secret:{{}}",
}
_REFERRED_BY_ARN = {"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::SecretsManager::Secret"}


def plain(expression: Any, stack: Stack) -> Any:
    """An expression with a plausible text for each reference."""
    match expression:
        case {"Ref": str(name)}:
            return _reference(name, stack)
        case {"Fn::GetAtt": path}:
            return _attribute(path if isinstance(path, str) else ".".join(path), stack)
        case {"Fn::Sub": arguments}:
            text, given = (arguments, {}) if isinstance(arguments, str) else arguments
            known = {name: plain(value, stack) for name, value in given.items()}
            return re.sub(r"\$\{([^!}]+)\}", lambda found: known.get(found[1]) or _named(found[1], stack), text)
        case {"Fn::Join": [between, parts]}:
            return between.join(plain(parts, stack))
        case dict():
            return {name: plain(value, stack) for name, value in expression.items()}
        case list():
            return [plain(each, stack) for each in expression]
    return expression


def _named(path: str, stack: Stack) -> str:
    return _attribute(path, stack) if "." in path else _reference(path, stack)


def _reference(name: str, stack: Stack) -> str:
    if name in PSEUDO_PARAMETERS:
        return PSEUDO_PARAMETERS[name]
    resource = stack.resource(name)
    return arn(resource) if resource.whole["Type"] in _REFERRED_BY_ARN else name.lower()


def _attribute(path: str, stack: Stack) -> str:
    name, _, attribute = path.partition(".")
    resource = stack.resource(name)
    if attribute == "StreamArn":
        return f"{arn(resource)}/stream/label"
    return arn(resource) if attribute.endswith("Arn") else f"{name}.{attribute}".lower()


def arn(resource: Resource) -> str:
    """An ARN of the form that resources of its type have."""
    return _ARNS.get(resource.whole["Type"], f"arn:aws:service:{_HERE}:{{}}").format(resource.id.lower())

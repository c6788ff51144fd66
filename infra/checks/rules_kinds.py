"""What there may be at all: types of resources, properties that lead elsewhere, names of others, variables, outputs."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from infra.checks.deployments import ROOT, Deployment, Stack
from infra.checks.expected import EDGE, MAIN, NOBODYS_TO_PRESET, OFF_BY_DEFAULT, YEARS_OF_A_SEAL

type Path = tuple[str | int, ...]

KINDS: dict[str, set[str] | None] = {
    "AWS::ApiGatewayV2::Api": {"Body", "FailOnWarnings"},
    "AWS::ApiGatewayV2::ApiMapping": {"ApiId", "DomainName", "Stage"},
    "AWS::ApiGatewayV2::DomainName": {"DomainName", "DomainNameConfigurations", "MutualTlsAuthentication"},
    "AWS::ApiGatewayV2::Stage": None,
    "AWS::Backup::BackupPlan": None,
    "AWS::Backup::BackupSelection": None,
    "AWS::Backup::BackupVault": None,
    "AWS::CloudFormation::Stack": {"Parameters", "TemplateURL"},
    "AWS::CloudFront::Distribution": None,
    "AWS::CloudFront::ResponseHeadersPolicy": None,
    "AWS::CloudWatch::Alarm": None,
    "AWS::CloudWatch::Dashboard": None,
    "AWS::DynamoDB::Table": {
        "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
        "LocalSecondaryIndexes", "PointInTimeRecoverySpecification", "ResourcePolicy", "SSESpecification",
        "StreamSpecification", "TimeToLiveSpecification",
    },
    "AWS::EC2::SecurityGroup": {"GroupDescription", "SecurityGroupEgress", "VpcId"},
    "AWS::Events::Rule": None,
    "AWS::GuardDuty::MalwareProtectionPlan": None,
    "AWS::IAM::ManagedPolicy": None,
    "AWS::IAM::Role": {"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"},
    "AWS::KMS::Key": {
        "Description", "EnableKeyRotation", "KeyPolicy", "KeySpec", "KeyUsage", "MultiRegion", "PendingWindowInDays",
    },
    "AWS::Lambda::Alias": None,
    "AWS::Lambda::EventSourceMapping": None,
    "AWS::Lambda::Function": {
        "Architectures", "Code", "DeadLetterConfig", "Description", "Environment", "Handler", "KmsKeyArn",
        "LoggingConfig", "MemorySize", "ReservedConcurrentExecutions", "Role", "Runtime", "SnapStart", "Tags",
        "Timeout", "TracingConfig", "VpcConfig",
    },
    "AWS::Lambda::Permission": {"Action", "FunctionName", "Principal", "SourceArn"},
    "AWS::Lambda::Version": {"FunctionName"},
    "AWS::Logs::Delivery": None,
    "AWS::Logs::DeliveryDestination": None,
    "AWS::Logs::DeliverySource": None,
    "AWS::Logs::LogGroup": {"KmsKeyId", "LogGroupName", "RetentionInDays"},
    "AWS::Logs::ResourcePolicy": None,
    "AWS::S3::Bucket": {
        "BucketEncryption", "CorsConfiguration", "LifecycleConfiguration", "LoggingConfiguration",
        "NotificationConfiguration", "ObjectLockConfiguration", "ObjectLockEnabled", "OwnershipControls",
        "PublicAccessBlockConfiguration", "ReplicationConfiguration", "VersioningConfiguration",
    },
    "AWS::S3::BucketPolicy": None,
    "AWS::SNS::Subscription": {"Endpoint", "Protocol", "TopicArn"},
    "AWS::SNS::Topic": {"DisplayName", "KmsMasterKeyId"},
    "AWS::SNS::TopicPolicy": None,
    "AWS::SQS::Queue": None,
    "AWS::SQS::QueuePolicy": None,
    "AWS::Scheduler::Schedule": None,
    "AWS::SecretsManager::ResourcePolicy": None,
    "AWS::SecretsManager::Secret": {"Description", "GenerateSecretString", "KmsKeyId", "ReplicaRegions"},
    "AWS::WAFv2::LoggingConfiguration": None,
    "AWS::WAFv2::WebACL": None,
}  # fmt: skip
"""The types that there are, with their properties where another one could let data out or somebody in."""
HERE = "infra/checks/rules_kinds.py"
PACKAGE = {"S3Bucket": "packages", "S3Key": "functions.zip"}
"""What infra/checks/expansion.py puts in the place of functions/."""
FUNCTIONS = ROOT / "functions"
NOT_OF_SETTINGS = {"POWERTOOLS_SERVICE_NAME"}
OWN_BUCKETS = ("${AWS::StackName}-", "${ReplicaBucket}", "${SealsReplicaBucket}")
RESOLVED = {
    (MAIN, "Authorizer", "Environment", "Variables", "EDGE_SECRET"),
    (EDGE, "Distribution", "DistributionConfig", "Origins", 0, "OriginCustomHeaders", 0, "HeaderValue"),
}
"""Where alone a secret is read at deployment."""


def types_and_properties_are_known(deployment: Deployment) -> Iterator[str]:
    """There is no type of resource, and no property of one that holds data, which no rule looks at."""
    for resource in deployment.resources():
        kind = resource.whole["Type"]
        known = KINDS.get(kind, set())
        if kind not in KINDS:
            yield f"{resource}: no rule knows {kind}; judge what it opens, then add it to KINDS in {HERE}"
        elif known is not None and (others := set(resource.properties) - known):
            yield f"{resource}: no rule knows {sorted(others)}; judge them, then add them to KINDS in {HERE}"


def code_and_stacks_are_those_of_this_project(deployment: Deployment) -> Iterator[str]:
    """Functions run the code that is beside the template, and nested stacks are templates that the rules read."""
    for function in deployment.main.resources("AWS::Lambda::Function"):
        if function.properties.get("Code") != PACKAGE:
            yield f"{function}: runs {function.properties.get('Code')}"
    read = {each.name for each in deployment.stacks}
    for stack in deployment.resources("AWS::CloudFormation::Stack"):
        if stack.properties.get("TemplateURL") not in read:
            yield f"{stack}: {stack.properties.get('TemplateURL')} is read by no rule"


def nothing_of_other_accounts_is_named(deployment: Deployment) -> Iterator[str]:
    """No account stands in a template, and each ARN is of this account, or of a bucket that the operator names."""
    for path, value in _texts_of(deployment.written):
        if path[-1] == "AllowedPattern":
            continue
        if re.search(r"(?<!\d)\d{12}(?!\d)", value):
            yield f"{_told(path)}: names an account"
        for found in re.findall(r"arn:(?:\$\{[^}]+\}|[^\s\"'])+", value):
            if not _is_own(found):
                yield f"{_told(path)}: {found} is of another account, or of any"


def _is_own(written: str) -> bool:
    """Whether an ARN says this account where it says one."""
    parts = re.sub(r"\$\{[^}]+\}", lambda found: found[0].replace(":", "\0"), written).split(":", 5)
    if len(parts) < 6:
        return False
    service, account, name = parts[2], parts[4].replace("\0", ":"), parts[5].replace("\0", ":")
    if service == "s3":
        return not account and name.startswith(OWN_BUCKETS)
    # how the API names an integration; the function is a reference
    if service == "apigateway":
        return account == "lambda" and "/functions/${" in name
    return account == "${AWS::AccountId}"


def secrets_are_resolved_in_two_places(deployment: Deployment) -> Iterator[str]:
    """The edge and its authorizer alone are given a secret at deployment: no output, description or variable is."""
    for path, value in _texts_of(deployment.written):
        own = tuple(step for step in path if step not in {"Resources", "Properties"})
        known = path[1] == "Resources" and any(own[: len(each)] == each for each in RESOLVED)
        if ("{{" in re.sub(r"\$\{[^}]*\}", "", value) or "resolve:" in value) and not known:
            yield f"{_told(path)}: resolves a secret"


def variables_are_settings(deployment: Deployment) -> Iterator[str]:
    """Functions have the variables that their settings read, and none that turns a runtime or a library round."""
    known = _settings()
    for function in deployment.resources("AWS::Lambda::Function"):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        if others := sorted(set(variables) - known):
            yield f"{function}: {others} are no settings (functions/dmp/settings.py)"


@cache
def _settings() -> frozenset[str]:
    """The variables that the application itself reads, beside that of the library it logs with."""
    settings = (FUNCTIONS / "dmp/settings.py").read_text(encoding="utf-8")
    elsewhere = [path.read_text(encoding="utf-8") for path in FUNCTIONS.glob("*/*.py")]
    queues = re.findall(r'\b(?:queue|optional)\("([A-Z_]+)"', "\n".join(elsewhere))
    return frozenset({*re.findall(r'"([A-Z][A-Z_]+)"', settings), *queues, *NOT_OF_SETTINGS})


def trust_and_copies_are_the_operators_to_give(deployment: Deployment) -> Iterator[str]:
    """Whom the service trusts, and where copies go, is preset by nobody; what opens something is off by default."""
    for stack in deployment.written:
        if stack.name == MAIN:
            parameters = stack.content["Parameters"]
            for name in sorted(NOBODYS_TO_PRESET):
                if "Default" in parameters[name]:
                    yield f"{stack.name}: {name} is preset"
            for name, default in OFF_BY_DEFAULT.items():
                if parameters[name].get("Default") != default:
                    yield f"{stack.name}: {name} is {parameters[name].get('Default')} by default"
            if parameters["SealYears"].get("Default", 0) < YEARS_OF_A_SEAL:
                yield f"{stack.name}: seals are locked for {parameters['SealYears'].get('Default')} years"


def names_leave_room_for_another_stack(deployment: Deployment) -> Iterator[str]:
    """No resource has a fixed name: a second environment in the same account would not deploy."""
    for stack in deployment.written:
        for resource in stack.resources():
            for name in ("Name", "RoleName", "FunctionName", "TableName", "BucketName", "QueueName", "AlarmName"):
                given = resource.properties.get(name)
                if isinstance(given, str) and resource.whole["Type"] != "AWS::Lambda::Alias":
                    yield f"{resource}: is called {given} in every stack"


@lru_cache(maxsize=2)
def _texts_of(stacks: tuple[Stack, ...]) -> list[tuple[Path, str]]:
    """Each text of these templates with the way to it, which begins with the name of its template."""
    return [each for stack in stacks for each in _texts(stack.content, stack.name)]


def _texts(value: Any, *path: str | int) -> Iterator[tuple[Path, str]]:
    """Each text of a template with the way to it."""
    match value:
        case str():
            yield path, value
        case dict():
            for name, each in value.items():
                yield from _texts(each, *path, name)
        case list():
            for number, each in enumerate(value):
                yield from _texts(each, *path, number)


def _told(path: Path) -> str:
    return ".".join(map(str, path))


RULES = (
    types_and_properties_are_known,
    code_and_stacks_are_those_of_this_project,
    nothing_of_other_accounts_is_named,
    secrets_are_resolved_in_two_places,
    variables_are_settings,
    trust_and_copies_are_the_operators_to_give,
    names_leave_room_for_another_stack,
)

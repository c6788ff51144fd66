"""What the templates are to say before anything is chosen: conditions, refusals, nested stacks, code of the edge."""

from typing import Any

from infra.checks.expected import EDGE, FIREWALL, MAIN, UNION, has, ref

ALARMS, DASHBOARD = "infra/alarms.yaml", "infra/dashboard.yaml"
TRANSFORM = {MAIN: "AWS::Serverless-2016-10-31"}
"""The one macro, and where."""
SECTIONS = {
    "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Metadata", "Outputs", "Parameters",
    "Resources", "Rules", "Transform",
}  # fmt: skip
FUNCTIONS = {
    "Fn::And", "Fn::Contains", "Fn::Equals", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Not", "Fn::Or", "Fn::Select",
    "Fn::Split", "Fn::Sub",
}  # fmt: skip
"""What CloudFormation may do with a template: it imports nothing, includes nothing and repeats nothing."""


def _is(parameter: str, value: Any) -> dict[str, Any]:
    return {"Fn::Equals": [ref(parameter), value]}


def _not(condition: Any) -> dict[str, Any]:
    return {"Fn::Not": [condition]}


def _named(condition: str) -> dict[str, Any]:
    return {"Condition": condition}


def _in_the_union(region: str) -> dict[str, Any]:
    return {"Fn::Or": [_is("OutsideTheUnion", "allowed"), {"Fn::Contains": [UNION, ref(region)]}]}


CONDITIONS: dict[str, dict[str, Any]] = {
    MAIN: {
        "ReservesConcurrency": _not(_is("ReservedConcurrency", 0)),
        "KeepsEnvironments": _not(_is("ProvisionedConcurrency", 0)),
        "ScansForMalware": _is("MalwareScan", "guardduty"),
        "Traces": _is("Tracing", "active"),
        "BehindEdge": has("EdgeDomainName"),
        "HasOwnName": has("DomainName"),
        "HasOnlyOwnName": {"Fn::And": [_named("HasOwnName"), _not(_named("BehindEdge"))]},
        "AsksForClientCertificates": has("MutualTlsTrustStore"),
        "InVpc": has("VpcId"),
        "ReplicatesDocuments": has("ReplicaBucket"),
        "ReplicatesSeals": has("SealsReplicaBucket"),
        "Replicates": {"Fn::Or": [_named("ReplicatesDocuments"), _named("ReplicatesSeals")]},
        "CopiesBackups": has("BackupCopyVaultArn"),
        "LocksBackupsForGood": _not(_is("BackupLockCoolingDays", 0)),
        "HasOperators": has("OperatorsRoleArn"),
    },
    EDGE: {"RestoresChallenge": has("ChallengeFunctionArn")},
    FIREWALL: {"LogsAccesses": has("DistributionArn")},
    ALARMS: {"TellsByMail": has("AlarmMail")},
}
"""Every condition; each holds in one of the deployments that the rules judge, and does not hold in another."""

CONDITIONAL = {
    MAIN: {
        "ApiDomain": "HasOwnName",
        "ApiMapping": "HasOwnName",
        **dict.fromkeys(("Edge", "EdgeSecret", "EdgeSecretPolicy"), "BehindEdge"),
        "DeleteInReplica": "ReplicatesDocuments",
        "EmptyReplica": "ReplicatesDocuments",
        "FunctionsGroup": "InVpc",
        "JoinNetwork": "InVpc",
        "MalwareProtection": "ScansForMalware",
        "MalwareProtectionRole": "ScansForMalware",
        "MalwareVerdicts": "ScansForMalware",
        "ReplicationRole": "Replicates",
        "SendTraces": "Traces",
    },
    FIREWALL: dict.fromkeys(("AccessLogDelivery", "AccessLogDestination", "AccessLogSource"), "LogsAccesses"),
    ALARMS: {"OperatorsMail": "TellsByMail"},
}
"""The resources that are not always there."""

_NETWORK, _NO_CERTIFICATE = has("VpcId"), _not(_is("CertificateId", "none"))
_SUBNETS = _not(_is("VpcSubnetIds", "subnet-none"))
REFUSALS: dict[str, dict[str, tuple[Any, list[Any]]]] = {
    MAIN: {
        "HealthDataStaysInTheUnion": (None, [_in_the_union("AWS::Region")]),
        "AnEdgeHasItsFirewall": (
            has("EdgeDomainName"),
            [
                {"Fn::And": [has("EdgeCertificateArn"), has("WebAclArn"), has("BaseUrl")]},
                {"Fn::Or": [_is("DomainName", ""), has("MutualTlsTrustStore")]},
            ],
        ),
        "ANameHasItsCertificate": (
            {"Fn::Or": [has("DomainName"), has("MutualTlsTrustStore")]},
            [{"Fn::And": [has("DomainName"), _NO_CERTIFICATE]}],
        ),
        "ANetworkIsWhole": ({"Fn::Or": [_NETWORK, _SUBNETS]}, [{"Fn::And": [_NETWORK, _SUBNETS]}]),
        "AReplicaHasItsKey": (
            {"Fn::Or": [has("ReplicaBucket"), has("SealsReplicaBucket")]},
            [_not(_is("ReplicaKeyId", "none")), _in_the_union("ReplicaRegion")],
        ),
        "ALockCoolsThreeDays": (
            None,
            [_not({"Fn::Or": [_is("BackupLockCoolingDays", 1), _is("BackupLockCoolingDays", 2)]})],
        ),
        "OneWayToStartEarly": (_is("SnapStart", "PublishedVersions"), [_is("ProvisionedConcurrency", 0)]),
    },
    FIREWALL: {"CloudFrontLooksHereAlone": (None, [_is("AWS::Region", "us-east-1")])},
}
"""Which parameters CloudFormation refuses: when a rule is asked, and what it then asserts."""

NESTED = {"Edge": (EDGE, "BehindEdge"), "Alarms": (ALARMS, None), "Dashboard": (DASHBOARD, None)}
"""The stacks within the main one, with the condition under which each is there."""
PASSED_ON = {"Main": "AWS::StackName"}
"""What alarms and page are told of by another name than its own; a queue's name is its own with Queue behind."""

CODE = {
    "Challenge": "eeea8012af1d0d1eee1fca0045650a000ddb039dd28e94e0b03e74a7bd3a9ef2",  # pragma: allowlist secret
}
"""The SHA-256 of code that stands in a template."""

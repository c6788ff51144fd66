"""What parameters allow and preset, and that functions are given what the operator gave."""

import re
from collections.abc import Iterator
from typing import Any

from infra.checks.deployments import Deployment
from infra.checks.expected import FIREWALL, MAIN, ref

HERE = "infra/checks/rules_settings.py"
type Bounds = tuple[Any, Any, Any]
PRESETS: dict[str, dict[str, Bounds]] = {
    MAIN: {
        "AnnouncementNoticeDays": (14, 1, None),
        "AnnouncementReleaseMonths": (1, 1, None),
        "ArchiveYears": (10, 1, None),
        "AuthorisationMonths": (12, 1, 12),
        "AuthorizerConcurrency": (100, 1, None),
        "BackgroundConcurrency": (10, 10, None),
        "BackupDays": (35, 1, 35),
        "BackupLockCoolingDays": (0, 0, 36500),
        "EmergenciesAnHour": (60, 1, None),
        "EmergenciesExpectedAnHour": (50, 1, None),
        "EmergencyMinutes": (60, 1, None),
        "ErasureDelayDays": (0, 0, 10),
        "ExpiryWarningDays": (30, 1, None),
        "ExportDays": (7, 1, 30),
        "LogRetentionDays": (365, None, None),
        "LookUpsAnHour": (600, 1, None),
        "NoncurrentVersionDays": (30, 1, 35),
        "OpeningsAnHour": (600, 1, None),
        "PointInTimeDays": (35, 1, 35),
        "ProvisionedConcurrency": (0, 0, None),
        "PublicThrottlingRate": (50, 1, None),
        "RefusalsExpected": (500, 1, None),
        "ReimbursementMonths": (24, 1, 120),
        "ReservedConcurrency": (25, 0, None),
        "SealYears": (10, 1, 100),
        "SuspensionWeeks": (6, 1, None),
        "ThrottlingBurst": (1000, 1, None),
        "ThrottlingRate": (500, 1, None),
    },
    FIREWALL: {"LogRetentionDays": (90, None, None), "RequestsPerAddress": (20000, 100, None)},
}
"""Each number that an operator may give: what it is by default, at least and at most."""
DEFAULTS = {
    "ExpirySchedule": "rate(15 minutes)",
    "LogLevel": "INFO",
    "MailSchedule": "rate(15 minutes)",
    "ReleaseSchedule": "rate(1 hour)",
    "RetentionSchedule": "rate(1 day)",
    "SealSchedule": "rate(1 minute)",
    "UploadSchedule": "rate(1 hour)",
    "WholeSealSchedule": "rate(1 hour)",
}
"""How often jobs run, and how much is logged, if nobody says otherwise."""
CHOICES: list[tuple[str, str, Any]] = [
    ("EdgeSecretVersionId", "AllowedPattern", r"^([\w-]{32,64})?$"),
    ("LogLevel", "AllowedValues", ["INFO", "WARNING", "ERROR"]),
    ("MutualTlsTrustStore", "AllowedPattern", "^(s3://.+)?$"),
    ("OperatorsRoleArn", "AllowedPattern", r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+)?$"),
    ("OutsideTheUnion", "AllowedValues", ["refused", "allowed"]),
    ("ReplicaRegion", "Default", "eu-central-1"),
    ("Stage", "AllowedValues", ["local", "dev", "preprod", "prod"]),
]
"""What may be given at all where another text would open something: DEBUG would log what is in records."""


def numbers_keep_their_bounds(deployment: Deployment) -> Iterator[str]:
    """No number is by default, at least or at most what it was not when it was judged, and none is new."""
    for source in deployment.sources:
        if known := PRESETS.get(source.name):
            for name, each in source.content["Parameters"].items():
                found = each.get("Default"), each.get("MinValue"), each.get("MaxValue")
                if each["Type"] == "Number" and found != known.get(name):
                    yield f"{source.name}#{name}: is {found}, which PRESETS ({HERE}) does not say"


def choices_stay_as_narrow(deployment: Deployment) -> Iterator[str]:
    """Jobs run as often by default as they did, and what may be given where a text opens something is no more."""
    for source in deployment.sources:
        if source.name == MAIN:
            defaults = [(name, "Default", value) for name, value in DEFAULTS.items()]
            for name, limit, value in (*defaults, *CHOICES):
                found = source.content["Parameters"][name].get(limit)
                if found != value:
                    yield f"{source.name}#{name}: its {limit} is {found}, expected is {value} ({HERE})"


def variables_say_what_the_operator_gave(deployment: Deployment) -> Iterator[str]:
    """A variable that is called like a parameter has its value, in every function and under every condition."""
    for stack in deployment.written:
        given = {_variable(name): name for name in stack.content.get("Parameters", {})}
        for function in stack.resources("AWS::Lambda::Function"):
            for name, value in function.properties.get("Environment", {}).get("Variables", {}).items():
                if name in given and value != ref(given[name]):
                    yield f"{function}: {name} is {value}, not what {given[name]} is"


def _variable(parameter: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter).upper()


RULES = (numbers_keep_their_bounds, choices_stay_as_narrow, variables_say_what_the_operator_gave)

"""Backups as they are taken, against the plan of the template, and how long they and their copies are kept."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from infra.smoke.account import Account
from infra.smoke.result import Judgement, Result, judged, of_kind, unchecked

PLAN = "AWS::Backup::BackupPlan"
LONGEST_DAYS = 35
_UTC = "Etc/UTC"

type Json = dict[str, Any]


def plans(account: Account) -> Iterator[Result]:
    """Each plan has the rules of the template, and no backup or copy outlives what an erasure allows."""
    if account.is_local:
        yield unchecked("backup", PLAN, "the local stack has none")
        return
    yield from of_kind("backups", account.of(PLAN), PLAN)
    client = account.client("backup")
    for logical, declared in account.declared(PLAN).items():
        plan = account.physical(logical)
        wanted = account.resolved(declared)["BackupPlan"]["BackupPlanRule"]
        yield judged("backup.days", logical, _is_short, client.get_backup_plan, BackupPlanId=plan)
        yield judged("backup.rules", logical, partial(_as_declared, wanted), client.get_backup_plan, BackupPlanId=plan)


def selections(account: Account) -> Iterator[Result]:
    """Each plan is of something."""
    if not account.is_local:
        for logical, plan in account.of(PLAN).items():
            ask = account.client("backup").list_backup_selections
            yield judged("backup.selection", logical, _is_chosen, ask, BackupPlanId=plan)


def _is_chosen(told: Json) -> Judgement:
    return told["BackupSelectionsList"], "of nothing"


def _is_short(told: Json) -> Judgement:
    kept = [_days(each) for rule in told["BackupPlan"]["Rules"] for each in (rule, *rule.get("CopyActions", ()))]
    return kept and all(0 < one <= LONGEST_DAYS for one in kept), f"kept for {kept} days, 0 for ever"


def _days(rule: Json) -> int:
    return int(rule.get("Lifecycle", {}).get("DeleteAfterDays", 0))


def _as_declared(wanted: Sequence[Json], told: Json) -> Judgement:
    declared = {str(rule["RuleName"]): _content(rule) for rule in wanted}
    found = [(str(rule.get("RuleName")), _content(rule)) for rule in told["BackupPlan"]["Rules"]]
    missing = [f"without {name}" for name in declared if name not in dict(found)]
    other = [
        f"{name}: another {', '.join(each for each in content if content[each] != declared[name][each])}"
        if name in declared
        else f"more: {name}"
        for name, content in found
        if content != declared.get(name)
    ]
    return not missing + other, "; ".join(missing + other)


def _content(rule: Json) -> Json:
    """What a rule says, told alike by CloudFormation and by AWS Backup."""
    copies = rule.get("CopyActions", ())
    return {
        "vault": rule.get("TargetBackupVaultName") or rule.get("TargetBackupVault"),
        "schedule": rule.get("ScheduleExpression"),
        "zone": rule.get("ScheduleExpressionTimezone", _UTC),
        "life": _life(rule),
        "continuous": str(rule.get("EnableContinuousBackup", False)).lower(),
        "copies": sorted((str(each["DestinationBackupVaultArn"]), _life(each)) for each in copies),
    }


def _life(rule: Json) -> list[tuple[str, str]]:
    life = rule.get("Lifecycle", {})
    return sorted((name, str(value).lower()) for name, value in life.items() if str(value).lower() != "false")

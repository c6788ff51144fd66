"""Backups as they are taken, against the plan of the template, and how long they and their copies are kept."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.smoke.account import Account
from infra.smoke.policies import has_statements, is_under
from infra.smoke.result import Judgement, Result, State, asked, judged, of_kind, unchecked

PLAN, SELECTION, VAULT = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection", "AWS::Backup::BackupVault"
LONGEST_DAYS = 35
_UTC = "Etc/UTC"
_START, _COMPLETION = 8 * 60, 7 * 24 * 60
"""Minutes that AWS Backup takes where a plan says none."""

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
        yield judged("backup.days", logical, _is_short, client.get_backup_plan, BackupPlanId=plan)
        judge = partial(_as_declared, account, declared)
        yield judged("backup.rules", logical, judge, client.get_backup_plan, BackupPlanId=plan)


def selections(account: Account) -> Iterator[Result]:
    """Each plan is of all that the template says, by the role that it says."""
    if account.is_local:
        return
    yield from of_kind("backup.selections", account.of(SELECTION), SELECTION)
    client = account.client("backup")
    for logical, declared in account.declared(SELECTION).items():
        plan, name = account.physical(declared["BackupPlanId"]["Ref"]), declared["BackupSelection"]["SelectionName"]
        ask = client.list_backup_selections
        told = asked("backup.selection", logical, ask, BackupPlanId=plan, pick="BackupSelectionsList")
        if isinstance(told, Result):
            yield told
            continue
        found = [str(one["SelectionId"]) for one in told if one.get("SelectionName") == name]
        if not found:
            yield Result("backup.selection", logical, State.FAILED, "of nothing")
        judge = partial(_selection, account, declared["BackupSelection"])
        for one in found:
            ask = client.get_backup_selection
            yield judged("backup.selection", logical, judge, ask, BackupPlanId=plan, SelectionId=one)


def _selection(account: Account, declared: Json, told: Json) -> Judgement:
    wanted, found = account.resolved(declared), told["BackupSelection"]
    missing = set(wanted["Resources"]) - set(found.get("Resources", ()))
    narrower = [name for name in ("NotResources", "ListOfTags") if found.get(name)]
    narrower += [name for name, each in found.get("Conditions", {}).items() if each]
    role = [] if found.get("IamRoleArn") == wanted["IamRoleArn"] else ["another role"]
    return not missing and not narrower and not role, f"without {sorted(missing)}; {', '.join(narrower + role)}"


def vaults(account: Account) -> Iterator[Result]:
    """Each vault is under the key, the lock and the policy of the template."""
    if account.is_local:
        return
    yield from of_kind("vaults", account.of(VAULT), VAULT)
    client = account.client("backup")
    for logical, declared in account.declared(VAULT).items():
        name, ask = account.physical(logical), client.describe_backup_vault
        for check, judge in (("vault.encryption", _vault_key), ("vault.lock", _vault_lock)):
            yield judged(check, logical, partial(judge, account, declared), ask, BackupVaultName=name)
        if "AccessPolicy" in declared:
            judge, ask = (
                partial(_vault_policy, account, declared["AccessPolicy"]),
                client.get_backup_vault_access_policy,
            )
            missing = ("ResourceNotFoundException",)
            yield judged("vault.policy", logical, judge, ask, missing=missing, BackupVaultName=name)


def _vault_key(account: Account, declared: Json, told: Json) -> Judgement:
    key = str(told.get("EncryptionKeyArn", ""))
    return is_under(account, key, declared["EncryptionKeyArn"]), f"under {key or 'no key'}"


def _vault_lock(account: Account, declared: Json, told: Json) -> Judgement:
    """As many days as declared, and for good where that is declared; a lock for good where none is, holds too."""
    wanted = account.resolved(declared.get("LockConfiguration", {}))
    days = {name: told.get(name) for name in ("MinRetentionDays", "MaxRetentionDays") if name in wanted}
    is_as_long = all(str(each) == str(wanted[name]) for name, each in days.items())
    is_for_good = "ChangeableForDays" not in wanted or bool(told.get("LockDate"))
    is_locked = not wanted or bool(told.get("Locked"))
    return is_locked and is_as_long and is_for_good, f"locked {told.get('Locked')}, {days}, from {told.get('LockDate')}"


def _vault_policy(account: Account, wanted: Json, told: Json | None) -> Judgement:
    return has_statements(account, wanted, told["Policy"] if told else None)


def _is_short(told: Json) -> Judgement:
    kept = [_days(each) for rule in told["BackupPlan"]["Rules"] for each in (rule, *rule.get("CopyActions", ()))]
    return kept and all(0 < one <= LONGEST_DAYS for one in kept), f"kept for {kept} days, 0 for ever"


def _days(rule: Json) -> int:
    return int(rule.get("Lifecycle", {}).get("DeleteAfterDays", 0))


def _as_declared(account: Account, plan: Json, told: Json) -> Judgement:
    wanted = account.resolved(plan)["BackupPlan"]["BackupPlanRule"]
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
        "start": int(rule.get("StartWindowMinutes", _START)),
        "completion": int(rule.get("CompletionWindowMinutes", _COMPLETION)),
        "index": sorted(str(kind) for each in rule.get("IndexActions", ()) for kind in each.get("ResourceTypes", ())),
        "life": _life(rule),
        "continuous": str(rule.get("EnableContinuousBackup", False)).lower(),
        "copies": sorted((str(each["DestinationBackupVaultArn"]), _life(each)) for each in copies),
    }


def _life(rule: Json) -> list[tuple[str, str]]:
    life = rule.get("Lifecycle", {})
    return sorted((name, str(value).lower()) for name, value in life.items() if str(value).lower() != "false")

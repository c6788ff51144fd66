"""Logs and schedules: what is written down for how long, and what runs by itself."""

from collections.abc import Iterator
from typing import Any

from infra.smoke.account import Account
from infra.smoke.policies import is_under
from infra.smoke.result import Judgement, Result, asked, held, judged, of_kind, unchecked, weighed

LOG = "AWS::Logs::LogGroup"
SCHEDULE = "AWS::Scheduler::Schedule"
_LOCAL = "the local stack has none"

type Json = dict[str, Any]


def logs(account: Account) -> Iterator[Result]:
    """Each log group forgets when the template says, and is under the key that it says."""
    if account.is_local:
        yield unchecked("log", LOG, _LOCAL)
        return
    yield from of_kind("logs", account.of(LOG), LOG)
    client, declared = account.client("logs"), account.declared(LOG)
    for logical, name in account.of(LOG).items():
        if logical not in declared:
            yield unchecked("log", logical, "the main template does not declare it: made by SAM, or in a stack within")
            continue
        told = asked("log", logical, _log_group, client=client, name=name)
        if isinstance(told, Result):
            yield told
            continue
        yield weighed("log.retention", logical, _retention, account, declared[logical], told)
        is_encrypted = is_under(account, str(told.get("kmsKeyId", "")), declared[logical].get("KmsKeyId"))
        yield held("log.encryption", logical, is_encrypted, "not under the key of the template")


def _retention(account: Account, wanted: Json, told: Json) -> Judgement:
    days = told.get("retentionInDays")
    return str(days) == str(account.resolved(wanted["RetentionInDays"])), f"kept for {days or 'ever'}"


def _log_group(client: Any, name: str) -> Any:
    found = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((one for one in found if one["logGroupName"] == name), {})


def schedules(account: Account) -> Iterator[Result]:
    """Every job runs by itself."""
    if account.is_local:
        yield unchecked("schedule", SCHEDULE, _LOCAL)
        return
    yield from of_kind("schedules", account.of(SCHEDULE), SCHEDULE)
    client = account.client("scheduler")
    for logical, name in account.of(SCHEDULE).items():
        yield judged("schedule", logical, _is_on, client.get_schedule, Name=name.rpartition("|")[2])


def _is_on(told: Json) -> Judgement:
    return told["State"] == "ENABLED", told["State"]

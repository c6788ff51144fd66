"""Logs, alarms and schedules: what tells an operator, and what runs by itself."""

from collections.abc import Iterator
from typing import Any

from infra.smoke.account import Account
from infra.smoke.result import Judgement, Result, asked, held, judged, of_kind, unchecked

LOG, ALARM, TOPIC = "AWS::Logs::LogGroup", "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"
SCHEDULE = "AWS::Scheduler::Schedule"
_LOCAL = "the local stack has none"
_PAGE = 100

type Json = dict[str, Any]


def logs(account: Account) -> Iterator[Result]:
    """Each log group forgets in time, and is under a key of ours."""
    if account.is_local:
        yield unchecked("log", LOG, _LOCAL)
        return
    yield from of_kind("logs", account.of(LOG), LOG)
    client = account.client("logs")
    for logical, name in account.of(LOG).items():
        told = asked("log", logical, _log_group, client=client, name=name)
        if isinstance(told, Result):
            yield told
            continue
        yield held("log.retention", logical, told.get("retentionInDays"), "it is kept for ever")
        yield held("log.encryption", logical, told.get("kmsKeyId"), "under no key of ours")


def _log_group(client: Any, name: str) -> Any:
    found = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((one for one in found if one["logGroupName"] == name), {})


def alarms(account: Account) -> Iterator[Result]:
    """There are alarms, each tells somebody, and somebody listens."""
    if account.is_local:
        yield unchecked("alarm", ALARM, _LOCAL)
        return
    here = account.of(ALARM)
    yield from of_kind("alarms", here, ALARM)
    names, client = sorted(here.values()), account.client("cloudwatch")
    for start in range(0, len(names), _PAGE):
        wanted = names[start : start + _PAGE]
        told = asked("alarm", ALARM, client.describe_alarms, AlarmNames=wanted, pick="MetricAlarms")
        if isinstance(told, Result):
            yield told
            continue
        for one in told:
            is_on = one["ActionsEnabled"] and one["AlarmActions"]
            yield held("alarm.tells", one["AlarmName"], is_on, "it tells nobody")
    for logical, arn in account.of(TOPIC).items():
        topics = account.client("sns")
        found = asked("alarm.heard", logical, topics.list_subscriptions_by_topic, TopicArn=arn, pick="Subscriptions")
        if isinstance(found, Result):
            yield found
            continue
        confirmed = [one for one in found if str(one["SubscriptionArn"]).startswith("arn:")]
        yield held("alarm.heard", logical, confirmed, "nobody has confirmed a subscription")


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

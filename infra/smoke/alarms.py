"""Alarms as they are, against the templates of the stack and of those within it, and who is told of them."""

import re
from collections.abc import Iterator
from typing import Any

from infra.smoke.account import Account
from infra.smoke.resolution import ANYTHING
from infra.smoke.result import Judgement, Result, State, asked, held, of_kind, unchecked, weighed

ALARM, TOPIC = "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"
_PAGE = 100
_TOLD_ELSEWHERE = frozenset({"AlarmName", "AlarmDescription", "AlarmActions", "OKActions", "Tags"})

type Json = dict[str, Any]


def alarms(account: Account) -> Iterator[Result]:
    """Each alarm is there, rings when the template says, and tells a topic of the stack."""
    if account.is_local:
        yield unchecked("alarm", ALARM, "the local stack has none")
        return
    here = account.of(ALARM)
    yield from of_kind("alarms", here, ALARM)
    found, declared, topics = (
        _found(account, sorted(here.values())),
        _declared(account),
        set(account.of(TOPIC).values()),
    )
    if isinstance(found, Result):
        yield found
        return
    for logical, name in here.items():
        told = found.get(name)
        if told is None:
            yield Result("alarm", logical, State.FAILED, "there is none of the name")
            continue
        is_on = told["ActionsEnabled"] and topics & set(told["AlarmActions"])
        yield held("alarm.tells", logical, is_on, "it tells nobody of the stack")
        if logical in declared:
            within, wanted = declared[logical]
            yield weighed("alarm.rule", logical, _as_declared, within, wanted, told)
        else:
            yield unchecked("alarm.rule", logical, "no template at hand declares it")


def topics(account: Account) -> Iterator[Result]:
    """Somebody listens to each topic."""
    client = account.client("sns")
    for logical, arn in ({} if account.is_local else account.of(TOPIC)).items():
        found = asked("alarm.heard", logical, _subscriptions, client=client, arn=arn)
        if isinstance(found, Result):
            yield found
            continue
        confirmed = [one for one in found if str(one["SubscriptionArn"]).startswith("arn:")]
        yield held("alarm.heard", logical, confirmed, "nobody has confirmed a subscription")


def _subscriptions(client: Any, arn: str) -> list[Json]:
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [one for page in pages for one in page["Subscriptions"]]


def _found(account: Account, names: list[str]) -> Any:
    """The alarms of these names by name, or the Result that they cannot be told."""
    ask, found = account.client("cloudwatch").describe_alarms, dict[str, Json]()
    for start in range(0, len(names), _PAGE):
        # CloudWatch tells fifty, unless asked for more
        asked_for = names[start : start + _PAGE]
        told = asked("alarm", ALARM, ask, AlarmNames=asked_for, MaxRecords=_PAGE, pick="MetricAlarms")
        if isinstance(told, Result):
            return told
        found |= {str(one["AlarmName"]): one for one in told}
    return found


def _declared(account: Account) -> dict[str, tuple[Account, Json]]:
    """Each declared alarm with the stack that its expressions are of."""
    own = {logical: (account, each) for logical, each in account.declared(ALARM).items()}
    for stack, within in account.within():
        own |= {f"{stack}/{logical}": (within, each) for logical, each in within.template.resources(ALARM)}
    return own


def _as_declared(account: Account, declared: Json, told: Json) -> Judgement:
    wanted = {name: each for name, each in account.resolved(declared).items() if name not in _TOLD_ELSEWHERE}
    other = [name for name, each in wanted.items() if name not in told or not _covers(told[name], each)]
    return not other, f"another {', '.join(other)}"


def _covers(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there: CloudWatch fills in what nobody said, but puts nothing into lists."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(name in found and _covers(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        is_as_long = isinstance(found, list) and len(found) == len(wanted)
        return is_as_long and all(any(_covers(one, each) for one in found) for each in wanted)
    pattern = "[^*?]+".join(map(re.escape, _text(wanted).split(ANYTHING)))
    return re.fullmatch(pattern, _text(found), re.DOTALL) is not None


def _text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return str(float(text))
    except ValueError:
        return text

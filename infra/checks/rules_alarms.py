"""That operators hear what they heard: every alarm, and every rule that tells of an act, is what it was."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.alarms import ALARMS, KINDS_OF_EVENTS, OF_CLOUDTRAIL, RULES_OF_EVENTS
from infra.checks.deployments import Deployment
from infra.checks.expected import MAIN
from infra.checks.policies import names_in

ALARM, RULE = "AWS::CloudWatch::Alarm", "AWS::Events::Rule"
FOR_PEOPLE = {"AlarmName", "AlarmDescription"}
HERE = "infra/checks/alarms.py"
KEYS = {"source", "detail-type", "detail"}
NAMES = {"eventName", "eventSource"}


def alarms_ring_as_they_did(deployment: Deployment) -> Iterator[str]:
    """No alarm is gone, or looks at something else, or later, or from another threshold on."""
    found = {
        each.id: {name: value for name, value in each.properties.items() if name not in FOR_PEOPLE}
        | ({"Condition": each.whole["Condition"]} if "Condition" in each.whole else {})
        for source in deployment.sources
        for each in source.resources(ALARM)
    }
    for name in sorted(ALARMS.keys() | found.keys()):
        there, wanted = found.get(name), ALARMS.get(name)
        if there is None or wanted is None:
            yield f"{name}: is {'gone' if there is None else 'new'}, which ALARMS ({HERE}) does not say"
        else:
            for part in sorted(there.keys() | wanted.keys()):
                if there.get(part) != wanted.get(part):
                    yield f"{name}: {part} is {there.get(part)}, expected is {wanted.get(part)} ({HERE})"


def rules_hear_as_much_as_they_did(deployment: Deployment) -> Iterator[str]:
    """No rule of EventBridge is gone, or asks more of an event: whose, of which account or by whom."""
    rules = {each.id: each for source in deployment.sources for each in source.resources(RULE)}
    for name in sorted(RULES_OF_EVENTS.keys() | rules.keys()):
        if name not in rules or name not in RULES_OF_EVENTS:
            yield f"{name}: is {'gone' if name not in rules else 'new'}, which RULES_OF_EVENTS ({HERE}) does not say"
        else:
            yield from _narrowed(name, rules[name].properties.get("EventPattern", {}))


def _narrowed(name: str, pattern: Mapping[str, Any]) -> Iterator[str]:
    if others := sorted(set(pattern) - KEYS):
        yield f"{name}: asks for {others}"
    if (kinds := pattern.get("detail-type")) != KINDS_OF_EVENTS.get(name, OF_CLOUDTRAIL):
        yield f"{name}: hears {kinds}"
    detail = {key: value for key, value in pattern.get("detail", {}).items() if key not in NAMES}
    if detail != RULES_OF_EVENTS[name]:
        yield f"{name}: asks for {detail}, expected is {RULES_OF_EVENTS[name]} ({HERE})"
    services = [f"{each.removeprefix('aws.')}.amazonaws.com" for each in pattern.get("source", ())]
    if pattern.get("detail", {}).get("eventSource", services) != services:
        yield f"{name}: hears of {pattern['detail']['eventSource']} from {services}"


def what_was_set_aside_rings(deployment: Deployment) -> Iterator[str]:
    """Each queue of what failed has an alarm of its own, which is told its name."""
    for source in deployment.sources:
        if source.name == MAIN:
            told = source.resource("Alarms").properties.get("Parameters", {})
            queues = {each.id for each in source.resources("AWS::SQS::Queue") if "RedrivePolicy" not in each.properties}
            for queue in sorted(queues):
                if names_in(told.get(f"{queue}Queue")) != {queue} or queue not in ALARMS:
                    yield f"{source.name}#{queue}: no alarm rings where something is in it"


RULES = (
    alarms_ring_as_they_did,
    rules_hear_as_much_as_they_did,
    what_was_set_aside_rings,
)

"""That what begins a function still does, and that what it failed at is tried again and then kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.deployments import Deployment
from infra.checks.expected import MAIN, arn
from infra.checks.policies import names_in
from infra.checks.triggers import (
    ATTEMPTS_IN_SIGHT,
    MAPPINGS,
    QUEUES,
    SCHEDULES,
    SECONDS_OF_A_MESSAGE,
    TIMES_OF_A_MESSAGE,
)

MAPPING, SCHEDULE, QUEUE = "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule", "AWS::SQS::Queue"
HERE = "infra/checks/triggers.py"


def streams_and_queues_are_read_to_the_end(deployment: Deployment) -> Iterator[str]:
    """Each is read from its beginning, through the known filters alone, and what fails is tried again and set aside."""
    yield from _differing(deployment, MAPPING, MAPPINGS, "MAPPINGS")


def schedules_never_end(deployment: Deployment) -> Iterator[str]:
    """Each job runs as often as its parameter says, from now on and for good."""
    yield from _differing(deployment, SCHEDULE, SCHEDULES, "SCHEDULES")


def _differing(deployment: Deployment, kind: str, wanted: Mapping[str, Any], name: str) -> Iterator[str]:
    for stack in deployment.written:
        found = {each.id: _without_role(each.properties) for each in stack.resources(kind)}
        for one in sorted(found.keys() | wanted.keys() if stack.name == MAIN else found):
            there, said = found.get(one), wanted.get(one)
            if there is None or said is None:
                yield f"{stack.name}#{one}: is {'gone' if there is None else 'new'}, which {name} ({HERE}) does not say"
                continue
            for part in sorted(there.keys() | said.keys()):
                if there.get(part) != said.get(part):
                    yield f"{stack.name}#{one}: {part} is {there.get(part)}, expected is {said.get(part)} ({HERE})"


def _without_role(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Without what SAM names, or other rules judge: the role of a schedule, and that it is on."""
    own = {name: each for name, each in properties.items() if name not in {"Name", "State"}}
    if isinstance(own.get("Target"), dict):
        own["Target"] = {name: each for name, each in own["Target"].items() if name != "RoleArn"}
    return own


def messages_are_tried_again(deployment: Deployment) -> Iterator[str]:
    """A message is kept for four days, tried some times, out of sight long enough, and then set aside where known."""
    timeouts = {each.id: each.properties.get("Timeout", 3) for each in deployment.resources("AWS::Lambda::Function")}
    readers = {
        queue: timeouts.get(function, 0)
        for each in deployment.resources(MAPPING)
        for queue in names_in(each.properties["EventSourceArn"])
        for function in names_in(each.properties["FunctionName"])
    }
    for queue in deployment.resources(QUEUE):
        own = queue.properties
        if own.get("MessageRetentionPeriod", 0) < SECONDS_OF_A_MESSAGE:
            yield f"{queue}: keeps a message for {own.get('MessageRetentionPeriod')} s"
        redrive = own.get("RedrivePolicy")
        if redrive and redrive.get("maxReceiveCount") not in TIMES_OF_A_MESSAGE:
            yield f"{queue}: tries a message {redrive.get('maxReceiveCount')} times"
        if (redrive or {}).get("deadLetterTargetArn") != (arn(QUEUES[queue.id]) if queue.id in QUEUES else None):
            yield f"{queue}: sets aside otherwise than QUEUES ({HERE}) says: {redrive}"
        if own.get("VisibilityTimeout", 30) < ATTEMPTS_IN_SIGHT * readers.get(queue.id, 0):
            yield f"{queue}: shows a message again while its function may work on it"


def failed_runs_are_set_aside(deployment: Deployment) -> Iterator[str]:
    """Each function of the application has a queue for what it could not do when it was invoked without an answer."""
    for function in deployment.main.resources("AWS::Lambda::Function"):
        if function.properties.get("DeadLetterConfig") != {"TargetArn": arn("LostRuns")}:
            yield f"{function}: sets nothing aside, or elsewhere: {function.properties.get('DeadLetterConfig')}"


RULES = (
    streams_and_queues_are_read_to_the_end,
    schedules_never_end,
    messages_are_tried_again,
    failed_runs_are_set_aside,
)

"""That each function runs its own job, and that tables, buckets and secrets still do what functions count on."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.deployments import Deployment
from infra.checks.expected import MAIN
from infra.checks.workings import ALIAS, ASKED_BY_THE_API, CODE, STORES, workings

HERE = "infra/checks/workings.py"


def functions_run_their_own_job(deployment: Deployment) -> Iterator[str]:
    """Each runs the handler that is called like it, on the known runtime, and logs to its group at the common level."""
    for stack in deployment.written:
        for function in stack.resources("AWS::Lambda::Function"):
            for name, found, wanted in _differing(function.properties, workings(stack.name, function.id)):
                yield f"{function}: {name} is {found}, expected is {wanted} ({HERE})"


def functions_are_deployed_as_they_were(deployment: Deployment) -> Iterator[str]:
    """All have the code that is beside the template, and what answers requests has the alias that the API calls."""
    for source in deployment.sources:
        shared = source.content.get("Globals", {}).get("Function", {})
        for function in source.resources("AWS::Serverless::Function"):
            events = [each["Type"] for each in function.properties.get("Events", {}).values()]
            answers = "HttpApi" in events or function.id in ASKED_BY_THE_API
            wanted = {"CodeUri": CODE, "AutoPublishAlias": ALIAS if answers else None}
            for name, found, value in _differing({**shared, **function.properties}, wanted):
                yield f"{function}: {name} is {found}, expected is {value} ({HERE})"


def stores_do_what_functions_count_on(deployment: Deployment) -> Iterator[str]:
    """Streams and indexes show what is read there, buckets tell their queues what came, and secrets are as long."""
    for stack in deployment.written:
        for kind, known in STORES.items():
            there = {each.id: each.properties for each in stack.resources(kind)}
            for name in sorted(there.keys() | known.keys() if stack.name == MAIN else there):
                if name not in there or name not in known:
                    what = "new" if name in there else "gone"
                    yield f"{stack.name}#{name}: is {what}, which STORES ({HERE}) does not say"
                    continue
                for path, found, wanted in _differing(there[name], known[name]):
                    yield f"{stack.name}#{name}: {path} is {found}, expected is {wanted} ({HERE})"


def _differing(properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The properties, by their path, that are not as wanted, with what they are and were to be."""
    for path, value in wanted.items():
        found: Any = properties
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found != value:
            yield path, found, value


RULES = (functions_run_their_own_job, functions_are_deployed_as_they_were, stores_do_what_functions_count_on)

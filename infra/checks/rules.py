"""Every promise of the template that no scanner knows, put to every deployment that its parameters allow."""

from collections.abc import Callable, Iterable, Iterator

from infra.checks import (
    rules_access,
    rules_alarms,
    rules_api,
    rules_continuity,
    rules_denials,
    rules_edge,
    rules_grants,
    rules_kinds,
    rules_operation,
    rules_secrets,
    rules_settings,
    rules_storage,
    rules_triggers,
    rules_workings,
    rules_written,
)
from infra.checks.deployments import Application, Deployment

type Rule = Callable[[Deployment], Iterator[str]]
"""A promise, its docstring: says where and how a deployment breaks it."""

RULES: tuple[Rule, ...] = (
    *rules_written.RULES,
    *rules_kinds.RULES,
    *rules_settings.RULES,
    *rules_api.RULES,
    *rules_edge.RULES,
    *rules_access.RULES,
    *rules_grants.RULES,
    *rules_denials.RULES,
    *rules_storage.RULES,
    *rules_secrets.RULES,
    *rules_operation.RULES,
    *rules_continuity.RULES,
    *rules_triggers.RULES,
    *rules_workings.RULES,
    *rules_alarms.RULES,
)


def broken(application: Application, rules: Iterable[Rule] = RULES) -> Iterator[tuple[str, str]]:
    """The name of each rule, of these, that some deployment breaks, with where and how; each finding once."""
    told: set[tuple[str, str]] = set()
    for deployment in application.deployments:
        for rule in rules:
            for finding in _judged(rule, deployment):
                if (rule.__name__, finding) not in told:
                    told.add((rule.__name__, finding))
                    yield rule.__name__, f"{finding} ({deployment.choice})"


def _judged(rule: Rule, deployment: Deployment) -> Iterator[str]:
    """What a rule finds; a template in which it cannot find what it is about breaks it."""
    try:
        yield from rule(deployment)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        yield f"cannot be judged: {error!r}"

"""Rules of life cycles as S3 tells them, compared whole with those of the template, which has other names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.smoke.result import Judgement

type Json = dict[str, Any]
type Content = frozenset[tuple[str, str]]
"""What a rule does and to what: each by the name that S3 gives it."""

_FILTERS = frozenset({"And", "Filter"})
_ACTIONS = frozenset({"AbortIncompleteMultipartUpload", "Expiration", "NoncurrentVersionExpiration"})
_SEVERAL = {
    "Tag": "Tag",
    "Tags": "Tag",
    "TagFilters": "Tag",
    "Transition": "Transition",
    "Transitions": "Transition",
    "NoncurrentVersionTransition": "NoncurrentVersionTransition",
    "NoncurrentVersionTransitions": "NoncurrentVersionTransition",
}
_NAMES = {
    "ExpirationInDays": "Expiration.Days",
    "ExpirationDate": "Expiration.Date",
    "ExpiredObjectDeleteMarker": "Expiration.ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpirationInDays": "NoncurrentVersionExpiration.NoncurrentDays",
}
_NAMES_OF_SEVERAL = {"TransitionInDays": "Days", "NoncurrentDays": "Days", "TransitionDate": "Date"}
_DAY = len("2026-01-01")


def life_as_declared(wanted: Sequence[Json], told: Json | None) -> Judgement:
    """That the rules in force are those of the template, and no others."""
    found, declared = _in_force((told or {}).get("Rules", [])), _in_force(wanted)
    more = [name for name, content in found if content not in [each for _, each in declared]]
    less = [name for name, content in declared if content not in [each for _, each in found]]
    said = [("not as declared", sorted(less)), ("not declared", sorted(set(more) - set(less)))]
    return not more + less, "; ".join(f"{what}: {', '.join(names)}" for what, names in said if names)


def _in_force(rules: Sequence[Json]) -> list[tuple[str, Content]]:
    return [
        (str(rule.get("ID") or rule.get("Id") or "a rule without a name"), frozenset(_flat(rule)))
        for rule in rules
        if rule.get("Status") == "Enabled"
    ]


def _flat(rule: Json) -> Iterator[tuple[str, str]]:
    for name, value in rule.items():
        if name in _FILTERS:
            yield from _flat(value)
        elif name in _SEVERAL:
            yield from ((_SEVERAL[name], _one(each)) for each in (value if isinstance(value, list) else [value]))
        elif name in _ACTIONS:
            yield from ((f"{name}.{each}", text) for each, text in _texts(value))
        elif name not in ("ID", "Id", "Status"):
            yield from ((_NAMES.get(each, each), text) for each, text in _texts({name: value}))


def _one(of_several: Json) -> str:
    return ", ".join(sorted(f"{_NAMES_OF_SEVERAL.get(name, name)} {text}" for name, text in _texts(of_several)))


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Values as text; what is empty or false says nothing, and dates are of midnight."""
    for name, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text not in ("", "false"):
            yield name, text[:_DAY] if name.endswith("Date") else text

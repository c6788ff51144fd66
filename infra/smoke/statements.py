"""Statements of policies as AWS tells them, compared whole with those that the template makes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.smoke.resolution import ANYTHING
from infra.smoke.result import Judgement

_ROOT = re.compile(r"^arn:[a-z-]+:iam::([0-9]{12}):root$")
_IN_ANY_CASE = frozenset({"Effect", "Action", "NotAction"})

type Json = dict[str, Any]
type Parts = Mapping[str, frozenset[str]]
"""The values of each part of a statement; each key of a condition is a part."""


def as_declared(found: Sequence[Json], wanted: Sequence[Json]) -> Judgement:
    """That no statement is missing or another, and that nothing more is allowed; a denial more is well.

    What it says names statements and their parts, never values but actions.
    """
    there, declared = [_parts(each) for each in found], [_parts(each) for each in wanted]
    more = [each for each, parts in zip(found, there, strict=True) if not any(_alike(parts, one) for one in declared)]
    missing = [
        each for each, parts in zip(wanted, declared, strict=True) if not any(_alike(one, parts) for one in there)
    ]
    why = [_difference(each, _taken(more, each)) for each in missing]
    why += [f"more: {_name(each)} allows {_actions(each)}" for each in more if _effect(each) != "deny"]
    return not why, "; ".join(why)


def listed(document: Mapping[str, Any] | None) -> list[Json]:
    """The statements of a policy, of which there may be one without a list."""
    statements = (document or {}).get("Statement", [])
    return list(statements) if isinstance(statements, list) else [statements]


def _taken(more: list[Json], wanted: Json) -> Json | None:
    """The statement that is there in the place of one that is missing, which is then no more than declared."""
    same = [each for each in more if _name(each) == _name(wanted)]
    same.sort(key=lambda each: _effect(each) != _effect(wanted))
    if same:
        more.remove(same[0])
    return same[0] if same else None


def _effect(statement: Json) -> str:
    return str(statement.get("Effect")).lower()


def _difference(wanted: Json, found: Json | None) -> str:
    if found is None:
        return f"without {_name(wanted)}"
    parts, there = _parts(wanted), _parts(found)
    other = [
        name
        for name in sorted({*parts, *there})
        if name not in parts or name not in there or not _fits(there[name], parts[name])
    ]
    return f"{_name(wanted)}: another {', '.join(other)}"


def _name(statement: Json) -> str:
    return str(statement.get("Sid") or f"a statement without a name ({_actions(statement)})")


def _actions(statement: Json) -> str:
    parts = _parts({name: each for name, each in statement.items() if name in ("Action", "NotAction")})
    told = [f"{'all but ' if name == 'NotAction' else ''}{', '.join(sorted(parts[name]))}" for name in parts]
    return " and ".join(told).replace(ANYTHING, "?") or "nothing"


def _alike(found: Parts, wanted: Parts) -> bool:
    return found.keys() == wanted.keys() and all(_fits(found[name], wanted[name]) for name in wanted)


def _fits(found: frozenset[str], wanted: frozenset[str]) -> bool:
    """Each value stands for one of the other side, so that what is not known allows for one value and no more."""
    patterns = [_pattern(one) for one in wanted]
    return (
        len(found) <= len(wanted)
        and all(any(each.fullmatch(one) for each in patterns) for one in found)
        and all(any(each.fullmatch(one) for one in found) for each in patterns)
    )


def _pattern(text: str) -> re.Pattern[str]:
    # what is not known is the name of something, which no wildcard is
    return re.compile("[^*?]+".join(map(re.escape, text.split(ANYTHING))))


def _parts(statement: Json) -> Parts:
    parts = dict[str, frozenset[str]]()
    for name, values in _flat(statement):
        # a key told twice, once in small letters, must not stand for itself alone
        parts[f"{name} again" if name in parts else name] = values
    return parts


def _flat(statement: Json) -> Iterator[tuple[str, frozenset[str]]]:
    for name, value in statement.items():
        if name in ("Principal", "NotPrincipal"):
            of_kinds = value if isinstance(value, dict) else {"AWS": value}
            for kind, principals in of_kinds.items():
                yield f"{name} {kind}", frozenset(_ROOT.sub(r"\1", one) for one in _texts(principals))
        elif name == "Condition":
            for operator, keys in value.items():
                for key, values in keys.items():
                    yield f"Condition {operator} {key.lower()}", _condition(operator, values)
        elif name != "Sid":
            texts = _texts(value)
            yield name, frozenset(map(str.lower, texts)) if name in _IN_ANY_CASE else texts


def _condition(operator: str, values: Any) -> frozenset[str]:
    texts = _texts(values)
    return frozenset(map(str.lower, texts)) if "Bool" in operator or "Null" in operator else texts


def _texts(value: Any) -> frozenset[str]:
    """Policies tell numbers and truth as text, and one value with or without a list."""
    several = value if isinstance(value, list) else [value]
    return frozenset(str(one).lower() if isinstance(one, bool) else str(one) for one in several)

"""What the template says of policies and keys, held against what AWS tells of them."""

import json
from collections.abc import Mapping
from typing import Any

from infra.smoke.account import Account, certain

type Json = dict[str, Any]


def has_statements(told: str | None, declared: Mapping[str, Any]) -> tuple[bool, str]:
    """That no statement of the template is missing or weaker: its effect, its actions and its conditions."""
    found = {each.get("Sid"): each for each in json.loads(told)["Statement"]} if told else {}
    missing = [each["Sid"] for each in certain(declared) if not _is_as_strong(found.get(each["Sid"], {}), each)]
    return not missing, f"without {', '.join(missing)}"


def is_under(account: Account, used: str, expression: Any) -> bool:
    """Whether an ARN or id that AWS tells is that of the key which an expression of the template names."""
    match expression:
        case {"Fn::GetAtt": [str(logical), _]} | {"Ref": str(logical)}:
            key = account.physical(logical)
            return bool(key) and used.endswith(key.rpartition("/")[2])
    return False


def _is_as_strong(found: Json, wanted: Json) -> bool:
    return (
        found.get("Effect") == wanted["Effect"]
        and _listed(found.get("Action")) >= _listed(wanted["Action"])
        and _has_conditions(found.get("Condition"), wanted.get("Condition"))
    )


def _has_conditions(found: Any, wanted: Any) -> bool:
    """Whether conditions are those of the template, as far as it tells them in words and numbers of its own."""
    match wanted:
        case None:
            return found is None
        case {"Fn::If": _} | {"Fn::Sub": _} | {"Fn::GetAtt": _} | {"Ref": _}:
            return found is not None
        case dict():
            return isinstance(found, dict) and all(_has_conditions(found.get(name), wanted[name]) for name in wanted)
        case list():
            there = _texts(found)
            return all(_texts(one) <= there for one in wanted if not isinstance(one, dict))
    return _texts(found) == _texts(wanted)


def _texts(value: Any) -> set[str]:
    """Policies tell numbers and truth as text, and one value with or without a list."""
    return {str(one).lower() for one in (value if isinstance(value, list) else [value])}


def _listed(actions: Any) -> set[str]:
    return set(actions) if isinstance(actions, list) else {actions}

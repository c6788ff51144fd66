"""What the template says of policies and keys, held against what AWS tells of them."""

import json
from typing import Any

from infra.smoke.account import Account
from infra.smoke.result import Judgement
from infra.smoke.statements import as_declared, listed


def has_statements(account: Account, declared: Any, told: str | None) -> Judgement:
    """That a policy, as text of JSON or none at all, is the one that the template declares."""
    return as_declared(listed(json.loads(told) if told else None), listed(account.resolved(declared)))


def is_under(account: Account, used: str, expression: Any) -> bool:
    """Whether an ARN or id that AWS tells is that of the key which an expression of the template names."""
    match expression:
        case {"Fn::GetAtt": [str(logical), _]} | {"Ref": str(logical)}:
            key = account.physical(logical)
            return bool(key) and used.endswith(key.rpartition("/")[2])
    return False

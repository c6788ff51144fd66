"""The matrix of habilitations: which profession may consult which type of document (R.1111-46)."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dmp.domain.code_lists import document_types
from dmp.domain.requester import Requester, RequesterKind

_MATRIX = Path(__file__).parent.parent / "data" / "access_matrix.json"
_EMPLOYEE = "CPE"
"""The row of secretaries, who have no profession of health."""


def permits(profession: str | None, type_code: str | None) -> bool:
    """Whether a profession (G15) may consult a type of document; what the matrix does not know is denied.

    The author, the médecin traitant and the patient stand outside the matrix.
    """
    return type_code in rows().get(profession or "", frozenset())


def row_of(requester: Requester) -> str | None:
    """The row that a caller reads by; None for those who never read by the matrix, whatever the patient says."""
    if requester.kind is RequesterKind.PROFESSIONAL:
        return requester.profession
    is_employee = requester.kind is RequesterKind.EMPLOYEE
    return _EMPLOYEE if is_employee and rows().get(_EMPLOYEE) else None


def professions() -> tuple[str, ...]:
    """The professions that have a row."""
    return tuple(row for row in rows() if row != _EMPLOYEE)


@cache
def rows() -> Mapping[str, frozenset[str]]:
    """The types that each row permits."""
    every_type = frozenset(document_types())
    table = json.loads(_MATRIX.read_bytes())["professions"]
    return {profession: _types_of(row, every_type) for profession, row in table.items()}


def _types_of(row: dict[str, list[str]], every_type: frozenset[str]) -> frozenset[str]:
    if "allowed" in row:
        return every_type & frozenset(row["allowed"])
    return every_type.difference(row["denied"], row.get("assumed_denied", ()))

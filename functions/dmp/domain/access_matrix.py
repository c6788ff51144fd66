"""The matrix of habilitations: which profession may consult which type of document (R.1111-46)."""

import json
from functools import cache
from pathlib import Path

from dmp.domain.code_lists import document_types

_MATRIX = Path(__file__).parent.parent / "data" / "access_matrix.json"


def permits(profession: str | None, type_code: str | None) -> bool:
    """Whether a profession (G15) may consult a type of document; what the matrix does not know is denied.

    The author, the médecin traitant and the patient stand outside the matrix.
    """
    return type_code in _permitted().get(profession or "", frozenset())


@cache
def _permitted() -> dict[str, frozenset[str]]:
    every_type = frozenset(document_types())
    rows = json.loads(_MATRIX.read_bytes())["professions"]
    return {profession: _types_of(row, every_type) for profession, row in rows.items()}


def _types_of(row: dict[str, list[str]], every_type: frozenset[str]) -> frozenset[str]:
    if "allowed" in row:
        return every_type & frozenset(row["allowed"])
    return every_type.difference(row["denied"], row.get("assumed_denied", ()))

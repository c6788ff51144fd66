"""Confidentiality of a document: whatever form came in, `N` and the extra codes are stored (JDV_J08, TRE_A07)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dmp.domain.code_lists import canonical_system
from dmp.domain.document import Visibility
from dmp.domain.errors import Invalid
from dmp.fhir.systems import CONFIDENTIALITY, VISIBILITY, VISIBILITY_MISSPELT

type Concept = Mapping[str, Any]

_NORMAL = "N"
_SYNONYMS = {
    "NOPAT": Visibility.INVISIBLE_PATIENT,
    "INVISIBLE_REP_LEGAUX": Visibility.INVISIBLE_REPRESENTANTS_LEGAUX,
    **{visibility.value: visibility for visibility in Visibility},
}
_DISPLAYS = {
    Visibility.MASQUE_PS: "Masqué aux professionnels de santé",
    Visibility.INVISIBLE_PATIENT: "Non visible par le patient",
    Visibility.INVISIBLE_REPRESENTANTS_LEGAUX: "Non visible par les représentants légaux",
}


def visibility_of(labels: Iterable[Concept]) -> frozenset[Visibility]:
    """The extra codes among labels, by their code whatever the system: a mask is never lost to a misspelt URL."""
    codes = (coding.get("code") for _, coding in _codings(labels))
    return frozenset(_SYNONYMS[code] for code in codes if code in _SYNONYMS)


def normalised(labels: Iterable[Concept], path: str) -> list[dict[str, Any]]:
    """The labels to store: `N`, then those of other systems, then the extra codes.

    Raises Invalid `unknown-code` for a code of TRE_A07 that does not exist: a mask must not be lost to a typing error.
    """
    kept = list(labels)
    for index, coding in _codings(kept):
        if _system(coding) == VISIBILITY and coding.get("code") not in (*_SYNONYMS, _NORMAL):
            raise Invalid("unknown-code", f"{path}[{index}]", "no visibility of that code exists")
    others = [dict(label) for label in kept if _says_something_else(label)]
    return [_concept(CONFIDENTIALITY, _NORMAL, "normal"), *others, *map(label_of, sorted(visibility_of(kept)))]


def label_of(visibility: Visibility) -> dict[str, Any]:
    """The label of one extra code."""
    return _concept(VISIBILITY, visibility.value, _DISPLAYS[visibility])


def _says_something_else(label: Concept) -> bool:
    codes = {coding.get("code") for coding in label.get("coding", [])}
    is_normal = _NORMAL in codes and all(
        _system(coding) in (CONFIDENTIALITY, VISIBILITY, "") for coding in label["coding"]
    )
    return not is_normal and not codes & _SYNONYMS.keys()


def _codings(labels: Iterable[Concept]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, label in enumerate(labels):
        for coding in label.get("coding", []):
            yield index, coding


def _system(coding: Mapping[str, Any]) -> str:
    system = coding.get("system", "")
    return VISIBILITY if system == VISIBILITY_MISSPELT else canonical_system(system)


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}

"""Confidentiality of a document: whatever form came in, `N` and the extra codes are stored (JDV_J08, TRE_A07)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dmp.domain.code_lists import canonical_system
from dmp.domain.document import Visibility
from dmp.domain.errors import Invalid
from dmp.fhir.systems import (
    ACT_CODE,
    ACT_REASON,
    CONFIDENTIALITY,
    OBSERVATION_VALUE,
    VISIBILITY,
    VISIBILITY_MISSPELT,
)

type Concept = Mapping[str, Any]

_NORMAL = "N"
_CONFIDENTIALITIES = frozenset("ULMNRV")
_SYSTEMS = frozenset({ACT_CODE, ACT_REASON, OBSERVATION_VALUE})
"""Systems of labels that FHIR's value set draws on, beside confidentiality; none of them changes who sees what."""
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
    return _labels(kept, visibility_of(kept))


def unknown_label(label: Concept) -> bool:
    """Whether a label says nothing that is understood here: it is kept as it was sent, and hides nothing."""
    return not any(_is_understood(coding) for _, coding in _codings([label]))


def relabelled(resource: Mapping[str, Any], visibility: Iterable[Visibility]) -> dict[str, Any]:
    """A resource with these extra codes alone: `N` and the labels of other systems stay."""
    return {**resource, "securityLabel": _labels(resource.get("securityLabel", []), visibility)}


def label_of(visibility: Visibility) -> dict[str, Any]:
    """The label of one extra code."""
    return _concept(VISIBILITY, visibility.value, _DISPLAYS[visibility])


def _labels(labels: Iterable[Concept], visibility: Iterable[Visibility]) -> list[dict[str, Any]]:
    return [_concept(CONFIDENTIALITY, _NORMAL, "normal"), *_others(labels), *map(label_of, sorted(visibility))]


def _others(labels: Iterable[Concept]) -> Iterator[dict[str, Any]]:
    """What labels say besides `N` and the extra codes, be it within the same concept."""
    for label in labels:
        codings = [coding for coding in label.get("coding", []) if not _is_ours(coding)]
        if codings:
            yield {**label, "coding": codings}
        elif "coding" not in label:
            yield dict(label)


def _is_ours(coding: Mapping[str, Any]) -> bool:
    is_normal = coding.get("code") == _NORMAL and _system(coding) in (CONFIDENTIALITY, VISIBILITY, "")
    return is_normal or coding.get("code") in _SYNONYMS


def _is_understood(coding: Mapping[str, Any]) -> bool:
    is_confidentiality = _system(coding) == CONFIDENTIALITY and coding.get("code") in _CONFIDENTIALITIES
    return _is_ours(coding) or is_confidentiality or _system(coding) in _SYSTEMS


def _codings(labels: Iterable[Concept]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, label in enumerate(labels):
        for coding in label.get("coding", []):
            yield index, coding


def _system(coding: Mapping[str, Any]) -> str:
    system = coding.get("system", "")
    return VISIBILITY if system == VISIBILITY_MISSPELT else canonical_system(system)


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}

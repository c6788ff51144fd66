"""The paths of a FHIRPath Patch: the few forms that name one element of a resource (FHIR R4 fhirpatch)."""

import re

BY_CODE, BY_URL = "code=", "url="
"""Steps of a path that pick an element by the code or the url within."""

_TERM = r"(?:code|system)\s*=\s*'[^']*'"
_TERMS = rf"\s*{_TERM}(?:\s+and\s+{_TERM})*\s*"
_CODING_TERM = rf"coding(?:\[0\]|\.first\(\))?\.{_TERM}"
_FIRST = r"(?:\[0\]|\.first\(\))?"
_HAS_CODE = (
    rf"(?:coding\.where\({_TERMS}\)\.exists\(\)|coding\.exists\({_TERMS}\)|{_CODING_TERM}(?:\s+and\s+{_CODING_TERM})*)"
)
_LABEL = re.compile(rf"meta\.security\.where\({_TERMS}\){_FIRST}", re.ASCII)
_BY_CODE = re.compile(rf"([A-Za-z]+)(?:\.where\(\s*{_HAS_CODE}\s*\)|\.coding\.where\({_TERMS}\)){_FIRST}", re.ASCII)
_CODE = re.compile(r"\bcode\s*=\s*'([^']*)'", re.ASCII)
_BY_URL = re.compile(
    rf"extension(?:\.where\(\s*url\s*=\s*'([^']+)'\s*\)|\('([^']+)'\)){_FIRST}"
    r"(?:\.value(?:Boolean|\.ofType\(boolean\)|\.as\(boolean\))?)?",
    re.ASCII,
)
_STEP = re.compile(r"([A-Za-z]+)(?:\[(\d{1,4})\])?", re.ASCII)


def steps_of(path: str) -> tuple[str, ...] | None:
    """The steps of a path, the resource type first where it is told; None for a form that is not read here."""
    text = path if "'" in path else path.replace('"', "'")
    first, _, rest = text.partition(".")
    typed = (first,) if first[:1].isupper() else ()
    below = rest if typed else text
    found = _picked(below) if below else ()
    return None if found is None else (*typed, *found)


def _picked(text: str) -> tuple[str, ...] | None:
    if match := _BY_URL.fullmatch(text):
        return "extension", BY_URL + (match[1] or match[2])
    if _LABEL.fullmatch(text) and (code := _CODE.search(text)):
        return "meta", "security", BY_CODE + code[1]
    if (match := _BY_CODE.fullmatch(text)) and (code := _CODE.search(text)):
        return match[1], BY_CODE + code[1]
    return _plain(text)


def _plain(text: str) -> tuple[str, ...] | None:
    steps: list[str] = []
    for part in text.replace(".first()", "[0]").split("."):
        match = _STEP.fullmatch(part)
        if not match:
            return None
        steps.append(match[1])
        if match[2] is not None:
            steps.append(str(int(match[2])))
    return tuple(steps)

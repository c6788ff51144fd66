"""The input `Parameters` of the operations on a record ($open, $close, $reopen …), read one by one (FHIR R4 REST)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier
from dmp.fhir.references import identifier_of
from dmp.fhir.times import parse_datetime
from dmp.fhir.validation import validate

_LONGEST_TEXT = 10_000
_CLOCK_DRIFT = timedelta(seconds=60)
_DAY = len("2026-01-31")


class OperationInput:
    """Parameters by their name; each may be given once, and names that the operation does not know are ignored."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """Check the Parameters resource; raises Invalid."""
        self._parts: dict[str, Mapping[str, Any]] = {}
        for index, part in enumerate(validate(parameters, "Parameters").get("parameter", [])):
            if part["name"] in self._parts:
                raise Invalid("invalid-parameter", f"Parameters.parameter[{index}]", "a parameter is given twice")
            self._parts[part["name"]] = part

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def text(self, name: str, longest: int = _LONGEST_TEXT) -> str:
        """A valueString of so many characters at most, without blanks around it; empty where it is not given."""
        value = str(self._value(name, "valueString") or "").strip()
        if len(value) > longest:
            raise Invalid("invalid-parameter", place_of(name), f"the text has more than {longest} characters")
        return value

    def code[Code: StrEnum](self, name: str, kinds: type[Code], missing: str = "missing-parameter") -> Code:
        """A valueCode out of these; raises Invalid `missing` where it is not given."""
        value = self._value(name, "valueCode")
        if value is None:
            raise Invalid(missing, place_of(name), "a required parameter is missing")
        if value not in list(kinds):
            raise Invalid("invalid-parameter", place_of(name), "the code is none of this operation's")
        return kinds(value)

    def coded(self, name: str) -> str:
        """A valueCode of any system, or the code of a valueCoding; empty where it is not given."""
        part = self._parts.get(name, {})
        value = part["valueCoding"].get("code") if "valueCoding" in part else self._value(name, "valueCode")
        return str(value or "")

    def past_moment(self, name: str, now: datetime, missing: str = "missing-parameter") -> datetime:
        """A valueDateTime that is past, to the day at least; a day stands for its beginning in Europe/Paris."""
        value = self._value(name, "valueDateTime")
        if value is None:
            raise Invalid(missing, place_of(name), "a required parameter is missing")
        moments = parse_datetime(value)
        if moments is None or len(value) < _DAY or moments[0] > now + _CLOCK_DRIFT:
            raise Invalid("invalid-parameter", place_of(name), "a past day or instant is required")
        return moments[0]

    def identifier(self, name: str) -> Identifier | None:
        """A valueIdentifier with system and value."""
        value = self._value(name, "valueIdentifier")
        found = identifier_of(value)
        if value is not None and found is None:
            raise Invalid("invalid-parameter", place_of(name), "an identifier has a system and a value")
        return found

    def reference(self, name: str) -> Mapping[str, Any]:
        """A valueReference; an empty one where it is not given."""
        value: Mapping[str, Any] = self._value(name, "valueReference") or {}
        return value

    def parts(self, name: str) -> "OperationInput":
        """The parts of a parameter, each by its name; none where it has none."""
        part = self._parts.get(name, {}).get("part", [])
        return OperationInput({"resourceType": "Parameters"} | ({"parameter": part} if part else {}))

    def resource(self, name: str) -> Mapping[str, Any] | None:
        """A resource, not yet checked."""
        part = self._parts.get(name)
        if part is None:
            return None
        if "resource" not in part:
            raise Invalid("invalid-parameter", place_of(name), "the parameter holds a resource")
        resource: Mapping[str, Any] = part["resource"]
        return resource

    def _value(self, name: str, kind: str) -> Any:
        part = self._parts.get(name)
        if part is None:
            return None
        if kind not in part:
            raise Invalid("invalid-parameter", place_of(name), f"the parameter is a {kind}")
        return part[kind]


def place_of(name: str) -> str:
    """The FHIRPath of a parameter."""
    return f"Parameters.parameter.where(name='{name}')"

"""Values of search parameters: tokens, references, texts, dates, as FHIR R4 compares them (hl7.org/fhir/R4/search)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dmp.domain import words
from dmp.domain.civil_time import PARIS
from dmp.fhir.times import parse_datetime

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)


_BETWEEN_WORDS = str.maketrans("-'\N{RIGHT SINGLE QUOTATION MARK}", "   ")
_DAY = timedelta(days=1)
EXACT, CONTAINS = "exact", "contains"


class Prefix(StrEnum):
    """How a date compares."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    AT_LEAST = "ge"
    AT_MOST = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"
    APPROXIMATELY = "ap"
    """Within the length of the stated date, a day at least, before or after it."""


@dataclass(frozen=True, slots=True)
class Token:
    """`system|code`: no system given means any (None), an empty one means none; no code means any of the system."""

    system: str | None
    code: str

    def matches(self, system: str, code: str) -> bool:
        """Whether a coding, an identifier or a code is meant; give an empty system for what has none."""
        return (self.system is None or self.system == system) and (not self.code or self.code == code)


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """What a reference names: `Type/id`, an id alone, or an address that is not ours."""

    text: str

    def matches(self, reference: str) -> bool:
        """Whether a relative reference is the one meant, whatever its version."""
        current = reference.partition("/_history/")[0]
        if "/" in self.text:
            return self.text in (reference, current)
        return current.endswith(f"/{self.text}")


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text to be found at the beginning of an element, anywhere in it (`contains`), or to be it (`exact`)."""

    text: str
    modifier: str = ""

    def matches(self, text: str) -> bool:
        """Whether a text is meant; case, accents, hyphens and apostrophes count with `exact` alone."""
        if self.modifier == EXACT:
            return text == self.text
        wanted, found = folded(self.text), folded(text)
        return wanted in found if self.modifier == CONTAINS else found.startswith(wanted)


def folded(text: str) -> str:
    """A text without case, accents, ligatures and what only holds its words together or apart."""
    return " ".join(words.folded(text).translate(_BETWEEN_WORDS).split())


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix and the half-open range of instants that the date stands for."""

    prefix: Prefix
    start: datetime
    end: datetime

    @property
    def wide(self) -> tuple[datetime, datetime]:
        """The range with its length, a day at least, on both sides."""
        margin = max(self.end - self.start, _DAY)
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        start = self.start - margin if self.start - first > margin else first
        return start, self.end + margin if last - self.end > margin else last

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        """Whether a time of service (`end` excluded, None while it lasts) compares: `eq` asks for a common moment."""
        last = end or datetime.max.replace(tzinfo=UTC)
        match self.prefix:
            case Prefix.EQUAL:
                return start < self.end and last > self.start
            case Prefix.NOT_EQUAL:
                return start >= self.end or last <= self.start
            case Prefix.AT_LEAST:
                return last > self.start
            case Prefix.AT_MOST:
                return start < self.end
        return self.matches(start, end)

    def matches(self, start: datetime, end: datetime | None) -> bool:
        """Whether the range of a resource (`end` excluded, None for open) compares as the prefix asks."""
        last = end or datetime.max.replace(tzinfo=UTC)
        return _COMPARISONS[self.prefix](self, start, last)

    def matches_instant(self, moment: datetime) -> bool:
        """Whether a moment, known to the millisecond, compares as the prefix asks."""
        return self.matches(moment, moment + timedelta(milliseconds=1))

    @property
    def window(self) -> tuple[datetime | None, datetime | None]:
        """Between which instants (the second excluded, None for open) everything lies that can match."""
        match self.prefix:
            case Prefix.EQUAL:
                return self.start, self.end
            case Prefix.AT_LEAST:
                return self.start, None
            case Prefix.GREATER | Prefix.STARTS_AFTER:
                return self.end, None
            case Prefix.AT_MOST:
                return None, self.end
            case Prefix.LESS | Prefix.ENDS_BEFORE:
                return None, self.start
            case Prefix.APPROXIMATELY:
                return self.wide
            case Prefix.NOT_EQUAL:
                return None, None


def _equal(value: DateValue, start: datetime, end: datetime) -> bool:
    return value.start <= start and end <= value.end


def _near(value: DateValue, start: datetime, end: datetime) -> bool:
    low, high = value.wide
    return start < high and end > low


_COMPARISONS: dict[Prefix, Callable[[DateValue, datetime, datetime], bool]] = {
    Prefix.EQUAL: _equal,
    Prefix.NOT_EQUAL: lambda value, start, end: not _equal(value, start, end),
    Prefix.GREATER: lambda value, start, end: end > value.end,
    Prefix.LESS: lambda value, start, end: start < value.start,
    Prefix.AT_LEAST: lambda value, start, end: end > value.end or _equal(value, start, end),
    Prefix.AT_MOST: lambda value, start, end: start < value.start or _equal(value, start, end),
    Prefix.STARTS_AFTER: lambda value, start, end: start >= value.end,
    Prefix.ENDS_BEFORE: lambda value, start, end: end <= value.start,
    Prefix.APPROXIMATELY: _near,
}


def common_window(alternatives: Iterable[Iterable[DateValue]]) -> tuple[datetime | None, datetime | None]:
    """The instants between which a moment lies that satisfies one of each group; None where it is open."""
    lows, highs = [], []
    for values in alternatives:
        windows = [value.window for value in values]
        starts, ends = [low for low, _ in windows if low], [high for _, high in windows if high]
        if len(starts) == len(windows):
            lows.append(min(starts))
        if len(ends) == len(windows):
            highs.append(max(ends))
    return max(lows, default=None), min(highs, default=None)


def alternatives(text: str) -> list[str]:
    """Split at the commas that no backslash escapes; empty ones are left out."""
    return [part for part in _split(text, ",") if part]


def parse_token(text: str) -> Token | None:
    """Read `code`, `system|code`, `|code` or `system|`; None when there is nothing in it."""
    system, bar, code = _partition(text)
    if not code and not system:
        return None
    return Token(unescape(system) if bar else None, unescape(code))


def parse_reference(text: str, base_url: str, targets: tuple[str, ...] = ()) -> ReferenceValue | None:
    """Read `id`, `Type/id` or an absolute URL; None when it is none, or of a type that the parameter never names."""
    text = unescape(text).removeprefix(f"{base_url}/")
    if _ID.fullmatch(text):
        return ReferenceValue(f"{targets[0]}/{text}" if len(targets) == 1 else text)
    if _RELATIVE.fullmatch(text):
        named = text.partition("/")[0]
        return ReferenceValue(text) if not targets or named in targets else None
    return ReferenceValue(text) if re.match(r"(https?://|urn:)\S+$", text) else None


def parse_date_value(text: str) -> DateValue | None:
    """Read a date of any precision with its prefix; what has no time zone is meant in Europe/Paris."""
    prefix, rest = (text[:2], text[2:]) if text[:1].isalpha() else (Prefix.EQUAL.value, text)
    span = _span(rest.replace(" ", "+"))  # a plus that the client did not encode arrives as a space
    if prefix not in set(Prefix) or span is None:
        return None
    return DateValue(Prefix(prefix), *span)


def _span(text: str) -> tuple[datetime, datetime] | None:
    match = _MOMENT.fullmatch(text)
    if not match:
        return parse_datetime(text)
    minutes, seconds, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{minutes}:{seconds or '00'}{(fraction or '')[:7]}{offset or ''}")
        start = (moment if offset else moment.replace(tzinfo=PARIS)).astimezone(UTC)
        return start, start + _precision(seconds, fraction)
    except (ValueError, OverflowError):
        return None


def _precision(seconds: str | None, fraction: str | None) -> timedelta:
    if seconds is None:
        return timedelta(minutes=1)
    return timedelta(microseconds=max(1, 10 ** (7 - len(fraction)))) if fraction else timedelta(seconds=1)


def _split(text: str, separator: str) -> list[str]:
    parts: list[str] = []
    begin, escaped = 0, False
    for place, character in enumerate(text):
        if character == separator and not escaped:
            parts.append(text[begin:place])
            begin = place + 1
        escaped = character == "\\" and not escaped
    return [*parts, text[begin:]]


def _partition(text: str) -> tuple[str, bool, str]:
    parts = _split(text, "|")
    return (parts[0], True, "|".join(parts[1:])) if len(parts) > 1 else ("", False, text)


def unescape(text: str) -> str:
    """Take the backslashes out that escape FHIR's separators."""
    return re.sub(r"\\(.)", r"\1", text)

"""What a caller accepts, and how much: the `Accept` header (RFC 9110 §12.5.1)."""

from collections.abc import Iterator
from typing import NamedTuple

from dmp.exchange import media_type

_EXACT, _FAMILY, _ANYTHING = 2, 1, 0


class Preference(NamedTuple):
    """How much something is wanted: by quality, then by how exactly it was named."""

    quality: float
    exactness: int


class Accepted:
    """An `Accept` header; no header, or an empty one, accepts everything."""

    def __init__(self, header: str) -> None:
        self._qualities = dict(_qualities(header)) or {"*/*": 1.0}

    def preference(self, *names: str) -> Preference | None:
        """How much media types that are one and the same are wanted; None where they are not."""
        return max((wanted for name in names if (wanted := self._of(name))), default=None)

    @property
    def named(self) -> list[str]:
        """The media types that are accepted by their full names."""
        return [name for name, quality in self._qualities.items() if quality > 0 and not name.endswith("*")]

    def _of(self, name: str) -> Preference | None:
        family = name.partition("/")[0] + "/*"
        for exactness, wanted in ((_EXACT, name), (_FAMILY, family), (_ANYTHING, "*/*")):
            if wanted in self._qualities:
                quality = self._qualities[wanted]
                return Preference(quality, exactness) if quality > 0 else None
        return None


def _qualities(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        if name := media_type(part):
            yield name, _quality(part.partition(";")[2])


def _quality(parameters: str) -> float:
    given = [p.strip().lower().removeprefix("q=") for p in parameters.split(";") if p.strip().lower().startswith("q=")]
    is_number = bool(given) and given[0].isascii() and given[0].replace(".", "", 1).isdigit()
    return min(float(given[0]), 1.0) if is_number else 1.0

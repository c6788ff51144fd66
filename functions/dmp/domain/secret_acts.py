"""Acts that a minor may keep secret from the holders of parental authority, by codes and words (L.1111-5, L.2212-7)."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.words import words_in

_DATA = Path(__file__).parent.parent / "data"
_LONGEST_CODE = 20
"""Characters of what may be a code as a whole."""
_NOT_OF_CODES = re.compile(r"[\W_]+")
_ICD_10 = re.compile(r"[A-Z]\d\d(\d\w{0,3})?", re.ASCII)
_SPELT = re.compile(r"(?<=\b[^\W\d_])[. -]{1,2}(?=[^\W\d_]\b)")
"""Between the letters of an abbreviation: I.V.G."""


def tell_of_secret_acts(sayings: Collection[str]) -> bool:
    """Whether one of these codes and texts is the code of such an act, of whatever system, or they have words of one.

    No secret is lost to a misspelt system, and too much is better than too little. Acts that neither codes nor words
    tell of are marked by whoever feeds them.
    """
    if any(may_be_kept_secret(one) for one in sayings if len(one) <= _LONGEST_CODE):
        return True
    words = frozenset(words_in(_SPELT.sub("", "\n".join(sayings))))
    return _words().are_in(words) or any(may_be_kept_secret(one) for one in _numbered(words))


def may_be_kept_secret(code: str) -> bool:
    """Whether a code, however it is written, is that of such an act."""
    plain = _plain(code)
    known = _codes()
    if plain in known.exact or plain.startswith(known.families):
        return True
    return plain[:3] in known.categories and _ICD_10.fullmatch(plain) is not None


@dataclass(frozen=True, slots=True)
class _Codes:
    """Codes, beginnings of codes, and categories of ICD-10."""

    exact: frozenset[str]
    families: tuple[str, ...]
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Words:
    """Words that tell by themselves, whole and by their beginnings, and those that tell together."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]

    def are_in(self, words: frozenset[str]) -> bool:
        """Whether the words of a line tell of such an act."""
        return (
            not self.whole.isdisjoint(words)
            or any(one.startswith(self.beginnings) for one in words)
            or any(all(_is_among(term, words) for term in terms) for terms in self.together)
        )


def _is_among(term: str, words: frozenset[str]) -> bool:
    if term.endswith("*"):
        return any(one.startswith(term[:-1]) for one in words)
    return term in words


def _numbered(words: frozenset[str]) -> Iterator[str]:
    """The words that look like codes: letters, then digits."""
    return (one for one in words if one[0].isalpha() and not one.isalpha())


def _plain(code: str) -> str:
    """A code without points, blanks and leading zeros: O04.9, g03ad01, 0388."""
    plain = _NOT_OF_CODES.sub("", code).upper()
    return plain.lstrip("0") if plain.isdigit() else plain


@cache
def _codes() -> _Codes:
    found = _read("secret_acts.json")
    acts: list[dict[str, Any]] = found["acts"]
    return _Codes(
        exact=frozenset(_plain(act["code"]) for act in acts if not act.get("family")),
        families=tuple(act["code"] for act in acts if act.get("family")),
        categories=frozenset(one for span in found["ranges"] for one in _categories(span["from"], span["to"])),
    )


def _categories(first: str, last: str) -> Iterator[str]:
    """The categories of ICD-10 of one letter, from one to another."""
    return (f"{first[0]}{number:02}" for number in range(int(first[1:]), int(last[1:]) + 1))


@cache
def _words() -> _Words:
    entries = [tuple(one.split()) for group in _read("secret_words_fr.json")["words"].values() for one in group]
    alone = [terms[0] for terms in entries if len(terms) == 1]
    return _Words(
        whole=frozenset(one for one in alone if not one.endswith("*")),
        beginnings=tuple(one[:-1] for one in alone if one.endswith("*")),
        together=tuple(terms for terms in entries if len(terms) > 1),
    )


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_DATA / name).read_bytes())
    return content

"""Sentences that say that there is nothing of a kind, and nothing else: every word of them is one of a closed list."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from unicodedata import combining, normalize

from dmp.cda.vocabulary import phrases

_MARKS = re.compile(r"[.;,!\n]+")
_WORD = re.compile(r"\w+|[^\w\s]")
_APOSTROPHES = str.maketrans("’'", "  ")
_WORDS = ("alone", "answers", "openers", "links", "times", "states")
_LONGEST = 300
"""Characters of a text that may deny: what is longer says more."""


class Denied(StrEnum):
    """What a text may say there is none of."""

    ALLERGY = "allergy"
    PROBLEM = "problem"
    TREATMENT = "treatment"
    VACCINATION = "vaccination"


def denies(text: str, kind: Denied) -> bool:
    """Whether a text says that there is nothing of a kind, and nothing else.

    It is read whole: an exception, another thing, a doubt or a comparison with before has a word that no denial has.
    """
    if len(text) > _LONGEST:
        return False
    sentences = [plain for one in _MARKS.split(text) if (plain := _plain(one))]
    return bool(sentences) and all(_sentence(kind).fullmatch(one) for one in sentences)


def names_something(text: str, kind: Denied) -> bool:
    """Whether a text has a word beyond those that denials of a kind, and its headings, are made of."""
    return not _bare(kind).fullmatch(_plain(_MARKS.sub(" ", text)))


def _plain(text: str) -> str:
    """The words and marks of a text in lower case without accents, a space between; a slash is an `ou`."""
    bare = "".join(one for one in normalize("NFD", text.casefold()) if not combining(one))
    return " ".join(_WORD.findall(bare.translate(_APOSTROPHES).replace("/", " ou ")))


@cache
def _sentence(kind: Denied) -> re.Pattern[str]:
    """A denial: an opener and what it denies, with links to more of it; or, after a heading, a bare answer."""
    nouns, others, kinds = (phrases("denied", kind, name) for name in ("nouns", "others", "kinds"))
    alone, answers, openers, links, times, states = (phrases("denials", name) for name in _WORDS)
    noun, thing, opener, link = _any(nouns), _any([*nouns, *others]), _any(openers), _any(links)
    quality = _any([*kinds, *states, *times])
    linked = f"(?:{link} (?:{opener} )?(?:{thing}|{_any([*kinds, *states])})|{opener} {thing})"
    quantity = f"{opener} (?:{thing} {link} )?{noun}(?: (?:{quality}|{linked}))*"
    heading = f"{thing}(?: (?:{quality}|{link} (?:{thing}|{quality})))*"
    headed = f"(?:{thing}(?: {link} {thing})* : )?"
    return re.compile(f"{headed}{quantity}|{_any(alone)}|{heading} (?:: )?{_any([*alone, *answers])}")


@cache
def _bare(kind: Denied) -> re.Pattern[str]:
    words = (phrases("denials", name) for name in _WORDS)
    own = (phrases("denied", kind, name) for name in ("nouns", "others", "kinds"))
    known = _any([*(one for group in (*words, *own) for one in group), "oui", "et", r"\W"])
    return re.compile(f"(?:{known}(?: {known})*)?")


def _any(known: Iterable[str]) -> str:
    """One of some phrases, the longest first; a mark stands for itself."""
    ranked = sorted(known, key=len, reverse=True)
    return f"(?:{'|'.join(one if one.startswith(chr(92)) else re.escape(_plain(one)) for one in ranked)})"

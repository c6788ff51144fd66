"""Groups of substances to which people are allergic, by the codes and words that name them: a table, not knowledge."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dmp.domain.words import folded

_BETWEEN = re.compile(
    r"[,;:()\[\]\n]|[.](?=\s|$)|\s[-/\u2013\u2014]\s|\bet\b(?= (?:une |des |les )?(?:allerg|intoler))"
)
"""What stands between clauses of a text."""
_NO_WORD = re.compile(r"[\W_]+")
_TABLE = Path(__file__).parent.parent / "data" / "allergy_groups.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyGroup:
    """Substances that one is allergic to together; `atc` is what the codes of treatments with them begin with."""

    name: str
    atc: tuple[str, ...]
    snomed: frozenset[str]
    words: re.Pattern[str]
    related: tuple[str, ...]
    """Names of the groups of which a reaction is possible, but less likely."""

    def holds(self, atc: str) -> bool:
        """Whether a treatment of this ATC code contains such a substance."""
        return atc.startswith(self.atc)


def named_by(atc: Iterable[str], snomed: Iterable[str], words: str) -> frozenset[str]:
    """The names of the groups that an allergy is about, by its codes and by the French words of its name.

    A clause that denies an allergy ("pas d'allergie à …") names nothing by its words; a code always counts.
    """
    text = " | ".join(clause for clause in _clauses(words) if not _denies(clause))
    codes, concepts = tuple(atc), frozenset(snomed)
    return frozenset(
        group.name
        for group in groups().values()
        if any(map(group.holds, codes)) or group.snomed & concepts or group.words.search(text)
    )


def denies(words: str) -> bool:
    """Whether the name of an allergy says that there is none, and nothing else: each of its clauses, from its start."""
    clauses = _clauses(words)
    return bool(clauses) and all(map(_denies, clauses))


@cache
def groups() -> Mapping[str, AllergyGroup]:
    """Every group, by its name."""
    return {
        name: AllergyGroup(
            name=name,
            atc=tuple(row["atc"]),
            snomed=frozenset(row["snomed"]),
            words=_any_of(row["words"]),
            related=tuple(row["related"]),
        )
        for name, row in json.loads(_TABLE.read_bytes())["groups"].items()
    }


def _clauses(words: str) -> list[str]:
    """The parts of a text that each say something by themselves, plain."""
    plain = (_NO_WORD.sub(" ", part).strip() for part in _BETWEEN.split(folded(words)))
    return [clause for clause in plain if clause]


def _denies(clause: str) -> bool:
    told = _phrases()
    if told.unless.search(clause):
        return False
    dismissed = told.dismissed.match(clause) and not told.unless_dismissed.search(clause)
    return bool(told.denials.match(clause) or dismissed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrases:
    """What a clause denies an allergy by, and what keeps it from denying one."""

    denials: re.Pattern[str]
    dismissed: re.Pattern[str]
    unless: re.Pattern[str]
    unless_dismissed: re.Pattern[str]


@cache
def _phrases() -> _Phrases:
    table = json.loads(_TABLE.read_bytes())
    dismissed = _any_of(table["dismissed"]).pattern
    return _Phrases(
        denials=_any_of(table["denials"]),
        dismissed=re.compile(rf"(?:allergie|intolerance)s?\b.*{dismissed}(?:$| (?:par|en|le|lors|suite)\b)"),
        unless=_any_of(table["unless"]),
        unless_dismissed=_any_of(table["unless_dismissed"]),
    )


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words, an `s` behind them allowed."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})s?\b")

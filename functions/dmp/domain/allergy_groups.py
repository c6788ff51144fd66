"""Groups of substances to which people are allergic, by the codes and words that name them: a table, not knowledge."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dmp.domain.words import folded

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

    A name that denies something ("pas d'allergie à …") names nothing by its words.
    """
    text = "" if denies(words) else _plain(words)
    codes, concepts = tuple(atc), frozenset(snomed)
    return frozenset(
        group.name
        for group in groups().values()
        if any(map(group.holds, codes)) or group.snomed & concepts or group.words.search(text)
    )


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


def denies(words: str) -> bool:
    """Whether the name of an allergy says that there is none."""
    return bool(_denials().search(_plain(words)))


@cache
def _denials() -> re.Pattern[str]:
    return _any_of(json.loads(_TABLE.read_bytes())["denials"])


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words, an `s` behind them allowed."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})s?\b")


def _plain(text: str) -> str:
    return folded(text.replace("\u2019", "'"))

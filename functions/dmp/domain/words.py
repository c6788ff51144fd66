"""The words by which a document is found: folded, each once, few enough to be read with those of all the others."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

SHORTEST, LONGEST = 2, 40
"""Characters of a word; what is left of a longer one is not looked at, neither kept nor asked."""
SHORTEST_BEGINNING = 3
"""Characters of a word that is found by its beginning: a shorter one must be the whole word."""
MOST_BYTES = 48_000
"""Of the words of one document in UTF-8: about five thousand, of which the first are kept."""
_MOST_READ = 1_000_000
"""Characters of a text that are looked at."""

_PIECE = 65_536
_INVISIBLE = frozenset(map(chr, (0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF)))
_WORD = re.compile(rf"[^\W_]{{{SHORTEST},}}")


def folded(text: str) -> str:
    """A text without case, accents and ligatures."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text).casefold().replace("œ", "oe").replace("æ", "ae")
    decomposed = unicodedata.normalize("NFKD", plain)
    return _without(decomposed, filter(unicodedata.combining, set(decomposed)))


def words_in(text: str) -> Iterator[str]:
    """The words of a text in its order, as often as they stand there; digits count as letters do."""
    for piece in _pieces(text[:_MOST_READ]):
        for word in _WORD.findall(folded(_without(piece, _INVISIBLE.intersection(piece)))):
            yield word[:LONGEST]


def words_of(texts: Iterable[str]) -> str:
    """The words of some texts, each once, in the order of letters and with blanks between; 48,000 bytes at most."""
    kept: dict[str, None] = {}
    room = MOST_BYTES
    for word in (word for text in texts for word in words_in(text)):
        if word in kept:
            continue
        room -= len(word.encode()) + 1
        if room < 0:
            break
        kept[word] = None
    return " ".join(sorted(kept))


def tell(words: str, wanted: Iterable[str]) -> bool:
    """Whether all these words are among those of a document, or words that begin like them."""
    text = f" {words} "
    return all((f" {one}" if len(one) >= SHORTEST_BEGINNING else f" {one} ") in text for one in wanted)


def _without(text: str, characters: Iterable[str]) -> str:
    """A text without some characters; they are few, and to translate it takes ten times as long."""
    for one in characters:
        text = text.replace(one, "")
    return text


def _pieces(text: str) -> Iterator[str]:
    """A long text in parts, cut between words where there is a blank: the last ones may never be read."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        cut = text.rfind(" ", start, end) if end < len(text) else -1
        end = cut + 1 if cut > start else end
        yield text[start:end]
        start = end

"""The words of texts: what is kept of them, and what finds them."""

from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from dmp.domain import words
from dmp.domain.words import LONGEST, MOST_BYTES, folded, tell, words_in, words_of

TEXTS = st.text(max_size=300)
WORDS = st.text("abcdeéœß0123", min_size=2, max_size=50)


@given(st.lists(TEXTS, max_size=4))
def test_words_are_folded_short_and_each_once(texts: list[str]) -> None:
    found = words_of(texts).split(" ") if words_of(texts) else []

    assert found == sorted(set(found))
    assert all(2 <= len(word) <= LONGEST and word.isalnum() and folded(word) == word for word in found)


@given(TEXTS)
def test_the_words_of_words_are_the_same(text: str) -> None:
    assert words_of([words_of([text])]) == words_of([text])


@given(TEXTS, TEXTS)
def test_a_text_is_found_by_each_of_its_words_and_their_beginnings(text: str, other: str) -> None:
    kept = words_of([other, text])

    for word in words_in(text):
        assert tell(kept, [word])
        assert len(word) < 4 or tell(kept, [word[:3], word[:-1]])


@given(st.lists(WORDS, min_size=1, max_size=5), WORDS)
def test_nothing_is_found_that_no_word_begins_with(texts: list[str], wanted: str) -> None:
    [asked] = list(words_in(wanted))
    kept = [word for text in texts for word in words_in(text)]
    is_there = any(word.startswith(asked) if len(asked) >= 3 else word == asked for word in kept)

    assert tell(words_of(texts), [asked]) is is_there


def test_case_accents_ligatures_and_what_is_invisible_count_for_nothing() -> None:
    assert folded("ŒDÈME Straße ﬁèvre Ångström") == "oedeme strasse fievre angstrom"
    assert words_of(["hémo\u00adglobine gly\u200bquée", "l'HbA1c: 7,25 % — n°12"]) == "12 25 glyquee hba1c hemoglobine"


def test_of_a_long_document_the_first_words_are_kept() -> None:
    text = " ".join(f"mot{number:06d}" for number in range(20_000))

    kept = words_of(["Titre", text])

    assert len(kept.encode()) <= MOST_BYTES
    assert tell(kept, ["titre", "mot000000"])
    assert not tell(kept, ["mot019999"])


def test_the_end_of_a_text_without_end_is_not_looked_at() -> None:
    began = process_time()

    kept = words_of(["é" * 3_000_000, "fin"])

    assert kept.split() == ["e" * LONGEST, "fin"]
    assert process_time() - began < 2


def test_parts_of_a_long_text_are_cut_between_words() -> None:
    text = " ".join(["hospitalisation"] * 20_000)

    assert set(words_in(text)) == {"hospitalisation"}
    assert words.tell(words_of([text]), ["hospitalisation"])

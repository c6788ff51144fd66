"""Parts of a content: whatever is asked, the answer is a true part, the whole, or a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp import byte_ranges
from dmp.domain.errors import Unsatisfiable

CONTENT = bytes(range(10))
ETAG, MODIFIED = '"abc"', "Mon, 02 Mar 2026 12:00:00 GMT"


def part(text: str, **headers: str) -> bytes | None:
    wanted = byte_ranges.asked({"range": text, **headers}, len(CONTENT), etag=ETAG, modified=MODIFIED)
    return wanted.of(CONTENT) if wanted else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", CONTENT[:1]),
        ("bytes=2-5", CONTENT[2:6]),
        ("bytes=7-", CONTENT[7:]),
        ("bytes=7-99", CONTENT[7:]),
        ("bytes=-3", CONTENT[7:]),
        ("bytes=-99", CONTENT),
        ("Bytes = 2-5", CONTENT[2:6]),
    ],
)
def test_one_range_is_that_part(text: str, expected: bytes) -> None:
    assert part(text) == expected


@pytest.mark.parametrize(
    "text", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=a-b", "bytes=²-3", "0-1"]
)
def test_what_is_no_single_range_is_the_whole(text: str) -> None:
    assert part(text) is None


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_beyond_the_content_is_refused(text: str) -> None:
    with pytest.raises(Unsatisfiable):
        part(text)


@pytest.mark.parametrize(
    ("known", "is_part"),
    [(ETAG, True), (MODIFIED, True), ('"old"', False), ('W/"abc"', False), ("Sun, 01 Mar 2026 12:00:00 GMT", False)],
)
def test_a_range_of_what_has_changed_is_the_whole(known: str, is_part: bool) -> None:
    assert (part("bytes=2-5", **{"if-range": known}) == CONTENT[2:6]) is is_part


@given(st.binary(max_size=20), st.integers(0, 30), st.none() | st.integers(0, 30))
def test_a_part_is_where_it_says(content: bytes, first: int, last: int | None) -> None:
    text = f"bytes={first}-{'' if last is None else last}"

    try:
        wanted = byte_ranges.asked({"range": text}, len(content), etag=ETAG, modified=MODIFIED)
    except Unsatisfiable:
        assert first >= len(content)
        return

    if last is not None and last < first:
        assert wanted is None
    else:
        assert wanted is not None
        assert wanted.content_range == f"bytes {first}-{first + len(wanted.of(content)) - 1}/{len(content)}"
        assert wanted.of(content) == content[first : None if last is None else last + 1]


@given(st.text(max_size=30))
def test_whatever_is_written_as_a_range_is_understood_or_ignored(text: str) -> None:
    try:
        found = part(f"bytes={text}")
    except Unsatisfiable:
        return

    assert found is None or found in CONTENT

"""The versions of one set: in the order of their numbers, whatever the order in which they come."""

from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.edition_set import MOST_KEPT, EditionSet
from dmp.domain.identifiers import Identifier

EMPTY = EditionSet(record="r", set=Identifier("urn:ietf:rfc:3986", "urn:oid:2.25.1"), keeper=Identifier("s", "1"))
VERSIONS = st.lists(st.tuples(st.text("0123456789abc", min_size=1, max_size=3), st.integers(1, 9)), max_size=12)


@given(VERSIONS)
def test_the_order_of_coming_changes_nothing(versions: list[tuple[str, int]]) -> None:
    once, one_by_one = EMPTY.including(*versions), EMPTY
    for version in reversed(versions):
        one_by_one = one_by_one.including(version)

    assert once.versions == one_by_one.versions
    assert [number for _, number in once.versions] == sorted((n for _, n in set(versions)), reverse=True)
    assert one_by_one.revision == len(versions)


def test_the_lowest_numbers_are_forgotten() -> None:
    kept = EMPTY.including(*((f"d{number}", number) for number in range(MOST_KEPT + 2)))

    assert len(kept.versions) == MOST_KEPT
    assert kept.versions[-1] == ("d2", 2)

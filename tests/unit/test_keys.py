"""Sort keys put things in the order that single queries rely on."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.adapters import keys
from dmp.domain.identifiers import local_id, moment_of, time_prefix

YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(min_value=0, max_value=315_537_000_000_000_000).map(
    lambda microseconds: YEAR_ONE + timedelta(microseconds=microseconds)
)
ENTROPY = st.binary(min_size=16, max_size=16)


@given(MOMENTS, MOMENTS, ENTROPY, ENTROPY)
def test_documents_sort_by_their_dates(one: datetime, other: datetime, first: bytes, second: bytes) -> None:
    earlier, later = sorted((one, other))

    if later - earlier >= timedelta(milliseconds=1):
        assert keys.document(local_id(earlier, first)) < keys.document(local_id(later, second))


@given(MOMENTS, ENTROPY)
def test_the_head_sorts_behind_every_document(moment: datetime, entropy: bytes) -> None:
    assert keys.document("") <= keys.document(local_id(moment, entropy)) < keys.HEAD


@given(MOMENTS, ENTROPY)
def test_a_local_id_tells_its_millisecond(moment: datetime, entropy: bytes) -> None:
    local = local_id(moment, entropy)

    assert timedelta(0) <= moment - moment_of(local) < timedelta(milliseconds=1)
    assert local.startswith(time_prefix(moment))


@pytest.mark.parametrize(
    "other",
    [
        keys.consent("x"),
        keys.document_list("x"),
        keys.message("x"),
        keys.related_person("x"),
        keys.former("DocumentReference", "x", 1),
        keys.unique_id("x"),
        keys.other_identifier("x", "y"),
        keys.criterion("x"),
    ],
)
def test_nothing_else_lies_between_the_documents_and_the_head(other: str) -> None:
    assert not keys.document("") <= other <= keys.HEAD


def test_versions_sort_by_number() -> None:
    versions = [keys.former("Consent", "x", number) for number in (1, 2, 10, 100)]

    assert versions == sorted(versions)


def test_a_criterion_is_not_told_by_its_key() -> None:
    assert "279035121518989" not in keys.criterion("identifier=urn:oid:1|279035121518989")


@given(st.text(), st.integers(min_value=1, max_value=16))
def test_shards_are_within_their_number(text: str, shards: int) -> None:
    assert 0 <= keys.shard(text, shards) < shards

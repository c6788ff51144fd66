"""What DynamoDB would refuse for its size is refused before it is asked, as too large."""

from datetime import UTC, datetime
from typing import NoReturn

import pytest

from dmp.adapters.keyring import Keyring
from dmp.adapters.ledger import LARGEST_ITEM, Ledger
from dmp.domain.errors import TooLarge
from dmp.domain.profile_changes import SaveRelatedPerson
from dmp.domain.related_person import RelatedPerson


class CalledError(Exception):
    """AWS was asked."""


def aws() -> NoReturn:
    raise CalledError


def commit(length: int) -> None:
    person = RelatedPerson(
        record="0" * 26,
        local="1" * 26,
        version=1,
        updated=datetime(2026, 3, 2, tzinfo=UTC),
        identifier=None,
        relationships=(),
        resource={"text": "é" * (length // 2)},
    )
    Ledger(aws, "records", "audit", Keyring(aws, "secret")).commit([SaveRelatedPerson(person)])


def test_an_item_over_the_limit_is_too_large() -> None:
    with pytest.raises(TooLarge) as error:
        commit(LARGEST_ITEM)

    assert error.value.code == "too-large"


def test_an_item_below_the_limit_is_written() -> None:
    with pytest.raises(CalledError):
        commit(LARGEST_ITEM - 1000)

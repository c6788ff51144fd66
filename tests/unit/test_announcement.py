"""When what awaits an announcement consultation is told of, and when it shows (R.1111-53)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dmp.domain.announcement import Announcement
from dmp.domain.document import Depositor, DocumentEntry, DocumentStatus, StoredContent, Visibility

HIDDEN = frozenset({Visibility.INVISIBLE_PATIENT})
BEGIN = datetime(2027, 1, 31, 12, tzinfo=UTC)
ENTRY = DocumentEntry(
    record="r",
    local="l",
    version=1,
    updated=BEGIN,
    status=DocumentStatus.CURRENT,
    type=None,
    visibility=HIDDEN,
    depositor=Depositor(None, None),
    authors=frozenset(),
    content=StoredContent(key="k", content_type="text/plain", size=1, sha1="", sha256=""),
    master_identifier=None,
    body="{}",
)


def test_the_month_ends_on_the_last_day_of_a_short_month() -> None:
    assert Announcement(14, 1).release_of(BEGIN) == datetime(2027, 2, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_later", "days", "due"),
    [
        (0, 14, BEGIN + timedelta(days=14)),
        (13, 14, BEGIN + timedelta(days=14)),
        (14, 14, datetime(2027, 2, 28, 12, tzinfo=UTC)),
        (400, 14, datetime(2027, 2, 28, 12, tzinfo=UTC)),
        (0, 90, datetime(2027, 2, 28, 12, tzinfo=UTC)),
    ],
    ids=["hidden now", "hidden anew before", "hidden anew after", "long after", "no notice before the release"],
)
def test_what_is_hidden_is_due_by_when_it_was_first_hidden(days_later: int, days: int, due: datetime) -> None:
    entry = replace(ENTRY, hidden_at=BEGIN)

    scheduled = Announcement(days, 1).scheduled(entry, BEGIN + timedelta(days=days_later))

    assert (scheduled.hidden_at, scheduled.due) == (BEGIN, due)


def test_what_still_waits_is_not_scheduled_anew() -> None:
    waiting = replace(ENTRY, hidden_at=BEGIN, due=BEGIN + timedelta(days=14))

    assert Announcement(14, 1).scheduled(waiting, BEGIN + timedelta(days=20)) == waiting


@pytest.mark.parametrize(
    "ended", [{"visibility": frozenset()}, {"status": DocumentStatus.ENTERED_IN_ERROR}], ids=["shown", "deleted"]
)
def test_what_waits_no_more_is_due_no_more_and_remembers_since_when_it_was_hidden(ended: dict[str, object]) -> None:
    waiting = replace(ENTRY, hidden_at=BEGIN, due=BEGIN + timedelta(days=14))

    scheduled = Announcement(14, 1).scheduled(replace(waiting, **ended), BEGIN)  # type: ignore[arg-type]

    assert (scheduled.hidden_at, scheduled.due) == (BEGIN, None)

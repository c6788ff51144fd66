"""All records and seals are inspected page by page, each once; what makes no sense is refused."""

from datetime import timedelta

import pytest
from time_machine import TimeMachineFixture

from tests.api_client import ApiClient
from tests.fed_record import SPECIALIST, FedRecord, open_record, partition
from tests.inspected_record import Json, drop, order, pages, problems, records_of, settle


def test_all_records_are_looked_at_once_however_they_are_shared_out(
    record: FedRecord, api: ApiClient, stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {record.id} | {open_record(api, stack).id for _ in range(5)}
    heads = records_of(stack)
    monkeypatch.setattr("dmp.adapters.inspection_store._ITEMS_A_PAGE", 7)

    alone = pages(api, "records", counts=True)
    shared = [page for segment in range(3) for page in pages(api, "records", counts=True, segment=segment, segments=3)]

    assert opened <= heads
    assert len(alone) > 3
    assert sum(page["records"] for page in alone) == sum(page["records"] for page in shared) == len(heads)


def test_a_page_ends_in_time_and_the_next_goes_on(record: FedRecord, api: ApiClient, stack: dict[str, str]) -> None:
    from handlers.operations import handler

    for _ in range(3):
        open_record(api, stack)
    heads = records_of(stack)
    assert record.id in heads
    seen, cursor = 0, None

    for _ in range(2 * len(heads) + 2):
        answer = handler({"order": "records", "counts": True, "cursor": cursor}, TimeForOne())
        seen, cursor = seen + answer["records"], answer["cursor"]
        assert answer["records"] <= 1
        if cursor is None:
            break

    assert (seen, cursor) == (len(heads), None)


class TimeForOne:
    """A Lambda context with time for one record."""

    aws_request_id = "run-1"

    def __init__(self) -> None:
        self._looks = 0

    def get_remaining_time_in_millis(self) -> int:
        self._looks += 1
        return 100_000 if self._looks == 1 else 10_000


def test_an_ins_that_leads_to_no_record_is_found(record: FedRecord, api: ApiClient, stack: dict[str, str]) -> None:
    for item in record.items():
        drop(stack["RECORDS_TABLE"], item)

    found = problems(api, "records", counts=True)

    assert {"fault": "head-missing", "record": record.id, "what": "its INS leads here"} in found


@pytest.mark.parametrize(
    "event",
    [{"segment": 2, "segments": 2}, {"segment": "0"}, {"segments": 10_000}, {"record": "no id"}, {"record": 7}],
)
def test_an_order_that_makes_no_sense_is_refused(api: ApiClient, stack: dict[str, str], event: Json) -> None:
    assert stack
    assert order(api, "records", **event)["error"] == "invalid-parameter"


def test_an_unknown_order_is_refused(api: ApiClient, stack: dict[str, str]) -> None:
    assert stack
    assert order(api, "everything") == {"error": "invalid-parameter", "detail": "order"}


def test_the_seals_are_followed_from_the_first_to_the_last(
    record: FedRecord, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        record.find(SPECIALIST)
        settle(record, clock)
    monkeypatch.setattr("dmp.services.inspection_seals._PAGE", 2)

    answers = pages(record.api, "seals")

    assert [one for page in answers for one in page["problems"] if one["record"] == ""] == []
    assert sum(page["seals"] for page in answers) == len(partition(record.stores["AUDIT_TABLE"], "SEALS"))


def test_overdue_work_is_counted_by_its_kind(record: FedRecord, clock: TimeMachineFixture) -> None:
    before = order(record.api, "overdue")["overdue"]
    clock.shift(timedelta(days=400))

    after = order(record.api, "overdue")["overdue"]

    assert before.keys() == {"consents", "documents", "records", "mails", "uploads"}
    assert after["consents"] > before["consents"]

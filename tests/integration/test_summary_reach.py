"""$summary of a record of which not all is read at once: what matters most is there, what is missing is not denied."""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from moto.dynamodb.models.dynamo_type import DynamoType

from dmp.domain.document import Visibility
from dmp.fhir.systems import IPS_UNKNOWN
from tests.api_client import ApiClient
from tests.aws_calls import counted
from tests.fed_record import SPECIALIST, STRANGER, FedRecord, open_record
from tests.health_record import (
    HealthRecord,
    allergy,
    concept,
    condition,
    immunization,
    medication,
    observation,
    procedure,
)
from tests.ips_rules import Json, assert_summary, entries_of, sections
from tests.many_documents import store_documents, table_of

OLDER, OLD = datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)
NEWER = datetime(2024, 1, 1, tzinfo=UTC)
NOT_WHOLE = "Le dossier n'a pas pu être examiné en entier"
NOTHING = "Aucune information"
_NOISE = random.Random(5)


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> Iterator[FedRecord]:
    """A record; gone afterwards, for it is large."""
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    yield record
    del table_of(record).items[DynamoType({"S": f"R#{record.id}"})]


@pytest.fixture
def health(record: FedRecord) -> HealthRecord:
    return HealthRecord(record)


def summary(record: FedRecord) -> Json:
    answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)
    assert answer.status == 200, answer.body
    assert_summary(answer.json)
    return answer.json


def names(bundle: Json, section: str) -> list[str]:
    concepts = (one.get("code") or one.get("medicationCodeableConcept") or {} for one in entries_of(bundle, section))
    return [one.get("text", "") for one in concepts]


def noise(size: int) -> list[Json]:
    """A note that cannot be made smaller; `size` is that of its item."""
    return [{"text": base64.b64encode(_NOISE.randbytes(size)).decode()}]


# --- documents


def test_an_allergy_is_told_however_many_newer_documents_tell_of_other_things(record: FedRecord) -> None:
    store_documents(record, 1, lambda _: [allergy()])
    store_documents(record, 450, lambda n: [observation(80 + n, "2026-01-01")], first=NEWER)

    found = summary(record)

    assert names(found, "48765-2") == ["Allergie aux pénicillines"]


def test_problems_come_before_acts_and_these_before_results_the_newest_first(record: FedRecord) -> None:
    store_documents(record, 1, lambda _: [condition()])
    store_documents(record, 1, lambda _: [procedure()], first=OLD)
    weight = observation(71, "2026-02-02", "29463-7", "Poids", "vital-signs")
    store_documents(record, 1, lambda _: [weight], first=OLDER)
    store_documents(record, 420, lambda n: [observation(n, "2026-01-01", f"{n}-1")], first=NEWER)

    found = summary(record)

    assert names(found, "11450-4") == ["Hypertension artérielle"]
    assert names(found, "47519-4") == ["Appendicectomie"]
    assert names(found, "8716-3") == ["Poids"]
    values = {one["valueQuantity"]["value"] for one in entries_of(found, "30954-2")}
    assert min(values) > 20


def test_documents_that_the_reader_may_not_see_hide_nothing_and_are_not_told_of(record: FedRecord) -> None:
    store_documents(record, 1, lambda _: [allergy()])
    before = summary(record)
    masked = [Visibility.MASQUE_PS]
    store_documents(record, 300, lambda n: [allergy(f"{n}", "Cachée")], first=NEWER, visibility=masked)

    after = summary(record)

    assert names(after, "48765-2") == names(before, "48765-2") == ["Allergie aux pénicillines"]
    assert NOT_WHOLE not in str(after)
    assert names(after, "11450-4") == ["Aucune information sur les problèmes de santé"]


def test_where_not_all_could_be_looked_at_nothing_is_said_not_to_be_there(record: FedRecord) -> None:
    none_known = allergy() | {"code": concept("no-known-allergies", "Pas d'allergie connue", IPS_UNKNOWN)}
    store_documents(record, 1, lambda _: [none_known], first=NEWER)
    store_documents(record, 420, lambda n: [observation(n, "2026-01-01")])

    found = summary(record)

    assert NOTHING not in str(found)
    assert "Pas d'allergie connue" not in str(found)
    for code in ("48765-2", "10160-0", "11450-4"):
        section = sections(found)[code]
        assert section["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert NOT_WHOLE in section["text"]["div"]


def test_a_document_of_which_not_all_could_be_found_is_named_and_one_that_is_hidden_is_not(record: FedRecord) -> None:
    cut = [observation(71, "2026-02-02")]
    shown = store_documents(record, 1, lambda _: cut, is_cut=True)
    store_documents(record, 1, lambda _: cut, first=NEWER, is_cut=True, visibility=[Visibility.MASQUE_PS])

    found = summary(record)
    record.mask(f"{record.id}.{shown[0]}")
    hidden_alone = summary(record)

    words = "Des documents en disent plus que ce qui a pu être repris dans ce résumé : Lettre."
    assert words in sections(found)["48765-2"]["text"]["div"]
    assert NOTHING not in str(found)
    assert "en disent plus" not in str(hidden_alone)
    assert NOTHING in str(hidden_alone)


# --- entries


def test_many_entries_of_one_kind_crowd_out_none_of_another(record: FedRecord, health: HealthRecord) -> None:
    health.enter(medication("B01AA03", "Warfarine"))
    health.enter(immunization())
    health.offer(allergy())
    for number in range(5):
        health.enter(condition(f"{number}", "Bruit", note=noise(250_000)), by=STRANGER)

    with counted() as calls:
        found = summary(record)

    assert names(found, "48765-2") == ["Allergie aux pénicillines"]
    assert names(found, "10160-0") == ["Warfarine"]
    assert len(entries_of(found, "11369-6")) == 1
    assert len(entries_of(found, "11450-4")) == 5
    assert NOT_WHOLE not in str(found)
    assert calls.count("Query") <= 10


def test_masked_entries_alone_are_not_told_of(record: FedRecord, health: HealthRecord) -> None:
    health.enter(procedure())
    for number in range(5):
        masked = [Visibility.MASQUE_PS]
        health.enter(condition(f"{number}", "Bruit", note=noise(250_000)), visibility=masked)

    found = summary(record)

    assert names(found, "11450-4") == ["Aucune information sur les problèmes de santé"]
    assert names(found, "47519-4") == ["Appendicectomie"]
    assert NOT_WHOLE not in str(found)


def test_a_profile_too_large_to_be_read_is_told_as_far_as_it_was(record: FedRecord, health: HealthRecord) -> None:
    health.offer(condition())
    for number in range(30):
        health.enter(allergy(f"{number}", f"Bruit {number:02}", note=noise(280_000)), by=STRANGER)

    with counted() as calls:
        found = summary(record)

    assert NOT_WHOLE in sections(found)["48765-2"]["text"]["div"]
    assert NOTHING not in str(found)
    assert names(found, "11450-4") == ["Hypertension artérielle"]
    assert calls.count("Query") == 13


def test_nobody_enters_anything_as_large_as_that(record: FedRecord) -> None:
    body = {**condition(), "subject": {"reference": f"Patient/{record.id}"}}

    answers = [
        record.api.post("/fhir/Condition", body | {"note": [{"text": "x" * size}]}, as_=STRANGER)
        for size in (15_000, 20_000)
    ]

    assert [one.status for one in answers] == [201, 413]
    assert answers[1].code == "too-large"

"""Search by words (`_content`): titles, descriptions, narratives and texts of what the caller may see, and no more."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dmp.adapters import aws, profile_items
from dmp.domain.clinical_profile import DocumentText
from dmp.domain.identifiers import local_id
from tests import bodies, texts, uploads
from tests.api_client import ApiClient
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record

CURRENT = "status=current"


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def found(record: FedRecord, words: str, more: str = "") -> list[str]:
    return record.found(SPECIALIST, f"{CURRENT}&_content={words}{more}")


def deposited(record: FedRecord, content: bytes, content_type: str) -> str:
    """A document whose text the function has read that reads what the deposit leaves."""
    document = record.publish(content=content, content_type=content_type)
    assert texts.read(record.api, texts.told_by_bucket(record, document)) == []
    return document


@pytest.fixture
def described(record: FedRecord) -> str:
    attachment = {"title": "Échographie cardiaque"}
    return record.publish(description="Bilan d'Œdème 2026 des membres", attachment=attachment)


@pytest.mark.parametrize(
    "words",
    [
        "cardiaque", "echographie", "ECHOGRAPHIE", "échographie", "echo", "oedème", "œdeme", "2026", "des",
        "cardiaque membres", "bilan d'oedeme", "nulle,cardiaque", "nulle part,echographie cardiaque",
    ],
)  # fmt: skip
def test_a_document_is_found_by_the_words_of_its_title_and_description(
    record: FedRecord, described: str, words: str
) -> None:
    record.publish(attachment={"title": "Autre"})

    assert found(record, words) == [described]


@pytest.mark.parametrize("words", ["cardiologie", "graphie", "de", "ec", "cardiaque nulle", "cardiaque&_content=nulle"])
def test_every_word_must_be_there_from_its_beginning(record: FedRecord, described: str, words: str) -> None:
    assert described
    assert found(record, words) == []


@pytest.mark.parametrize("value", ["-", "a", "'", "é"])
def test_what_holds_no_word_is_refused(record: FedRecord, value: str) -> None:
    answer = record.find(SPECIALIST, f"{CURRENT}&_content={value}")

    assert (answer.status, answer.code) == (400, "invalid-parameter")


@pytest.mark.parametrize("modifier", ["exact", "contains", "not"])
def test_words_have_no_modifier(record: FedRecord, modifier: str) -> None:
    answer = record.find(SPECIALIST, f"{CURRENT}&_content:{modifier}=cardiaque")

    assert (answer.status, answer.code) == (400, "unsupported-modifier")


CONTENTS = {
    "cda": (texts.level_3("<paragraph>Suivi d'une sclérose</paragraph>"), "text/xml"),
    "cda around a pdf": (texts.level_1(texts.pdf("Suivi d'une sclérose")), "text/xml"),
    "cda around a text": (texts.level_1(texts.PLAIN, "text/plain"), "text/xml"),
    "pdf": (texts.pdf("Première page", "Suivi d'une sclérose"), "application/pdf"),
    "rtf": (texts.RTF, "text/rtf"),
    "text": (texts.PLAIN, "text/plain"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_document_is_found_by_what_its_content_says(record: FedRecord, kind: str) -> None:
    record.publish()
    document = deposited(record, *CONTENTS[kind])

    assert found(record, "sclerose suivi") == [document]
    assert found(record, "fonttbl,generator,section") == []


def test_a_cda_is_found_as_soon_as_it_is_deposited(record: FedRecord) -> None:
    content, content_type = CONTENTS["cda"]

    document = record.publish(content=content, content_type=content_type)

    assert found(record, "sclérose") == [document]


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_comes_by_upload_is_found_alike(record: FedRecord, kind: str) -> None:
    content, content_type = CONTENTS[kind]
    texts.emptied(record.stores["EXTRACTION_QUEUE"])

    document = uploads.uploaded(record, content, content_type=content_type)
    told = [one for one in texts.queued(record.stores["EXTRACTION_QUEUE"]) if document.replace(".", "/") in one]

    assert found(record, "lettre") == [document], "its title at once"
    assert texts.read(record.api, *told) == []
    assert len(told) == 1
    assert found(record, "sclerose") == [document]


def test_nobody_is_searched_for_by_an_ins(record: FedRecord) -> None:
    answer = record.find(SPECIALIST, f"{CURRENT}&_content={record.ins}")

    assert (answer.status, answer.code) == (400, "invalid-parameter")
    assert record.ins not in answer.body.decode()


def test_an_image_is_found_by_its_title(record: FedRecord) -> None:
    image = record.publish(content=b"\xff\xd8\xff" + bytes(40), content_type="image/jpeg")

    item = texts.item_of(record, image)
    assert item
    assert item["st"]["S"] == "whole"
    assert found(record, "lettre") == [image]


class TestAmongOthers:
    """Words beside the other parameters of a search."""

    @pytest.fixture
    def letters(self, record: FedRecord) -> list[str]:
        """A letter of the 1st, a result of the 2nd, a letter of the 3rd, each with the word; and one without."""
        record.publish(date="2026-01-04T08:00:00Z", attachment={"title": "Autre"})
        return [
            record.publish(
                date=f"2026-01-0{day}T08:00:00Z",
                type_code=code,
                attachment={"title": f"Glycémie {day}"},
            )
            for day, code in ((1, bodies.DISCHARGE_LETTER), (2, bodies.CONSULTATION), (3, bodies.DISCHARGE_LETTER))
        ]

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ("", "321"),
            ("&_sort=date", "123"),
            ("&_sort=_id", "123"),
            ("&_sort=-_lastUpdated", "321"),
            ("&_sort=_lastUpdated", "123"),
            (f"&type={bodies.DISCHARGE_LETTER}", "31"),
            (f"&type={bodies.DISCHARGE_LETTER}&_sort=date", "13"),
            ("&date=ge2026-01-02", "32"),
            ("&date=le2026-01-02", "21"),
            ("&_lastUpdated=ge2020", "321"),
            ("&_lastUpdated=lt2020", ""),
            ("&contenttype=application/pdf", "321"),
            ("&contenttype=text/plain", ""),
            ("&_id={0},{2}", "31"),
            ("&_total=accurate", "321"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 2, 20])
    def test_both_must_hold_on_every_page(
        self, record: FedRecord, letters: list[str], more: str, expected: str, size: int
    ) -> None:
        query = f"{CURRENT}&_content=glycemie{more.format(*letters)}&_count={size}"

        answers = list(pages(record, query))

        ids = [one["id"] for answer in answers for one in answer]
        assert ids == [letters[int(day) - 1] for day in expected]
        assert all(len(answer) <= size for answer in answers)

    def test_a_total_counts_what_holds_the_words(self, record: FedRecord, letters: list[str]) -> None:
        answers = [
            record.find(SPECIALIST, f"{CURRENT}&_content=glyc{more}") for more in ("", "&_total=accurate&_count=1")
        ]

        assert [one.json["total"] for one in answers] == [len(letters)] * 2

    def test_a_replaced_document_is_found_as_such(self, record: FedRecord, letters: list[str]) -> None:
        related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{letters[0]}"}}]
        record.publish(attachment={"title": "Correction"}, relatesTo=related)

        assert found(record, "glycemie") == [letters[2], letters[1]]
        assert record.found(SPECIALIST, "status=superseded&_content=glycemie") == [letters[0]]


def pages(record: FedRecord, query: str) -> Iterator[list[dict[str, str]]]:
    """The matches of every page of a search."""
    answer = record.find(SPECIALIST, query)
    assert answer.status == 200, answer.body
    yield answer.resources
    while link := answer.links.get("next"):
        answer = record.api.get(link, as_=SPECIALIST)
        yield answer.resources


class TestWhoSees:
    """Words of what the caller may not see are nobody's."""

    def test_a_masked_document_is_not_found_by_its_words(self, record: FedRecord) -> None:
        document = record.publish(attachment={"title": "Secret"})
        record.mask(document)

        assert found(record, "secret") == []
        assert record.found(record.patient, f"{CURRENT}&_content=secret") == [document]
        assert record.find(SPECIALIST, f"{CURRENT}&_content=secret").json["total"] == 0

    def test_who_may_read_own_documents_alone_searches_these(self, record: FedRecord) -> None:
        own = record.publish(as_=HOSPITAL, attachment={"title": "Glycémie"})
        record.publish(attachment={"title": "Glycémie"})

        assert record.found(HOSPITAL, f"{CURRENT}&_content=glycemie") == [own]
        assert record.found(HOSPITAL, f"{CURRENT}&_content=glycemie&_sort=_lastUpdated") == [own]
        assert record.found(HOSPITAL, f"{CURRENT}&_content=autre") == []
        assert record.found(COLLEAGUE, f"{CURRENT}&_content=glycemie") != []
        assert record.find(STRANGER, f"{CURRENT}&_content=glycemie").code == "not-authorised"

    def test_a_deleted_document_is_not_found(self, record: FedRecord) -> None:
        document = record.publish(attachment={"title": "Erreur"})
        record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

        assert record.found(record.patient, f"{CURRENT},superseded&_content=erreur") == []

    def test_the_trace_tells_the_patient_what_was_searched_for(self, record: FedRecord) -> None:
        found(record, "glycemie")

        assert "_content=glycemie" in record.trace()[-1]["query"]


@pytest.mark.parametrize("hits", [0, 1, 3])
def test_a_search_by_words_is_two_reads_and_one_trace_entry(record: FedRecord, hits: int) -> None:
    for number in range(4):
        record.publish(attachment={"title": "Glycémie" if number < hits else "Autre"})
    found(record, "premiere")  # the first one of a process fetches the secret

    with counted() as calls:
        assert len(found(record, "glycemie")) == hits

    assert calls == ["Query", "BatchGetItem", "PutItem"]


def test_a_page_reads_a_megabyte_of_words_and_the_next_one_goes_on(record: FedRecord) -> None:
    oldest = record.publish(date="2026-01-01T08:00:00Z", attachment={"title": "Premier"})
    chance, table = random.Random(7), record.stores["RECORDS_TABLE"]
    for number in range(60):
        local = local_id(datetime(2026, 1, 2, tzinfo=UTC) + timedelta(hours=number), number.to_bytes(16))
        words = " ".join(chance.randbytes(6).hex() for _ in range(3500))
        text = DocumentText(record=record.id, local=local, words=words, is_whole=True)
        aws.client("dynamodb").put_item(TableName=table, Item=profile_items.write_text(text))

    with counted() as calls:
        first = record.find(SPECIALIST, f"{CURRENT}&_content=premier")
    found_at_last = [one["id"] for page in pages(record, f"{CURRENT}&_content=premier") for one in page]

    assert calls == ["Query", "BatchGetItem", "PutItem"]
    assert (first.resources, "total" in first.json, "next" in first.links) == ([], False, True)
    assert found_at_last == [oldest]
    assert record.find(SPECIALIST, f"{CURRENT}&_content=premier&_total=accurate").json["total"] == 1

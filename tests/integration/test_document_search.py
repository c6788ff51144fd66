"""Finding documents (ITI-67, TD3.1): what is asked, in which order, page by page, and for whom."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.requester_factories import requester_cpam_agent, requester_employee, requester_patient

CLASS = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument"
STATUS = "status=current"
SYNTHESIS = "60591-5"
TYPES = [bodies.DISCHARGE_LETTER, SYNTHESIS, "11502-2", SYNTHESIS, bodies.DISCHARGE_LETTER]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.fixture(scope="module")
def week(api: ApiClient, stack: dict[str, str]) -> tuple[FedRecord, list[str]]:
    """A record that tests only read: the days of `days`."""
    record = open_record(api, stack)
    record.authorise()
    return record, fed_daily(record)


@pytest.fixture
def days(record: FedRecord) -> list[str]:
    """Five documents, one a day from 1 to 5 March 2026 at noon in Paris; ids, oldest first."""
    return fed_daily(record)


def fed_daily(record: FedRecord) -> list[str]:
    return [
        record.publish(content=f"%PDF-1.4 {day}".encode(), type_code=code, date=f"2026-03-{day:02d}T12:00:00+01:00")
        for day, code in enumerate(TYPES, 1)
    ]


def refused(answer: Response) -> tuple[int, str, list[str]]:
    return answer.status, answer.code, answer.json["issue"][0].get("expression", [])


class TestParameters:
    def test_patient_is_mandatory(self, api: ApiClient) -> None:
        answer = api.get(f"/fhir/DocumentReference?{STATUS}", as_=AUTHOR)

        assert refused(answer) == (400, "missing-parameter", ["http.patient"])

    def test_status_is_mandatory(self, record: FedRecord) -> None:
        answer = record.find(record.patient, "type=60591-5")

        assert refused(answer) == (400, "missing-parameter", ["http.status"])

    def test_a_query_that_no_trace_can_keep_is_refused(self, record: FedRecord) -> None:
        form = {"patient": record.id, "status": "current", "author.name": "ab," * 150_000}

        answer = record.api.search("/fhir/DocumentReference", form, as_=STRANGER)

        assert (answer.status, answer.code) == (400, "invalid-parameter")

    def test_many_alternatives_find_what_few_find(self, record: FedRecord) -> None:
        wanted = record.publish(identifier=[{"system": "urn:n", "value": "20"}], type_code=SYNTHESIS)
        record.publish(content=b"%PDF-1.4 other", type_code=bodies.DISCHARGE_LETTER)
        numbers = ",".join(f"urn:n|{n}" for n in range(40))
        types = ",".join([*(f"none-{n}" for n in range(40)), SYNTHESIS])

        for query in (f"identifier={numbers}", f"type={types}"):
            assert record.found(record.patient, f"{STATUS}&{query}") == [wanted]

    def test_a_name_without_a_value_does_no_harm(self, record: FedRecord) -> None:
        extended = {"extension": [{"url": "https://example.org/e", "valueString": "x"}]}
        names = [{"family": "MOREL", "given": ["Zoé", None], "_given": [None, extended]}]
        author = {"resourceType": "Practitioner", "id": "a", "name": names}
        document = record.publish(contained=[author], author=[{"reference": "#a"}])

        assert record.found(record.patient, f"{STATUS}&author.given=zoe") == [document]
        assert record.found(record.patient, f"{STATUS}&author.given=other") == []

    def test_one_patient_is_named(self, record: FedRecord) -> None:
        answer = record.find(record.patient, f"{STATUS}&patient={'0' * 26}")

        assert refused(answer) == (400, "wrong-patient", ["http.patient"])

    @pytest.mark.parametrize(
        "name",
        [
            "patient={id}",
            "patient=Patient/{id}",
            "patient=https://dmp.example/fhir/Patient/{id}",
            "patient.identifier={ins}",
        ],
    )
    def test_a_patient_is_named_by_id_or_ins(self, week: tuple[FedRecord, list[str]], name: str) -> None:
        record, days = week
        parameter = name.format(id=record.id, ins=quote(bodies.qualified(record.ins)))

        answer = record.api.get(f"/fhir/DocumentReference?{parameter}&{STATUS}", as_=record.patient)

        assert [one["id"] for one in answer.resources] == days[::-1]

    def test_an_unknown_patient_has_no_record(self, api: ApiClient) -> None:
        unknown = quote(bodies.qualified(bodies.new_ins()))

        by_ins = api.get(f"/fhir/DocumentReference?patient.identifier={unknown}&{STATUS}", as_=AUTHOR)
        by_id = api.get(f"/fhir/DocumentReference?patient={'0' * 26}&{STATUS}", as_=AUTHOR)

        assert (by_ins.status, by_ins.code) == (by_id.status, by_id.code) == (404, "no-record")

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("type=60591-5", [4, 2]),
            ("type=http://loinc.org|60591-5", [4, 2]),
            ("type=urn:oid:2.16.840.1.113883.6.1|60591-5", [4, 2]),
            ("type=urn:x|60591-5", []),
            ("type=60591-5,11502-2", [4, 3, 2]),
            ("type=http://loinc.org|", [5, 4, 3, 2, 1]),
            ("type=nonsense", []),
            ("category=11", [4, 2]),
            (f"category={CLASS}|11", [4, 2]),
            ("category=urn:x|11", []),
            ("category=11,31", [4, 2]),
            ("category=11,10", [5, 4, 3, 2, 1]),
            ("type=60591-5&category=10", []),
            ("date=2026-03-03", [3]),
            ("date=ge2026-03-03", [5, 4, 3]),
            ("date=gt2026-03-03", [5, 4]),
            ("date=lt2026-03-03", [2, 1]),
            ("date=le2026-03-03", [3, 2, 1]),
            ("date=sa2026-03-03&date=eb2026-03-05", [4]),
            ("date=ge2026-03-02&date=lt2026-03-04", [3, 2]),
            ("date=ne2026-03-03", [5, 4, 2, 1]),
            ("date=2026-03-01,2026-03-05", [5, 1]),
            ("date=2026-03", [5, 4, 3, 2, 1]),
            ("date=ge2026-03-05&date=lt2026-03-02", []),
            ("date=2026-03-03T12:00:00%2B01:00", [3]),
            ("date=ge2026-03-03T11:00:00Z", [5, 4, 3]),
            ("date=ge2026-03-03T11:00:01Z", [5, 4]),
            ("type=60591-5&date=ge2026-03-03", [4]),
            ("category=11&date=lt2026-03-03", [2]),
            ("_lastUpdated=ge2020-01-01", [5, 4, 3, 2, 1]),
            ("_lastUpdated=lt2020-01-01", []),
            ("_lastUpdated=ne2020-01-01", [5, 4, 3, 2, 1]),
        ],
    )
    def test_each_finds_what_it_says(self, week: tuple[FedRecord, list[str]], query: str, expected: list[int]) -> None:
        record, days = week
        answer = record.find(record.patient, f"{STATUS}&{query}")

        assert [days.index(one["id"]) + 1 for one in answer.resources] == expected
        assert answer.json["total"] == len(expected)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("date=yesterday", "invalid-parameter"),
            ("date=zz2026", "invalid-parameter"),
            ("_count=0", "invalid-parameter"),
            ("_count=x", "invalid-parameter"),
            ("_total=some", "invalid-parameter"),
            ("type:not=60591-5", "unsupported-modifier"),
            ("author.family:missing=true", "unsupported-modifier"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, record: FedRecord, query: str, code: str) -> None:
        answer = record.find(record.patient, f"{STATUS}&{query}")

        assert (answer.status, answer.code) == (400, code)

    @pytest.mark.parametrize("spelling", ["urn:ietf:rfc:3986|{}", "{}", "|{}"])
    def test_an_identifier_finds_its_document(self, record: FedRecord, spelling: str) -> None:
        unique = bodies.unique_id()
        document = record.publish(masterIdentifier=unique)
        record.publish(content=b"%PDF-1.4 other")

        assert record.found(record.patient, f"{STATUS}&identifier={spelling.format(unique['value'])}") == [document]

    def test_a_further_identifier_finds_its_documents(self, record: FedRecord) -> None:
        shared = {"system": "https://hospital.example/numbers", "value": "N-1"}
        ids = [
            record.publish(content=f"%PDF-1.4 {n}".encode(), identifier=[shared], date=f"2026-03-0{n}T00:00:00Z")
            for n in (1, 2)
        ]

        found = record.found(record.patient, f"{STATUS}&identifier={shared['system']}|{shared['value']}")

        assert found == ids[::-1]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("status=current", ["new"]),
            ("status=superseded", ["old"]),
            ("status=current,superseded", ["new", "old"]),
            ("status=current&status=superseded", []),
            ("status=entered-in-error", []),
            ("status=http://hl7.org/fhir/document-reference-status|current", ["new"]),
            ("status=nonsense", []),
        ],
    )
    def test_statuses_are_told_apart(self, record: FedRecord, query: str, expected: list[str]) -> None:
        old = record.publish(date="2026-03-01T00:00:00Z")
        related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{old}"}}]
        new = record.publish(content=b"%PDF-1.4 new", relatesTo=related, date="2026-03-02T00:00:00Z")
        gone = record.publish(content=b"%PDF-1.4 gone")
        record.api.delete(f"/fhir/DocumentReference/{gone}", as_=AUTHOR)

        found = record.found(record.patient, query)

        assert found == [{"new": new, "old": old}[name] for name in expected]

    def test_an_unknown_parameter_is_left_out_or_refused(self, week: tuple[FedRecord, list[str]]) -> None:
        record, days = week
        lenient = record.find(record.patient, f"{STATUS}&colour=red")
        strict = record.find(record.patient, f"{STATUS}&colour=red", headers={"Prefer": "handling=strict"})

        assert len(lenient.resources) == len(days)
        assert "colour" not in lenient.links["self"]
        assert (strict.status, strict.code) == (400, "unknown-parameter")

    def test_a_form_asks_the_same(self, week: tuple[FedRecord, list[str]]) -> None:
        record, days = week
        form = {
            "patient.identifier": bodies.qualified(record.ins),
            "status": "current",
            "date": ["ge2026-03-02", "lt2026-03-04"],
        }

        answer = record.api.search("/fhir/DocumentReference", form, as_=record.patient)

        assert [one["id"] for one in answer.resources] == [days[2], days[1]]
        assert record.ins not in answer.body.decode()

    def test_head_answers_without_a_body(self, week: tuple[FedRecord, list[str]]) -> None:
        record, _ = week
        answer = record.api.head(f"/fhir/DocumentReference?patient={record.id}&{STATUS}", as_=record.patient)

        assert (answer.status, answer.body) == (200, b"")


class TestPages:
    def test_every_document_comes_once_in_order(self, week: tuple[FedRecord, list[str]]) -> None:
        record, days = week
        pages = walk(record, record.patient, f"{STATUS}&_count=2")

        assert [[one["id"] for one in page.resources] for page in pages] == [
            [days[4], days[3]],
            [days[2], days[1]],
            [days[0]],
        ]

    @pytest.mark.parametrize("query", ["type=60591-5,11490-0", "category=11,10", "date=lt2026-03-05", "identifier={}"])
    def test_filtered_searches_have_pages_too(self, record: FedRecord, query: str) -> None:
        shared = {"system": "urn:n", "value": "1"}
        ids = [
            record.publish(
                content=f"%PDF-1.4 {n}".encode(),
                identifier=[shared],
                type_code=[SYNTHESIS, bodies.DISCHARGE_LETTER][n % 2],
                date=f"2026-03-01T{n:02d}:00:00Z",
            )
            for n in range(7)
        ]

        pages = walk(record, record.patient, f"{STATUS}&_count=3&{query.format('urn:n|1')}")

        assert [one["id"] for page in pages for one in page.resources] == ids[::-1]
        assert [len(page.resources) for page in pages] == [3, 3, 1]

    def test_documents_of_one_millisecond_are_all_found(self, record: FedRecord) -> None:
        ids = {record.publish(content=f"%PDF-1.4 {n}".encode(), date="2026-03-01T00:00:00Z") for n in range(5)}

        pages = walk(record, record.patient, f"{STATUS}&_count=2")

        assert {one["id"] for page in pages for one in page.resources} == ids

    @pytest.mark.parametrize(
        ("date", "status"),
        [("0001-01-01T00:00:00+14:00", 422), ("9999-12-31T23:59:59-12:00", 422), ("1066-10-14T09:00:00Z", 201)],
    )
    def test_the_strangest_date_is_refused_or_found(self, record: FedRecord, date: str, status: int) -> None:
        answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id, date=date), as_=AUTHOR)
        latest = record.publish(content=b"%PDF-1.4 latest", date="9998-01-01T00:00:00Z")

        assert answer.status == status, answer.body
        assert record.found(record.patient) == ([latest, answer.id] if status == 201 else [latest])

    def test_links_carry_the_record_and_never_the_ins(self, week: tuple[FedRecord, list[str]]) -> None:
        record, _ = week
        ins = quote(bodies.qualified(record.ins))

        answer = record.api.get(
            f"/fhir/DocumentReference?patient.identifier={ins}&{STATUS}&_count=2", as_=record.patient
        )

        for link in answer.links.values():
            assert parse_qs(urlsplit(link).query)["patient"] == [record.id]
            assert record.ins not in link
        assert record.api.get(answer.links["next"], as_=record.patient).resources

    def test_a_total_is_told_where_it_is_known(self, week: tuple[FedRecord, list[str]]) -> None:
        record, days = week
        whole = record.find(record.patient, STATUS)
        first = record.find(record.patient, f"{STATUS}&_count=2")
        asked = record.find(record.patient, f"{STATUS}&_count=2&_total=accurate")
        second = record.api.get(asked.links["next"], as_=record.patient)

        assert whole.json["total"] == len(days)
        assert "total" not in first.json
        assert asked.json["total"] == second.json["total"] == len(days)
        assert [one["id"] for one in second.resources] == [days[2], days[1]]

    def test_a_page_holds_a_hundred_at_most(self, record: FedRecord) -> None:
        answer = record.find(record.patient, f"{STATUS}&_count=1000")

        assert "_count=100" in answer.links["self"]

    @pytest.mark.parametrize("place", [0, 1, -2, -1])
    def test_an_altered_cursor_is_refused(self, week: tuple[FedRecord, list[str]], place: int) -> None:
        record, _ = week
        url = record.find(record.patient, f"{STATUS}&_count=2").links["next"]
        start, _, cursor = url.partition("_cursor=")
        altered = list(cursor)
        altered[place] = "A" if altered[place] != "A" else "B"

        answer = record.api.get(f"{start}_cursor={''.join(altered)}", as_=record.patient)

        assert (answer.status, answer.code) == (400, "invalid-cursor")

    def test_a_cursor_is_tied_to_its_caller(self, week: tuple[FedRecord, list[str]]) -> None:
        record, _ = week
        url = record.find(record.patient, f"{STATUS}&_count=2").links["next"]

        answer = record.api.get(url, as_=SPECIALIST)

        assert (answer.status, answer.code) == (400, "invalid-cursor")

    def test_a_cursor_is_tied_to_its_query_and_record(
        self, record: FedRecord, days: list[str], api: ApiClient, stack: dict[str, str]
    ) -> None:
        assert days
        other = open_record(api, stack)
        url = record.find(AUTHOR, f"{STATUS}&_count=2").links["next"]
        other.publish()

        changed = api.get(url.replace("status=current", "status=superseded"), as_=AUTHOR)
        elsewhere = api.get(url.replace(record.id, other.id), as_=AUTHOR)

        assert (changed.status, changed.code) == (400, "invalid-cursor")
        assert (elsewhere.status, elsewhere.code) == (400, "invalid-cursor")

    def test_a_cursor_serves_the_ins_as_well(self, week: tuple[FedRecord, list[str]]) -> None:
        record, days = week
        url = record.find(record.patient, f"{STATUS}&_count=2").links["next"]
        ins = quote(bodies.qualified(record.ins))

        answer = record.api.get(url.replace(f"patient={record.id}", f"patient.identifier={ins}"), as_=record.patient)

        assert [one["id"] for one in answer.resources] == [days[2], days[1]]


class TestCallers:
    def test_a_stranger_finds_nothing_and_is_traced(self, record: FedRecord, days: list[str]) -> None:
        assert days
        answer = record.find(STRANGER)

        assert (answer.status, answer.code) == (403, "not-authorised")
        last = record.trace()[-1]
        assert (last["act"], last["outcome"]) == ("ITI-67", "8")

    def test_a_depositor_finds_own_documents_alone(self, record: FedRecord, days: list[str]) -> None:
        own = record.publish(STRANGER, b"%PDF-1.4 own")

        answer = record.find(STRANGER)

        assert days
        assert [one["id"] for one in answer.resources] == [own]
        assert answer.json["total"] == 1

    def test_a_structure_finds_what_its_people_deposited(self, record: FedRecord, days: list[str]) -> None:
        record.publish(HOSPITAL, b"%PDF-1.4 elsewhere")

        assert record.found(COLLEAGUE) == days[::-1]
        assert record.found(requester_employee()) == days[::-1]

    def test_own_documents_come_in_pages(self, record: FedRecord, days: list[str]) -> None:
        record.publish(HOSPITAL, b"%PDF-1.4 elsewhere")

        pages = walk(record, COLLEAGUE, f"{STATUS}&_count=2")

        assert [one["id"] for page in pages for one in page.resources] == days[::-1]

    def test_own_masked_documents_are_found_by_their_author(self, record: FedRecord, days: list[str]) -> None:
        record.mask(days[0])

        assert record.found(AUTHOR) == days[::-1]

    def test_the_desk_of_the_insurer_finds_nothing(self, week: tuple[FedRecord, list[str]]) -> None:
        record, _ = week
        assert record.find(requester_cpam_agent()).status == 403

    def test_another_person_sees_no_record(self, week: tuple[FedRecord, list[str]]) -> None:
        record, _ = week
        other = requester_patient(bodies.qualified(bodies.new_ins()))

        answer = record.find(other)

        assert (answer.status, answer.code) == (404, "no-record")

    def test_the_matrix_leaves_out_what_a_profession_may_not_read(self, record: FedRecord, days: list[str]) -> None:
        from dmp.domain import access_matrix

        profession = next(
            p
            for p in ("21", "26", "40", "50", "60", "70", "80", "91")
            if len({access_matrix.permits(p, c) for c in TYPES}) == 2
        )
        who = Requester(**{**_fields(SPECIALIST), "profession": profession})
        record.authorise(who)

        answer = record.find(who)

        permitted = [one for one, code in zip(days, TYPES, strict=True) if access_matrix.permits(profession, code)]
        assert [one["id"] for one in answer.resources] == permitted[::-1]
        assert answer.json["total"] == len(permitted)

    @pytest.mark.parametrize("change", ["revoke", "block"])
    def test_a_right_that_ends_ends_at_once(self, record: FedRecord, days: list[str], change: str) -> None:
        consent = record.authorise()
        url = record.find(SPECIALIST, f"{STATUS}&_count=2").links["next"]
        if change == "revoke":
            patch = [{"op": "replace", "path": "/status", "value": "inactive"}]
            record.api.patch(f"/fhir/Consent/{consent}", patch, as_=record.patient)
        else:
            record.block(SPECIALIST)

        answers = [record.find(SPECIALIST), record.api.get(url, as_=SPECIALIST)]

        assert days
        assert [answer.status for answer in answers] == [403, 403]


def _fields(who: Requester) -> dict[str, Any]:
    return {name: getattr(who, name) for name in Requester.__dataclass_fields__}


def walk(record: FedRecord, who: Requester, query: str) -> list[Response]:
    """Every page of a search."""
    pages = [record.find(who, query)]
    follow: Callable[[str], Response] = lambda url: record.api.get(url, as_=who)  # noqa: E731
    while next_page := pages[-1].links.get("next"):
        pages.append(follow(next_page))
    assert all(page.status == 200 for page in pages)
    return pages

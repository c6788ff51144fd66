"""Every parameter of ITI-67 against documents that say what it asks for (MHD 4.2.4, PDSm 3.1.1, FHIR R4 search)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record
from tests.rich_documents import A01, FORMAT, NOS, R02, letter, note, report

STATUS = "status=current,superseded"
A07 = f"{NOS}/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
FIND = {
    "author.family=lefevre": "L",
    "author.family=LEFÈVRE DOEUFF": "L",
    "author.family=doeuff": "",
    "author.family:contains=doeuff": "L",
    "author.family:exact=Lefèvre-Dœuff": "L",
    "author.family:exact=lefèvre-dœuff": "",
    "author.family=lef,mart": "LR",
    "author.family=lef&author.family=mart": "",
    "author.given=anne": "L",
    "author.given=elo&author.given=anne": "L",
    "author.given=paul": "R",
    "author.name=hopital de la cote": "L",
    "author.name=dr": "L",
    "author.name=jo": "N",
    "author.name:contains=port": "R",
    "author.identifier=urn:oid:1.2.250.1.71.4.2.1|810101234567": "L",
    "author:identifier=urn:oid:1.2.250.1.71.4.2.1|810101234567": "L",
    "author:identifier=810101234567": "L",
    "author:identifier=https://rpps.esante.gouv.fr|10101234567": "L",
    "author:identifier=urn:oid:1.2.250.1.71.4.2.1|810107654321": "R",
    "author:identifier=urn:oid:1.2.250.1.71.4.2.2|1750100125": "L",
    "author:identifier=urn:oid:1.2.250.1.71.4.2.1|": "LRN",
    "author=Practitioner/unknown": "",
    "_content=sejour": "L",
    "_content=lettre": "LRN",
    "_content=lettre sejour&facility=SA07": "",
    "authenticator:identifier=810101234567": "L",
    "authenticator=Practitioner/unknown": "",
    "custodian:identifier=https://finess.esante.gouv.fr|750100125": "LRN",
    "custodian=Organization/unknown": "",
    "creation=2026-03-01": "L",
    "creation=ge2026-03-02": "RN",
    "creation=2026-03": "LRN",
    "creation=lt2026-03-06": "LN",
    "creation=ap2026-03-05": "RN",
    "date=2026-03-06": "R",
    "date=ge2026-03-06&date=le2026-03-07": "RN",
    "date=ap2026-03-06": "LRN",
    "date=2026-03-05,2026-03-07": "LN",
    "event=DZQM006": "L",
    "event=urn:oid:1.2.250.1.213.2.5|DZQM006": "L",
    "event=http://example.org/events|": "L",
    "event=DZQM006&event=STAY": "L",
    "event=other": "",
    "facility=SA01": "L",
    f"facility={R02}|SA07": "R",
    "facility=urn:oid:1.2.250.1.71.4.2.4|SA07": "R",
    "facility=SA01,SA07": "LR",
    "setting=ETABLISSEMENT": "L",
    f"setting={A01}|AMBULATOIRE": "R",
    "setting=|AMBULATOIRE": "",
    f"format={FORMAT}|urn:ihe:iti:xds-sd:pdf:2008": "L",
    "format=urn:ihe:iti:xds-sd:pdf:2008": "L",
    "contenttype=application/pdf": "LRN",
    "contenttype=text/xml": "",
    "language=fr-FR": "L",
    "description=sejour": "L",
    "description:contains=cardio": "L",
    "security-label=N": "LRN",
    "security-label=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N": "LRN",
    f"security-label={A07}|MASQUE_PS": "",
    "period=2026-03-02": "L",
    "period=2026-03-06": "R",
    "period=2026-03-06T08:15:00%2B01:00": "R",
    "period=2026-03": "LRN",
    "period=2030": "N",
    "period=ge2026-03-04&period=le2026-03-06": "LR",
    "period=sa2026-03-04": "RN",
    "period=eb2026-03-06": "L",
    "period=lt2026-03-06": "L",
    "period=gt2026-03-06": "N",
    "period=ne2026-03-02": "RN",
    "period=ap2026-03-05": "LR",
    "period-start=2026-03-01": "L",
    "period-start=ge2026-03-06": "RN",
    "period-end=2026-03-04": "L",
    "period-end=lt2026-03-05": "L",
    "period-end=ge2026-03-05": "R",
    "related={L}": "R",
    "related=DocumentReference/{L}": "R",
    "related=https://dmp.example/fhir/DocumentReference/{L}": "R",
    "related:identifier=https://hospital.example/orders|ORDER-1": "L",
    "related.identifier=ORDER-1": "L",
    "related=https://hospital.example/orders|ORDER-1": "L",
    "related:identifier=https://other.example|ORDER-1": "",
    "relatesto=DocumentReference/{L}": "RN",
    "relatesto={L}": "RN",
    "relatesto=DocumentReference/{N}": "",
    "relatesto:identifier=urn:ietf:rfc:3986|urn:oid:2.999.5": "N",
    "relatesto:identifier=urn:oid:2.999.5": "N",
    "relation=appends": "R",
    "relation=appends,transforms": "RN",
    "relation=replaces": "",
    "isArchived=true": "L",
    "isArchived=false": "RN",
    "isArchived=true,false": "LRN",
    "targetCommunityIdList=urn:oid:1.2.250.1.999": "L",
    "targetCommunityIdList=urn:oid:1.2.250.1.998": "",
    "type=11490-0,11502-2": "LR",
    "type=11490-0&type=11502-2": "",
    "type=http://loinc.org|&type=11502-2": "R",
    "category=10&category=http://nowhere.example|": "",
    "_id={L}": "L",
    "_id={L},{N}": "LN",
    "_id={L}&_id={N}": "",
    "_id={L}&facility=SA07": "",
    "_id=unknown": "",
    "facility=SA07&author.family=martin&period=2026-03-06&type=11502-2": "R",
    "_lastUpdated=ge2020-01-01&facility=SA07": "R",
}


@dataclass(frozen=True)
class Fed:
    record: FedRecord
    ids: dict[str, str]

    def found(self, query: str) -> str:
        asked = quote(query.format(**self.ids), safe="=&%:/.,")
        answer = self.record.find(self.record.patient, f"{STATUS}&{asked}")
        assert answer.status == 200, answer.body
        names = {one: name for name, one in self.ids.items()}
        return "".join(names[one["id"]] for one in answer.resources)


@pytest.fixture(scope="module")
def fed(api: ApiClient, stack: dict[str, str]) -> Fed:
    """A letter L, a report R that belongs to it and a note N, in this order of dates; tests only read."""
    record = open_record(api, stack)
    first = publish(record, **letter())
    ids = {"L": first, "R": publish(record, **report(first)), "N": publish(record, **note())}
    return Fed(record, ids)


def publish(record: FedRecord, **elements: Any) -> str:
    shape = elements.pop("format", None)
    body = bodies.document(record.id, f"%PDF-1.4 {elements['date']}".encode(), **elements)
    if shape:
        body["content"][0]["format"] = shape
    answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)
    assert answer.status == 201, answer.body
    return answer.id


@pytest.mark.parametrize("query", FIND)
def test_each_parameter_finds_what_it_says(fed: Fed, query: str) -> None:
    found = fed.found(query)

    assert sorted(found) == sorted(FIND[query])
    assert list(found) == sorted(found, key="NRL".index)


def test_every_parameter_stated_is_tried(fed: Fed) -> None:
    statement = fed.record.api.get("/fhir/metadata").json["rest"][0]["resource"]
    stated = {one["name"] for resource in statement if resource["type"] == "DocumentReference"
              for one in resource["searchParam"]}  # fmt: skip

    tried = {part.partition("=")[0] for query in FIND for part in query.split("&")}

    plain = {
        name.replace(":identifier", ".identifier").removesuffix(":exact").removesuffix(":contains") for name in tried
    }
    elsewhere = {"_count", "_sort", "status", "identifier"}
    assert stated - plain == {*elsewhere, "patient", "patient.identifier", "subject", "subject.identifier"}


@pytest.mark.parametrize("name", ["subject", "subject:Patient", "patient:Patient"])
def test_a_subject_is_a_patient(fed: Fed, name: str) -> None:
    answer = fed.record.api.get(f"/fhir/DocumentReference?{name}=Patient/{fed.record.id}&{STATUS}", as_=SPECIALIST)

    assert answer.status == 403
    assert fed.record.ins not in answer.body.decode()


@pytest.mark.parametrize("name", ["patient:identifier", "subject.identifier", "subject:identifier"])
def test_a_subject_is_named_by_ins_too(fed: Fed, name: str) -> None:
    ins = quote(bodies.qualified(fed.record.ins))

    answer = fed.record.api.get(f"/fhir/DocumentReference?{name}={ins}&{STATUS}", as_=fed.record.patient)

    assert len(answer.resources) == 3
    assert f"patient={fed.record.id}" in answer.links["self"]
    assert fed.record.ins not in answer.links["self"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("facility:not=SA01", "unsupported-modifier"),
        ("period:exact=2026", "unsupported-modifier"),
        ("relatesto:Patient=1", "unsupported-modifier"),
        ("author.family:sounds=x", "unsupported-modifier"),
        ("_include:iterate=DocumentReference:relatesto", "unsupported-modifier"),
        ("author.family=-", "invalid-parameter"),
        ("period=never", "invalid-parameter"),
        ("author=Medication/1", "invalid-parameter"),
        ("custodian=Practitioner/1", "invalid-parameter"),
        ("author:identifier=urn:oid:1.2.250.1.213.1.4.10|279035121518989", "invalid-parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(fed: Fed, query: str, code: str) -> None:
    answer = fed.record.find(fed.record.patient, f"{STATUS}&{quote(query, safe='=&:')}")

    assert (answer.status, answer.code) == (400, code)


class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("date", "LRN"), ("-date", "NRL"), ("_id", "LRN"), ("-_id", "NRL"), ("_lastUpdated", "RNL"),
            ("-_lastUpdated", "LNR"), ("-date,_id", "NRL"), ("colour", "NRL"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("more", ["", "&_count=1", "&_count=2&_total=accurate", "&_lastUpdated=ge2020"])
    def test_documents_come_in_the_order_that_is_asked(self, changed: Fed, sort: str, expected: str, more: str) -> None:
        assert walk(changed, f"_sort={sort}{more}") == expected

    @pytest.mark.parametrize("sort", ["date", "-date", "_lastUpdated", "-_lastUpdated"])
    @pytest.mark.parametrize(
        "query", ["type=11490-0,11502-2", "category=10,31&type=11490-0,11502-2", "facility=SA01,SA07"]
    )
    def test_filters_keep_the_order(self, changed: Fed, sort: str, query: str) -> None:
        expected = {"date": "LR", "-date": "RL", "_lastUpdated": "RL", "-_lastUpdated": "LR"}[sort]

        found = {count: walk(changed, f"{query}&_sort={sort}&_count={count}") for count in (1, 20)}

        wanted = [one for one in expected if one in found[20]]
        assert found == {1: "".join(wanted), 20: "".join(wanted)}
        assert wanted

    @pytest.mark.parametrize("sort", ["date", "-date", "_lastUpdated", "-_lastUpdated"])
    def test_own_documents_come_in_that_order_too(self, changed: Fed, sort: str) -> None:
        expected = {"date": "LRN", "-date": "NRL", "_lastUpdated": "RNL", "-_lastUpdated": "LNR"}[sort]

        assert walk(changed, f"_sort={sort}&_count=1", AUTHOR) == expected

    def test_strict_clients_are_told_what_is_no_order(self, fed: Fed) -> None:
        answers = [
            fed.record.find(fed.record.patient, f"{STATUS}&{query}", headers={"Prefer": "handling=strict"})
            for query in ("_sort=colour", "_sort=-date,_id", "_include=DocumentReference:encounter")
        ]

        assert {(one.status, one.code) for one in answers} == {(400, "unknown-parameter")}

    def test_an_order_that_is_none_is_left_out_of_self(self, fed: Fed) -> None:
        answer = fed.record.find(fed.record.patient, f"{STATUS}&_sort=colour")

        assert "_sort" not in answer.links["self"]


@pytest.fixture(scope="module")
def changed(api: ApiClient, stack: dict[str, str]) -> Fed:
    """The same, where the letter was changed last."""
    record = open_record(api, stack)
    first = publish(record, **letter())
    ids = {"L": first, "R": publish(record, **report(first)), "N": publish(record, **note())}
    record.mask(first)
    return Fed(record, ids)


def walk(fed: Fed, query: str, who: Any = None) -> str:
    """What all pages of a search hold, in order."""
    names = {one: name for name, one in fed.ids.items()}
    who = who or fed.record.patient
    answer = fed.record.find(who, f"{STATUS}&{query}")
    found = ""
    while True:
        assert answer.status == 200, answer.body
        found += "".join(names[one["id"]] for one in answer.resources)
        if "next" not in answer.links:
            return found
        answer = fed.record.api.get(answer.links["next"], as_=who)


class TestIncludes:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("_id={R}&_include=DocumentReference:relatesto", ["DocumentReference/{L}"]),
            ("_id={R}&_include=DocumentReference:related", ["DocumentReference/{L}"]),
            ("_id={R}&_include=DocumentReference:relatesto:DocumentReference", ["DocumentReference/{L}"]),
            ("_id={R}&_include=DocumentReference:patient", ["Patient/{P}"]),
            ("_id={R}&_include=DocumentReference:subject&_include=DocumentReference:related",
             ["DocumentReference/{L}", "Patient/{P}"]),
            ("_id={R},{L}&_include=DocumentReference:relatesto", []),
            ("_id={L}&_include=DocumentReference:relatesto", []),
            ("_id={N}&_include=DocumentReference:relatesto", ["DocumentReference/{L}"]),
            ("_id={R}&_include=DocumentReference:encounter", []),
            ("_id=none&_include=DocumentReference:patient", []),
        ],
    )  # fmt: skip
    def test_what_is_named_comes_along(self, fed: Fed, query: str, expected: list[str]) -> None:
        ids = fed.ids | {"P": fed.record.id}

        answer = fed.record.find(fed.record.patient, f"{STATUS}&{query.format(**ids)}")

        included = [one for one in answer.json.get("entry", []) if one["search"]["mode"] == "include"]
        names = [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in included]
        assert sorted(names) == [one.format(**ids) for one in expected]
        assert all(one["fullUrl"].endswith(name) for one, name in zip(included, names, strict=True))
        assert answer.json["total"] == len(answer.resources)

    def test_what_may_not_be_seen_does_not_come_along(self, changed: Fed) -> None:
        changed.record.authorise(SPECIALIST)
        query = f"{STATUS}&_id={changed.ids['R']}&_include=DocumentReference:relatesto"

        seen = changed.record.find(SPECIALIST, query)
        whole = changed.record.find(changed.record.patient, query)

        assert [one["search"]["mode"] for one in seen.json["entry"]] == ["match"]
        assert len(whole.json["entry"]) == 2

    def test_an_include_is_traced(self, fed: Fed) -> None:
        fed.record.find(fed.record.patient, f"{STATUS}&_include=DocumentReference:patient")

        assert "_include=DocumentReference:patient" in fed.record.trace()[-1]["query"]


class TestSight:
    """Filters look at what the caller may see."""

    @pytest.mark.parametrize("query", ["relatesto={L}&type=11502-2", "related={L}", "relation=appends"])
    def test_a_hidden_document_is_not_found_by_what_names_it(self, changed: Fed, query: str) -> None:
        changed.record.authorise(SPECIALIST)
        asked = f"{STATUS}&{query.format(**changed.ids)}"

        assert changed.record.found(SPECIALIST, asked) == []
        assert changed.record.found(changed.record.patient, asked) == [changed.ids["R"]]

    def test_who_has_no_right_finds_nothing_by_a_filter(self, fed: Fed) -> None:
        answer = fed.record.find(STRANGER, f"{STATUS}&facility=SA01")

        assert (answer.status, answer.code) == (403, "not-authorised")


def test_links_repeat_what_was_used(fed: Fed) -> None:
    query = "author:identifier=810101234567,810107654321&author.family:contains=e,a&_count=1&_sort=date"

    answer = fed.record.find(fed.record.patient, f"{STATUS}&{query}")

    link = answer.links["next"]
    assert "author.identifier=810101234567,810107654321&author.family:contains=e,a&_count=1&_sort=date" in link
    assert len(fed.record.api.get(link, as_=fed.record.patient).resources) == 1


def test_a_post_takes_parameters_in_its_address(fed: Fed) -> None:
    url = f"/fhir/DocumentReference/_search?patient={fed.record.id}&{STATUS}&facility=SA07"

    answer = fed.record.api.post(url, as_=fed.record.patient)

    assert [one["id"] for one in answer.resources] == [fed.ids["R"]]

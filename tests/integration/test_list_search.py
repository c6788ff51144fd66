"""Finding SubmissionSets and Folders (ITI-66): every parameter, pages, and what of them the caller may see."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.integration.test_folders import lists_of
from tests.integration.test_submissions import with_folder as of_folder
from tests.rich_documents import ARCHIVED, COMMUNITY, concept

type Json = dict[str, Any]

STATUS = "status=current"
TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition"
SNOMED = "http://snomed.info/sct"
ROLE = "source:PractitionerRole.practitioner"
FIND = {
    "": "FBA",
    "code=submissionset": "BA",
    "code=folder": "F",
    f"code={TYPES}|folder,{TYPES}|submissionset": "FBA",
    f"code={TYPES}|folder": "F",
    "code=http://other.example|folder": "",
    "code=folder&code=submissionset": "",
    "_id={A}": "A",
    "_id={A},{F}": "FA",
    "_id=unknown": "",
    "_id={A}&code=folder": "",
    "_lastUpdated=ge2020-01-01": "FBA",
    "_lastUpdated=lt2020-01-01": "",
    "date=2026-03-01": "A",
    "date=ge2026-03-02": "FB",
    "date=ge2026-03-02&code=submissionset": "B",
    "date=lt2026-03-02&code=submissionset": "A",
    "date=ap2026-03-02": "FBA",
    "date=2026-03-01,2026-03-03": "FA",
    "identifier=urn:ietf:rfc:3986|urn:oid:2.999.1": "A",
    "identifier=urn:oid:2.999.1": "A",
    "identifier=2.999.1,2.999.3": "FA",
    "identifier=urn:oid:2.999.77": "",
    "identifier=urn:ietf:rfc:3986|": "FBA",
    "title=sejour": "A",
    "title:contains=grippe": "F",
    "title:exact=séjour": "",
    "designationType=225728007": "A",
    f"designationType={SNOMED}|225728007": "A",
    f"designationType={SNOMED}|225728007,{SNOMED}|1": "FA",
    "sourceId=urn:oid:1.2.3.4": "BA",
    "sourceId=urn:ietf:rfc:3986|urn:oid:1.2.3.4": "BA",
    "sourceId=urn:oid:1.2.3.5": "",
    "source.family=morel": "A",
    "source.given=zoe": "A",
    "source.name=clinique": "A",
    "source.family:contains=ore": "A",
    "source.family:exact=MOREL": "A",
    f"{ROLE}.family=morel": "A",
    f"{ROLE}:Practitioner.given=zoe": "A",
    "source:PractitionerRole.given=zoe": "A",
    "source:PractitionerRole.name=clinique": "A",
    "source:PractitionerRole.name:contains=soleil": "A",
    "source:Patient.family=pat": "B",
    "source:Patient.given=dom": "B",
    "source:Patient.family=morel": "",
    "source:Practitioner.family=morel": "",
    "source:Practitioner.given=zoe": "",
    "source:identifier=810105555555": "A",
    "source.identifier=urn:oid:1.2.250.1.71.4.2.2|1440000004": "A",
    "source=Practitioner/unknown": "",
    "authorOrg:identifier=urn:oid:1.2.250.1.71.4.2.2|1330000009": "B",
    "authorOrg.identifier=1330000009": "B",
    "authorOrg=Organization/unknown": "",
    "isArchived=true": "F",
    "isArchived=false": "BA",
    "targetCommunityIdList=urn:oid:1.2.250.1.999": "A",
    "_sort=date": "ABF",
    "_sort=-date": "FBA",
    "_sort=_id": "ABF",
    "_sort=colour": "FBA",
    "_sort=date&code=folder": "F",
}


@dataclass(frozen=True)
class Fed:
    record: FedRecord
    ids: dict[str, str]
    documents: list[str]

    def find(self, query: str, who: Requester | None = None, **options: Any) -> Response:
        asked = quote(query.format(**self.ids), safe="=&%:/.,")
        url = f"/fhir/List?patient={self.record.id}&{STATUS}&{asked}"
        return self.record.api.get(url, as_=who or self.record.patient, **options)

    def names(self, answer: Response) -> str:
        assert answer.status == 200, answer.body
        names = {one: name for name, one in self.ids.items()}
        return "".join(names[one["id"]] for one in answer.resources)


def extension(name: str, **value: object) -> Json:
    return {"url": f"{MHD}/{name}", **value}


def set_a() -> Json:
    people = [
        {"resourceType": "Practitioner", "id": "p", "name": [{"family": "MOREL", "given": ["Zoé"]}],
         "identifier": [{"system": PS_IDNAT, "value": "810105555555"}]},
        {"resourceType": "Organization", "id": "o", "name": "Clinique du Soleil",
         "identifier": [{"system": STRUCT_IDNAT, "value": "1440000004"}]},
        {"resourceType": "PractitionerRole", "id": "s", "practitioner": {"reference": "#p"},
         "organization": {"reference": "#o"}},
    ]  # fmt: skip
    designation = extension("ihe-designationType", valueCodeableConcept=concept(SNOMED, "225728007"))
    community = {"url": COMMUNITY, "valueOid": "urn:oid:1.2.250.1.999"}
    return {"contained": people, "source": {"reference": "#s"}, "title": "Séjour en cardiologie",
            "date": "2026-03-01T10:00:00Z", "extension": [designation, community]}  # fmt: skip


def set_b() -> Json:
    person = {"resourceType": "Patient", "id": "s", "name": [{"family": "PAT-TEST", "given": ["DOMINIQUE"]}]}
    organisation = {"identifier": {"system": STRUCT_IDNAT, "value": "1330000009"}}
    source = {"reference": "#s", "extension": [extension("ihe-authorOrg", valueReference=organisation)]}
    return {"contained": [person], "title": "Résultats", "date": "2026-03-02T10:00:00Z", "source": source}


def submitted(record: FedRecord, number: int, elements: Json, *, as_: Requester = AUTHOR, count: int = 1) -> Json:
    """An ITI-65 Bundle whose SubmissionSet says this too."""
    contents = [f"%PDF-1.4 {record.id} {number} {n}".encode() for n in range(count)]
    body = bodies.submission(record.id, *contents, date=f"2026-03-{number:02d}T08:00:00Z")
    found = body["entry"][0]["resource"]
    extensions = [*found["extension"], *elements.get("extension", [])]
    identifier = {"use": "usual", **bodies.unique_id(), "value": f"urn:oid:2.999.{number}"}
    found |= {**elements, "extension": extensions, "identifier": [identifier]}
    return body


def submit(record: FedRecord, body: Json, as_: Requester = AUTHOR) -> list[str]:
    """Ids of what was deposited, in the bundle's order."""
    answer = record.api.post("/fhir", body, as_=as_)
    assert answer.status == 200, answer.body
    return [entry["response"]["location"].split("/")[1] for entry in answer.json["entry"]]


def with_folder(body: Json, **elements: Any) -> Json:
    """The bundle with a Folder of its first document, right behind the SubmissionSet."""
    folder = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": TYPES, "code": "folder"}]},
        "subject": body["entry"][0]["resource"]["subject"],
        "entry": [{"item": {"reference": body["entry"][1]["fullUrl"]}}],
        **elements,
    }
    entry = {"fullUrl": "urn:uuid:0f5c2d5e-0001-4c1a-9a10-0000000000ff", "resource": folder,
             "request": {"method": "POST", "url": "List"}}  # fmt: skip
    return {**body, "entry": [*body["entry"], entry]}


@pytest.fixture(scope="module")
def fed(api: ApiClient, stack: dict[str, str]) -> Fed:
    """SubmissionSets A and B, and a Folder F that came with B; tests only read."""
    return fed_record(open_record(api, stack))


def fed_record(record: FedRecord) -> Fed:
    first = submit(record, submitted(record, 1, set_a(), count=2))
    folder = {
        "extension": [
            {"url": ARCHIVED, "valueBoolean": True},
            extension("ihe-designationType", valueCodeableConcept=concept(SNOMED, "1")),
        ],
        "identifier": [{"use": "usual", **bodies.unique_id(), "value": "urn:oid:2.999.3"}],
        "title": "Suivi de la grippe",
        "date": "2026-03-03T10:00:00Z",
    }
    second = submit(record, with_folder(submitted(record, 2, set_b()), **folder))
    return Fed(record, {"A": first[0], "B": second[0], "F": second[-1]}, [first[1], first[2], second[1]])


@pytest.fixture(scope="module")
def partly(api: ApiClient, stack: dict[str, str]) -> Fed:
    """The first document of A is masked, and the only one of B and F; a specialist reads."""
    fed = fed_record(open_record(api, stack))
    fed.record.authorise(SPECIALIST)
    fed.record.mask(fed.documents[0])
    fed.record.mask(fed.documents[2])
    return fed


@pytest.mark.parametrize("query", FIND)
def test_each_parameter_finds_what_it_says(fed: Fed, query: str) -> None:
    answer = fed.find(query)

    assert fed.names(answer) == FIND[query]
    assert answer.json["total"] == len(FIND[query])


def test_every_parameter_stated_is_tried(fed: Fed) -> None:
    statement = fed.record.api.get("/fhir/metadata").json["rest"][0]["resource"]
    stated = {one["name"] for resource in statement if resource["type"] == "List" for one in resource["searchParam"]}

    tried = {part.partition("=")[0] for query in FIND for part in query.split("&")}

    plain = {
        one.replace("g:identifier", "g.identifier").removesuffix(":exact").removesuffix(":contains") for one in tried
    }
    patient = {"patient", "patient.identifier", "subject", "subject.identifier"}
    assert stated - plain == {"_count", "status", f"{ROLE}.given"} | patient


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "missing"), [("status=current", "patient"), ("patient={}&code=folder", "status")]
    )
    def test_patient_and_status_are_mandatory(self, fed: Fed, query: str, missing: str) -> None:
        answer = fed.record.api.get(f"/fhir/List?{query.format(fed.record.id)}", as_=fed.record.patient)

        assert (answer.status, answer.code) == (400, "missing-parameter")
        assert answer.json["issue"][0]["expression"] == [f"http.{missing}"]

    @pytest.mark.parametrize(
        ("status", "expected"), [("current", 3), ("current,superseded", 3), ("retired", 0), ("entered-in-error", 0)]
    )
    def test_statuses_are_told_apart(self, fed: Fed, status: str, expected: int) -> None:
        answer = fed.record.api.get(f"/fhir/List?patient={fed.record.id}&status={status}", as_=fed.record.patient)

        assert len(answer.resources) == expected

    @pytest.mark.parametrize(
        "query", ["title:not=x", "source:Device.name=x", "code:in=x", "source:PractitionerRole.x=1"]
    )
    def test_what_is_no_modifier_is_refused(self, fed: Fed, query: str) -> None:
        answer = fed.find(query)

        assert (answer.status, answer.code) == (400, "unsupported-modifier")

    def test_a_form_by_ins_asks_the_same(self, fed: Fed) -> None:
        form = {"patient.identifier": bodies.qualified(fed.record.ins), "status": "current", "code": "folder"}

        answer = fed.record.api.search("/fhir/List", form, as_=fed.record.patient)

        assert fed.names(answer) == "F"
        assert f"patient={fed.record.id}" in answer.links["self"]
        assert fed.record.ins not in answer.body.decode()

    def test_an_unknown_record_is_none(self, fed: Fed) -> None:
        answer = fed.record.api.get(f"/fhir/List?patient={'0' * 26}&{STATUS}", as_=AUTHOR)

        assert (answer.status, answer.code) == (404, "no-record")


class TestPages:
    @pytest.mark.parametrize("query", ["", "code=submissionset", "_sort=date", "_total=accurate", "title=s,r"])
    def test_every_list_comes_once_in_order(self, fed: Fed, query: str) -> None:
        whole = fed.names(fed.find(query))

        answer = fed.find(f"{query}&_count=1")
        found = fed.names(answer)
        while "next" in answer.links:
            assert len(answer.resources) == 1
            answer = fed.record.api.get(answer.links["next"], as_=fed.record.patient)
            found += fed.names(answer)

        assert found == whole

    def test_a_total_is_told_where_it_is_known(self, fed: Fed) -> None:
        assert "total" not in fed.find("_count=1").json
        assert fed.find("_count=1&_total=accurate").json["total"] == 3

    def test_a_cursor_is_tied_to_caller_and_query(self, fed: Fed) -> None:
        link = fed.find("_count=1").links["next"]

        answers = [
            fed.record.api.get(link, as_=AUTHOR),
            fed.record.api.get(link.replace("_count=1", "_count=2"), as_=fed.record.patient),
        ]

        assert {(one.status, one.code) for one in answers} == {(400, "invalid-cursor")}


class TestIncludes:
    def test_items_come_along(self, fed: Fed) -> None:
        answer = fed.find("code=folder&_include=List:item")

        included = [one for one in answer.json["entry"] if one["search"]["mode"] == "include"]
        assert [one["resource"]["id"] for one in included] == [fed.documents[2]]
        assert included[0]["fullUrl"].endswith(f"/DocumentReference/{fed.documents[2]}")
        assert answer.json["total"] == 1

    @pytest.mark.parametrize("word", ["patient", "subject", "subject:Patient"])
    def test_the_patient_comes_along_once(self, fed: Fed, word: str) -> None:
        answer = fed.find(f"_include=List:{word}")

        included = [one["resource"] for one in answer.json["entry"] if one["search"]["mode"] == "include"]
        assert [(one["resourceType"], one["id"]) for one in included] == [("Patient", fed.record.id)]

    def test_each_document_comes_once(self, fed: Fed) -> None:
        answer = fed.find("_include=List:item")

        included = [one["resource"]["id"] for one in answer.json["entry"] if one["search"]["mode"] == "include"]
        assert sorted(included) == sorted(fed.documents)


class TestSight:
    """What is hidden from a reader is in no list, and a list of hidden things is none."""

    def test_a_list_shows_what_the_caller_may_see(self, partly: Fed) -> None:
        answer = partly.find("_include=List:item", SPECIALIST)

        assert partly.names(answer) == "A"
        assert answer.json["total"] == 1
        items = [one["item"]["reference"] for one in answer.resources[0]["entry"]]
        assert items == [f"DocumentReference/{partly.documents[1]}"]
        assert partly.documents[0] not in answer.body.decode()
        assert answer.resources[0] == partly.record.api.get(f"/fhir/List/{partly.ids['A']}", as_=SPECIALIST).json

    @pytest.mark.parametrize("query", ["code=folder", "_id={B}", "identifier=urn:oid:2.999.3", "title=resultats"])
    def test_an_empty_list_is_like_one_that_is_not_there(self, partly: Fed, query: str) -> None:
        hidden = partly.find(query, SPECIALIST)

        assert hidden.json["total"] == 0
        assert "entry" not in hidden.json

    def test_the_patient_sees_all(self, partly: Fed) -> None:
        assert partly.names(partly.find("")) == "FBA"

    def test_a_deleted_document_leaves_its_lists(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        fed.record.api.delete(f"/fhir/DocumentReference/{fed.documents[2]}", as_=AUTHOR)

        assert fed.names(fed.find("")) == "A"


class TestCallers:
    def test_who_has_no_right_is_refused_and_traced(self, fed: Fed) -> None:
        answer = fed.find("", STRANGER)

        assert (answer.status, answer.code) == (403, "not-authorised")
        last = fed.record.trace()[-1]
        assert (last["act"], last["outcome"]) == ("ITI-66", "8")

    def test_an_author_finds_lists_with_own_documents(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        own = submit(fed.record, submitted(fed.record, 9, {"date": "2025-01-01T00:00:00Z"}), as_=HOSPITAL)[0]

        found = fed.find("_count=1", HOSPITAL)

        assert [one["id"] for one in found.resources] == [own]
        assert found.json["total"] == 1
        assert fed.names(fed.find("", COLLEAGUE)) == "FBA"

    def test_an_author_without_lists_is_refused(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        fed.record.publish(HOSPITAL, b"%PDF-1.4 alone")

        assert fed.find("", HOSPITAL).status == 403

    def test_an_author_finds_lists_whatever_was_deleted_since(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        own = submit(fed.record, submitted(fed.record, 9, {}), as_=HOSPITAL)[0]
        for day in range(10, 13):
            later = fed.record.publish(HOSPITAL, b"%%PDF-1.4 %d" % day, date=f"2026-03-{day}T10:00:00Z")
            assert fed.record.api.delete(f"/fhir/DocumentReference/{later}", as_=HOSPITAL).status == 204

        found = fed.find("", HOSPITAL)

        assert [one["id"] for one in found.resources] == [own]

    def test_another_person_sees_no_record(self, fed: Fed) -> None:
        from tests.requester_factories import requester_patient

        answer = fed.find("", requester_patient(bodies.qualified(bodies.new_ins())))

        assert (answer.status, answer.code) == (404, "no-record")

    def test_a_search_is_traced_as_that_of_lists(self, fed: Fed) -> None:
        fed.find("code=folder")

        event = fed.record.api.get(f"/fhir/AuditEvent?patient={fed.record.id}&_count=1", as_=fed.record.patient)
        (shown,) = event.resources
        assert shown["meta"]["profile"] == [f"{MHD}/IHE.MHD.FindDocumentLists.Audit.Responder"]
        assert fed.record.trace()[-2]["query"].startswith("code=folder")


class TestCost:
    @pytest.mark.parametrize(
        ("query", "calls"),
        [
            ("", ["Query", "BatchGetItem", "PutItem"]),
            ("code=submissionset&date=ge2020", ["Query", "BatchGetItem", "PutItem"]),
            ("code=folder", ["Query", "BatchGetItem", "BatchGetItem", "PutItem"]),
            ("_id={A}", ["BatchGetItem", "BatchGetItem", "PutItem"]),
            ("identifier=urn:oid:2.999.1", ["BatchGetItem", "BatchGetItem", "BatchGetItem", "PutItem"]),
            ("code=folder&_include=List:item", ["Query", "BatchGetItem", "BatchGetItem", "PutItem"]),
            ("code=other", ["BatchGetItem", "PutItem"]),
        ],
    )
    def test_a_search_takes_few_calls(self, fed: Fed, query: str, calls: list[str]) -> None:
        fed.find(query)  # each function fetches the secret once

        with counted() as made:
            fed.find(query)

        assert made == calls


class TestVersions:
    def test_a_list_has_versions_and_a_history(self, fed: Fed) -> None:
        one = fed.record.api.get(f"/fhir/List/{fed.ids['A']}", as_=fed.record.patient)
        version = fed.record.api.get(f"/fhir/List/{fed.ids['A']}/_history/1", as_=fed.record.patient)
        history = fed.record.api.get(f"/fhir/List/{fed.ids['A']}/_history", as_=fed.record.patient)
        known = fed.record.api.get(
            f"/fhir/List/{fed.ids['A']}", as_=fed.record.patient, headers={"If-None-Match": one.headers["etag"]}
        )

        assert one.json == version.json == history.json["entry"][0]["resource"]
        assert one.headers["etag"] == 'W/"1"'
        assert history.json["entry"][0]["request"] == {"method": "POST", "url": "List"}
        assert known.status == 304

    @pytest.mark.parametrize("path", ["/_history/2", "/_history/0", "/_history/x"])
    def test_a_version_that_never_was_is_none(self, fed: Fed, path: str) -> None:
        answer = fed.record.api.get(f"/fhir/List/{fed.ids['A']}{path}", as_=fed.record.patient)

        assert (answer.status, answer.code) == (404, "no-version")

    def test_a_hidden_list_has_no_history(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        fed.record.authorise(SPECIALIST)
        fed.record.mask(fed.documents[2])

        answers = [
            fed.record.api.get(f"/fhir/List/{one}{path}", as_=SPECIALIST)
            for one in (fed.ids["F"], f"{fed.record.id}.{'0' * 26}")
            for path in ("", "/_history", "/_history/1")
        ]

        assert {(one.status, one.code) for one in answers} == {(404, "no-list")}

    def test_a_version_is_what_the_history_tells_of_it(self, api: ApiClient, stack: dict[str, str]) -> None:
        record = open_record(api, stack)
        record.authorise(SPECIALIST)
        name = {key: bodies.unique_id()[key] for key in ("system", "value")}
        kept, dropped = (record.publish(HOSPITAL, b"%PDF-1.4 " + text) for text in (b"kept", b"dropped"))
        places = []
        for method, held in (("POST", [kept, dropped]), ("PUT", [kept])):
            body = of_folder(record, name, method)
            body["entry"][-1]["resource"]["entry"] = [
                {"item": {"reference": f"DocumentReference/{one}"}} for one in held
            ]
            places.append(lists_of(record.api.post("/fhir", body, as_=HOSPITAL))[1])
        (folder,) = set(places)
        costs = {}

        for who in (HOSPITAL, SPECIALIST, record.patient):
            history = record.api.get(f"/fhir/List/{folder}/_history", as_=who).json["entry"]
            versions = []
            for number in (1, 2, 3):
                with counted() as calls:
                    versions.append(record.api.get(f"/fhir/List/{folder}/_history/{number}", as_=who))
                costs[who.identifier, number] = list(calls)
            assert [one.json for one in versions[1::-1]] == [one["resource"] for one in history]
            assert [len(one["resource"]["entry"]) for one in history] == [1, 2]
            assert versions[2].status == 404
        assert len({tuple(one) for one in costs.values()}) == 1

    def test_former_versions_show_what_may_be_seen_now(self, api: ApiClient, stack: dict[str, str]) -> None:
        fed = fed_record(open_record(api, stack))
        fed.record.authorise(SPECIALIST)
        body = with_folder(submitted(fed.record, 4, {}), title="Suite",
                           identifier=[{"use": "usual", **bodies.unique_id(), "value": "urn:oid:2.999.3"}])  # fmt: skip
        body["entry"][-1]["request"] = {"method": "PUT", "url": "List?identifier=urn:oid:2.999.3"}
        places = submit(fed.record, body)
        assert places[-1] == fed.ids["F"]
        fed.record.mask(fed.documents[2])

        seen = fed.record.api.get(f"/fhir/List/{fed.ids['F']}/_history", as_=SPECIALIST)
        whole = fed.record.api.get(f"/fhir/List/{fed.ids['F']}/_history", as_=fed.record.patient)

        assert [one["resource"]["meta"]["versionId"] for one in seen.json["entry"]] == ["2"]
        assert [one["resource"]["meta"]["versionId"] for one in whole.json["entry"]] == ["2", "1"]
        assert fed.documents[2] not in seen.body.decode()

"""Documents of others: the examples of IHE and the ANS, the CDA samples of the CI-SIS, and our own demonstration."""

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.code_lists import document_type
from dmp.domain.identifiers import INS_NIR_TEST, INS_SYSTEMS
from infra.local import demo_documents
from infra.local.demo_documents import DemoPatient
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, HOSPITAL, FedRecord, open_record

SHARED = Path(__file__).parents[3] / "shared" / "data"
MHD = sorted(SHARED.glob("ihe/MHD/examples/Bundle-ex-*rovideDocumentBundle*.json"))
FRENCH = sorted([*SHARED.glob("pdsm/dmp-draft/Bundle-*td2*.json"), *SHARED.glob("pdsm/examples/Bundle-*replace.json")])
GENERATED = sorted(SHARED.glob("pdsm/generated/Bundle-*.json"))
SIMPLIFIED = [
    *sorted(SHARED.glob("pdsm/dmp-draft/DocumentReference-*iti105*.json")),
    *sorted(SHARED.glob("pdsm/examples/DocumentReference-PDSmSimplified*.json")),
    *sorted(SHARED.glob("ihe/MHD/examples/DocumentReference-ex-*SimplifiedPublish.json")),
]
CDA = sorted(SHARED.glob("cda/*.xml"))
AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)

type Json = dict[str, Any]


def named(path: Path) -> str:
    return path.name


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.mark.skipif(not MHD, reason="the examples of IHE are not here")
@pytest.mark.parametrize("path", MHD, ids=named)
def test_bundles_of_ihe_are_accepted(record: FedRecord, path: Path) -> None:
    body = json.loads(path.read_text())
    if body["type"] != "transaction" or any(e["resource"]["resourceType"] == "Bundle" for e in body["entry"]):
        pytest.skip("an answer, or a document that is a FHIR Bundle")
    make_it_about(body, record)
    if path.name.endswith("BundleReplace.json"):
        put_right(body)  # IHE counts one byte too many
    if path.name.endswith("BundleMultiple.json"):
        body["entry"][1]["resource"]["masterIdentifier"] = bodies.unique_id()  # IHE names two documents alike

    answer = record.api.post("/fhir", body, as_=HOSPITAL)

    assert answer.status == 200, answer.body
    assert record.found(HOSPITAL)


@pytest.mark.skipif(not FRENCH, reason="the examples of the ANS are not here")
@pytest.mark.parametrize("path", FRENCH + GENERATED, ids=named)
def test_bundles_of_the_ans_are_accepted(record: FedRecord, path: Path) -> None:
    body = json.loads(path.read_text())
    make_it_about(body, record)
    put_right(body)

    answer = record.api.post("/fhir", body, as_=HOSPITAL)

    assert answer.status == 200, answer.body
    assert len(record.found(HOSPITAL)) == 1


@pytest.mark.skipif(not SIMPLIFIED, reason="the examples are not here")
@pytest.mark.parametrize("path", SIMPLIFIED, ids=named)
def test_simplified_publications_are_accepted(record: FedRecord, path: Path) -> None:
    body = json.loads(path.read_text())
    subject = {"fullUrl": "", "resource": body, "request": {}}
    make_it_about({"entry": [subject]}, record)
    attachment = body["content"][0]["attachment"]
    describe(attachment, base64.b64decode(attachment["data"]))

    answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    known = [document_type(c.get("system", ""), c["code"]) for c in body.get("type", {}).get("coding", [])]
    assert (answer.status, answer.code if answer.status > 300 else "") == (
        (201, "") if not known or any(known) else (422, "unknown-code")
    ), answer.body


@pytest.mark.skipif(not CDA, reason="the samples of the CI-SIS are not here")
@pytest.mark.parametrize("path", CDA, ids=named)
def test_cda_samples_are_accepted_for_their_patient_alone(record: FedRecord, path: Path) -> None:
    raw = path.read_bytes()
    own = rewritten(raw, record.ins)
    body = bodies.document(record.id, own, content_type="application/xml", type=None, masterIdentifier=None)

    foreign = record.api.post(
        "/fhir/DocumentReference", publication(body, rewritten(raw, bodies.new_ins())), as_=AUTHOR
    )
    before = record.objects()
    answer = record.api.post("/fhir/DocumentReference", publication(body, own), as_=AUTHOR)

    if b"recordTarget" in raw:
        assert (foreign.status, foreign.code) == (422, "ins-mismatch")
        assert before == {}
    assert answer.status in {200, 201}, answer.body
    assert record.api.get(f"/fhir/Binary/{answer.id}", as_=AUTHOR).body == own


DEMONSTRATION: dict[str, tuple[Callable[[DemoPatient, str, datetime], bytes], str]] = {
    "discharge letter": (demo_documents.discharge_letter, "11490-0"),
    "synthesis": (demo_documents.medical_synthesis, "SYNTH"),
    "biology report": (demo_documents.biology_report, "11502-2"),
    "wrapped consultation": (demo_documents.wrapped_consultation, "11488-4"),
}


class TestClinicalDocuments:
    @pytest.mark.parametrize("name", DEMONSTRATION)
    def test_say_themselves_what_they_are(self, record: FedRecord, name: str) -> None:
        write, type_code = DEMONSTRATION[name]

        answer = deposit(record, write(patient(record.ins), "2.25.77.1", AT))

        assert answer.status == 201, answer.body
        assert answer.json["type"]["coding"][0]["code"] == type_code
        assert answer.json["masterIdentifier"]["value"] == "urn:oid:2.25.77.1"
        assert answer.json["description"]

    def test_of_somebody_else_are_refused(self, record: FedRecord) -> None:
        answer = deposit(record, demo_documents.discharge_letter(patient(bodies.new_ins()), "2.25.77.2", AT))

        assert (answer.status, answer.code) == (422, "ins-mismatch")
        assert record.objects() == {}

    def test_with_a_doctype_are_refused(self, record: FedRecord) -> None:
        content = demo_documents.discharge_letter(patient(record.ins), "2.25.77.3", AT)
        start = content.index(b"<ClinicalDocument")
        bomb = content[:start] + b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + content[start:]

        answer = deposit(record, bomb)

        assert (answer.status, answer.code) == (422, "xml-doctype-forbidden")
        assert record.objects() == {}

    def test_that_contradict_their_metadata_are_refused(self, record: FedRecord) -> None:
        content = demo_documents.discharge_letter(patient(record.ins), "2.25.77.4", AT)

        other_id = deposit(record, content, masterIdentifier=bodies.unique_id())
        other_type = deposit(record, content, type={"coding": [{"system": bodies.LOINC, "code": "11488-4"}]})

        assert (other_id.status, other_id.code) == (422, "metadata-mismatch")
        assert (other_type.status, other_type.code) == (422, "metadata-mismatch")
        assert record.objects() == {}

    def test_replace_what_they_relate_to(self, record: FedRecord) -> None:
        first = deposit(record, demo_documents.discharge_letter(patient(record.ins), "2.25.77.5", AT))
        second = deposit(record, relating(record, "2.25.77.6", "2.25.77.5"))

        assert second.status == 201, second.body
        assert record.found(AUTHOR, "status=superseded") == [first.id]

    def test_that_relate_to_what_is_not_here_replace_nothing(self, record: FedRecord) -> None:
        answer = deposit(record, relating(record, "2.25.77.7", "2.25.77.99"))

        assert answer.status == 201, answer.body
        assert answer.json["relatesTo"][0]["target"]["identifier"]["value"] == "urn:oid:2.25.77.99"

    def test_that_relate_to_a_hidden_document_replace_nothing(self, record: FedRecord) -> None:
        hidden = deposit(record, demo_documents.discharge_letter(patient(record.ins), "2.25.77.8", AT)).id
        record.mask(hidden)

        answer = deposit(record, relating(record, "2.25.77.9", "2.25.77.8"), as_=HOSPITAL)

        assert answer.status == 201, answer.body
        assert record.found(record.patient, "status=superseded") == []

    def test_that_are_not_well_formed_are_refused(self, record: FedRecord) -> None:
        content = demo_documents.discharge_letter(patient(record.ins), "2.25.77.10", AT)

        answer = deposit(record, content[: len(content) // 2])

        assert (answer.status, answer.code) == (422, "xml-malformed")


def patient(ins: str) -> DemoPatient:
    return DemoPatient(ins, "1.2.250.1.213.1.4.10", "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")


def deposit(record: FedRecord, content: bytes, as_: Any = AUTHOR, **elements: Any) -> Response:
    described = {"type": None, "masterIdentifier": None, "date": None, "author": None, **elements}
    body = bodies.document(record.id, content, content_type="application/xml", attachment={"title": None}, **described)
    return record.api.post("/fhir/DocumentReference", body, as_=as_)


def relating(record: FedRecord, unique_id: str, former: str) -> bytes:
    content = demo_documents.discharge_letter(patient(record.ins), unique_id, AT)
    related = (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{former}"/></parentDocument></relatedDocument>'
    )
    place = content.index(b"<componentOf") if b"<componentOf" in content else content.index(b"<component>")
    return content[:place] + related.encode() + content[place:]


def rewritten(content: bytes, ins: str) -> bytes:
    """A sample as if it were about another patient."""
    role = re.search(rb"<(\w+:)?patientRole.*?</(\w+:)?patientRole>", content, re.DOTALL)
    if role is None:
        return content
    known = rb'(?:extension="\w+"\s+root="1\.2\.250\.1\.213\.1\.4\.\d+")'
    named = f'extension="{ins}" root="{INS_NIR_TEST.removeprefix("urn:oid:")}"'.encode()
    return content[: role.start()] + re.sub(known, named, role[0]) + content[role.end() :]


def publication(body: Json, content: bytes) -> Json:
    changed = copy.deepcopy(body)
    changed["content"][0]["attachment"]["data"] = base64.b64encode(content).decode()
    return changed


def make_it_about(body: Json, record: FedRecord) -> None:
    """Set every subject to the record, and every INS to the person's; replaced documents are made first."""
    patients = [e["fullUrl"] for e in body["entry"] if e["resource"]["resourceType"] == "Patient"]
    body["entry"] = [e for e in body["entry"] if e["fullUrl"] not in patients]
    for entry in body["entry"]:
        resource = entry["resource"]
        for place, key, value in list(literals(resource)):
            place[key] = renamed(record, place, key, value)
        if resource["resourceType"] in {"List", "DocumentReference"}:
            resource["subject"] = {"reference": f"Patient/{record.id}"}
        if resource["resourceType"] == "Binary":
            content = rewritten(base64.b64decode(resource["data"]), record.ins)
            resource["data"] = base64.b64encode(content).decode()
        if entry["request"].get("method") == "PATCH":
            entry["request"]["url"] = f"DocumentReference/{existing(record, entry['request']['url'])}"


def renamed(record: FedRecord, place: Mapping[str, Any], key: str, value: str) -> str:
    """A string of an example, as it reads for this record."""
    if key == "reference" and value.partition("/")[0].partition("?")[0] == "Patient":
        return f"Patient/{record.id}"
    if key == "reference" and value.startswith("DocumentReference/"):
        return f"DocumentReference/{existing(record, value)}"
    if place.get("system") in INS_SYSTEMS:
        return {"system": INS_NIR_TEST, "value": record.ins}.get(key, value)
    return value


def existing(record: FedRecord, name: str) -> str:
    """The document that stands for the one of that name in an example."""
    unique = {"system": "urn:ietf:rfc:3986", "value": f"urn:x:{name}"}
    body = bodies.document(record.id, masterIdentifier=unique)
    return record.api.post("/fhir/DocumentReference", body, as_=HOSPITAL).id


def put_right(body: Json) -> None:
    """Make hashes and sizes those of the contents."""
    contents = {e["fullUrl"]: e["resource"] for e in body["entry"] if e["resource"]["resourceType"] == "Binary"}
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "DocumentReference":
            attachment = entry["resource"]["content"][0]["attachment"]
            describe(attachment, base64.b64decode(contents[attachment["url"]]["data"]))


def describe(attachment: Json, content: bytes) -> None:
    attachment |= {"size": len(content), "hash": bodies.sha1(content)}


def literals(node: Any) -> Iterator[tuple[Any, str, str]]:
    """Every string within JSON, with the object and the name that hold it."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if isinstance(value, str):
                yield node, key, value
            yield from literals(value)
    elif isinstance(node, list):
        for item in node:
            yield from literals(item)

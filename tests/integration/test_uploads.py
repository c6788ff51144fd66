"""Large files: announced, sent to the bucket, verified, and only then there for others (ITI-105)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from dmp.domain.requester import Requester
from dmp.domain.upload import MOST_REPLACED
from dmp.fhir.submission import MAX_DOCUMENTS
from infra.local import demo_documents
from tests import bodies, uploads
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, meanwhile
from tests.faults import fsck
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.integration.test_official_documents import patient as demo_patient
from tests.integration.test_visibility import about, hidden, told
from tests.uploads import UPLOAD, UPLOAD_ERROR, announce, announcement, cda_announcement, extension, tell, uploaded

OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
HTML = b"<html><script>alert(1)</script></html>"
AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
MIB = 1024 * 1024
MOST_TAKEN = 60
"""More than one transaction can end."""
VERSIONS_SAID: tuple[dict[str, object], ...] = ({"valueString": "2"}, {"valueInteger": 2})
SUPERSEDE = [{"op": "replace", "path": "/status", "value": "superseded"}]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def post(record: FedRecord, body: object, as_: Requester = AUTHOR) -> Response:
    return record.api.post("/fhir/DocumentReference", body, as_=as_)


def letter(record: FedRecord, unique_id: str, *, version: int = 1, ins: str = "") -> bytes:
    return demo_documents.discharge_letter(demo_patient(ins or record.ins), unique_id, AT, version=version)


def announce_cda(record: FedRecord, content: bytes, as_: Requester = AUTHOR, **elements: Any) -> uploads.Upload:
    answer = post(record, cda_announcement(record.id, content, **elements), as_)
    assert answer.status == 201, answer.body
    return uploads.Upload(record, answer, content, as_)


def found(record: FedRecord, as_: Requester) -> list[str]:
    """Ids of the current documents that a caller finds; none where the caller has no right and no own documents."""
    answer = record.find(as_)
    assert answer.status == 200 or (answer.status, answer.code) == (403, "not-authorised")
    return [one["id"] for one in answer.resources] if answer.status == 200 else []


def told_of_documents(record: FedRecord) -> list[tuple[str, frozenset[str]]]:
    """What the patient is told of documents."""
    return [(one.kind, one.about) for one in told(record) if one.kind.startswith("document-")]


def place_of(answer: Response) -> str:
    """Where in the request the fault lies."""
    return str(answer.json["issue"][0]["expression"][0])


def replacing(*documents: str) -> dict[str, Any]:
    targets = [{"reference": f"DocumentReference/{document}"} for document in documents]
    return {"relatesTo": [{"code": "replaces", "target": target} for target in targets]}


def fed(record: FedRecord, number: int) -> list[str]:
    """Ids of as many documents, fed a bundle at a time."""
    made: list[str] = []
    while len(made) < number:
        contents = [
            b"%%PDF-1.7\n%%%d\n%%%%EOF\n" % (len(made) + n) for n in range(min(MAX_DOCUMENTS, number - len(made)))
        ]
        answer = record.api.post("/fhir", bodies.submission(record.id, *contents), as_=AUTHOR)
        assert answer.status == 200, answer.body
        locations = [one["response"]["location"].split("/") for one in answer.json["entry"]]
        made += [location[1] for location in locations if location[0] == "DocumentReference"]
    return made


def replacing_letter(record: FedRecord, unique_ids: Iterable[str]) -> bytes:
    """A CDA that says it replaces other documents."""
    said = "".join(
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{one.removeprefix("urn:oid:")}"/>'
        "</parentDocument></relatedDocument>"
        for one in unique_ids
    )
    content = letter(record, bodies.unique_id()["value"].removeprefix("urn:oid:")).decode()
    head, tag, rest = content.partition("<componentOf")
    assert tag
    return f"{head}{said}{tag}{rest}".encode()


def test_an_announced_document_says_where_its_bytes_go(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)

    resource = upload.answer.json
    parts = extension(resource)["extension"]
    said = {part["url"]: part for part in parts if part["url"] != "header"}
    headers = dict(part["valueString"].split(": ", 1) for part in parts if part["url"] == "header")
    assert (resource["status"], resource["docStatus"], "profile" in resource["meta"]) == (
        "current",
        "preliminary",
        False,
    )
    assert upload.answer.headers["location"].endswith(f"/DocumentReference/{upload.id}/_history/1")
    assert upload.answer.headers["etag"] == 'W/"1"'
    assert said["method"]["valueCode"] == "PUT"
    assert said["expires"]["valueInstant"].startswith("2026-03-02T12:15:00")
    assert {name.lower(): value for name, value in headers.items()} == {
        "content-length": str(len(bodies.PDF)),
        "content-type": "application/pdf",
        "x-amz-checksum-sha1": bodies.sha1(bodies.PDF),
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": record.stores["DATA_KEY"],
    }
    assert upload.key == f"uploads/{upload.id.replace('.', '/')}"


def test_until_its_bytes_have_come_a_document_exists_for_its_depositor_alone(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    record.name_attending_physician(SPECIALIST)
    upload = announce(record)

    seen = [upload.read(who).status for who in (AUTHOR, COLLEAGUE)]
    unseen = [upload.read(who) for who in (SPECIALIST, STRANGER, record.patient)]
    missing = record.api.get(f"/fhir/DocumentReference/{record.id}.{'0' * 26}", as_=SPECIALIST)
    binaries = [record.api.get(f"/fhir/Binary/{upload.id}", as_=who) for who in (AUTHOR, SPECIALIST)]
    changes = [
        record.api.patch(f"/fhir/DocumentReference/{upload.id}", bodies.MASK, as_=who)
        for who in (SPECIALIST, record.patient)
    ]

    assert seen == [200, 200]
    assert {(one.status, one.code) for one in (*unseen, *changes)} == {(404, missing.code)}
    assert [(one.status, one.code) for one in binaries] == [(404, "content-pending"), (404, missing.code)]
    assert [found(record, who) for who in (AUTHOR, SPECIALIST, record.patient)] == [[], [], []]
    assert record.find(STRANGER).status == 403
    assert told_of_documents(record) == []


def test_a_document_whose_bytes_are_verified_is_there_for_all(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    upload = announce(record)

    assert upload.complete() == []

    resource = upload.read(SPECIALIST).json
    binary = record.api.get(f"/fhir/Binary/{upload.id}", as_=SPECIALIST, headers={"Accept": "application/pdf"})
    assert (resource["docStatus"], resource["meta"]["versionId"], extension(resource)) == ("final", "2", {})
    assert "profile" not in resource["meta"]
    assert binary.body == bodies.PDF
    assert [found(record, who) for who in (AUTHOR, SPECIALIST, record.patient)] == [[upload.id]] * 3
    assert told_of_documents(record) == [("document-added", about(upload.id))]
    assert [(e["act"], e["role"]) for e in record.trace() if upload.id in str(e["what"])][:2] == [
        ("ITI-105", "professional"),
        ("upload-verified", "service"),
    ]
    assert fsck.problems(record) == []


def test_the_version_that_was_awaited_is_nobody_elses(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    upload = announce(record)
    upload.complete()
    history = f"/fhir/DocumentReference/{upload.id}/_history"

    versions = {who.name: record.api.get(history, as_=who).json["entry"] for who in (AUTHOR, SPECIALIST)}

    assert [len(versions[who.name]) for who in (AUTHOR, SPECIALIST)] == [2, 1]
    assert record.api.get(f"{history}/1", as_=AUTHOR).json["docStatus"] == "preliminary"
    assert record.api.get(f"{history}/1", as_=SPECIALIST).code == "no-version"


@pytest.mark.parametrize(
    ("sent", "described", "code"),
    [
        (OTHER_PDF, {"size": len(OTHER_PDF)}, "hash-mismatch"),
        (bodies.PDF + b"x", {}, "size-mismatch"),
        (bodies.PDF[:-1], {}, "size-mismatch"),
        (HTML, {"size": len(HTML), "hash": bodies.sha1(HTML)}, "content-mismatch"),
        (bodies.PDF, {"contentType": "image/png"}, "content-mismatch"),
    ],
)
def test_what_is_not_what_was_announced_is_deleted_and_its_depositor_told(
    record: FedRecord, sent: bytes, described: dict[str, Any], code: str
) -> None:
    record.authorise(SPECIALIST)
    upload = announce(record, attachment=described)

    assert upload.complete(sent) == []

    seen = upload.read()
    assert (seen.status, seen.json["status"], upload.error) == (200, "entered-in-error", code)
    assert "docStatus" in seen.json
    assert upload.versions() == []
    assert [upload.read(who).status for who in (SPECIALIST, record.patient)] == [404, 404]
    assert [found(record, who) for who in (AUTHOR, SPECIALIST)] == [[], []]
    assert told_of_documents(record) == []
    assert fsck.problems(record) == []


def test_a_failure_tells_nothing_of_the_inside_and_a_file_that_acts_fails(record: FedRecord) -> None:
    action = b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"
    upload = announce(record, bodies.PDF.replace(b"/Catalog", b"/Catalog" + action))

    upload.complete()

    told_why = extension(upload.read().json, uploads.UPLOAD_ERROR)
    assert told_why["valueString"].startswith("unsafe-content: ")
    assert "JavaScript" not in told_why["valueString"]


def test_a_unique_id_is_free_again_once_its_upload_has_failed(record: FedRecord) -> None:
    master = bodies.unique_id()
    first = announce(record, masterIdentifier=master)
    first.complete(bodies.PDF + b"x")

    again = announce(record, OTHER_PDF, STRANGER, masterIdentifier=master)
    assert again.complete() == []
    clash = post(record, bodies.document(record.id, masterIdentifier=master))

    assert again.id != first.id
    assert found(record, STRANGER) == [again.id]
    assert (clash.status, clash.code) == (409, "duplicate-unique-id")
    assert fsck.problems(record) == []


def test_the_same_announcement_again_is_the_same_document_with_a_fresh_address(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    body = announcement(record.id)
    first = post(record, body)
    clock.shift(timedelta(minutes=20))

    again = post(record, body)
    clash = post(record, announcement(record.id, OTHER_PDF, masterIdentifier=body["masterIdentifier"]))

    addresses = [extension(one.json)["extension"][0]["valueUrl"] for one in (first, again)]
    assert (again.status, again.id, addresses[0] == addresses[1]) == (200, first.id, False)
    assert (clash.status, clash.code) == (409, "duplicate-unique-id")


def test_the_same_bytes_inline_are_the_same_document_and_others_are_not(record: FedRecord) -> None:
    upload = announce(record)
    master = upload.answer.json["masterIdentifier"]
    same, other = (bodies.document(record.id, content, masterIdentifier=master) for content in (bodies.PDF, OTHER_PDF))

    before = [post(record, body) for body in (same, other)]
    upload.complete()
    after = [post(record, body) for body in (same, other)]
    announced_again = post(record, announcement(record.id, masterIdentifier=master))

    assert [(one.status, one.code if one.status > 299 else one.id) for one in before] == [
        (200, upload.id),
        (409, "duplicate-unique-id"),
    ]
    assert [one.status for one in after] == [200, 409]
    assert (announced_again.status, announced_again.json["docStatus"]) == (200, "final")


def test_somebody_else_learns_nothing_of_an_awaited_document_by_its_unique_id(record: FedRecord) -> None:
    upload = announce(record)
    master = upload.answer.json["masterIdentifier"]

    answer = post(record, bodies.document(record.id, masterIdentifier=master), STRANGER)

    assert (answer.status, answer.code) == (409, "duplicate-unique-id")


def test_the_bytes_may_be_sent_for_a_day_under_addresses_of_a_quarter_of_an_hour(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    upload = announce(record)

    open_at = []
    for hours in (0, 12, 11.99, 0.02):
        clock.shift(timedelta(hours=hours))
        open_at.append(bool(extension(upload.read().json)))

    assert open_at == [True, True, True, False]
    assert upload.complete() == []
    assert found(record, AUTHOR) == [upload.id]


def test_who_announces_it_again_after_that_day_has_another(record: FedRecord, clock: TimeMachineFixture) -> None:
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))
    clock.shift(timedelta(hours=24.5))
    body = announcement(record.id, OTHER_PDF, masterIdentifier=upload.answer.json["masterIdentifier"])

    again = post(record, body)
    clock.shift(timedelta(hours=23.5))
    record.api.run("UploadSweep")

    assert (again.status, again.id, again.json["docStatus"]) == (200, upload.id, "preliminary")
    assert extension(again.json)
    assert extension(upload.read().json)
    assert (upload.complete(), found(record, AUTHOR)) == ([], [upload.id])
    assert fsck.problems(record) == []


def test_who_brings_the_bytes_inline_in_the_end_has_brought_them(record: FedRecord) -> None:
    upload = announce(record)
    master = upload.answer.json["masterIdentifier"]

    answer = post(record, bodies.document(record.id, masterIdentifier=master))
    [version] = upload.versions()
    told = tell(record.api, uploads.arrival(upload.bucket, upload.key, version))

    assert (answer.status, answer.id, told) == (200, upload.id, [])
    assert (upload.read().json["docStatus"], found(record, AUTHOR)) == ("final", [upload.id])
    assert list(record.objects()) == [upload.key]
    assert fsck.problems(record) == []


def test_what_an_upload_replaces_goes_on_until_it_is_there(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    former = record.publish()

    upload = announce(record, OTHER_PDF, **replacing(former))
    before = found(record, SPECIALIST)
    upload.complete()

    assert before == [former]
    assert (found(record, SPECIALIST), record.found(SPECIALIST, "status=superseded")) == ([upload.id], [former])
    assert sorted(kind for kind, _ in told_of_documents(record)) == ["document-added", "document-replaced"]
    assert upload.read(SPECIALIST).json["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{former}"
    assert fsck.problems(record) == []


def test_an_upload_that_fails_replaces_nothing(record: FedRecord) -> None:
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))

    upload.complete(bodies.PDF)

    assert found(record, AUTHOR) == [former]


def test_what_replaces_a_document_hidden_meanwhile_comes_hidden(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))

    record.mask(former)
    upload.complete()
    unmask = [{"op": "remove", "path": "/securityLabel/1"}]
    shown = [found(record, SPECIALIST)]
    for one in (former, upload.id):
        assert record.api.patch(f"/fhir/DocumentReference/{one}", unmask, as_=record.patient).status == 200
    shown.append(found(record, SPECIALIST))

    assert shown == [[], [upload.id]]
    assert len(upload.read(SPECIALIST).json["relatesTo"]) == 1


def test_a_document_replaced_meanwhile_is_replaced_no_more_and_the_late_upload_is_current_beside_its_successor(
    record: FedRecord,
) -> None:
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))
    other = record.publish(content=b"%PDF-1.4 third\n%%EOF\n", **replacing(former))

    assert upload.complete() == []

    assert sorted(found(record, AUTHOR)) == sorted([upload.id, other])


@pytest.mark.parametrize("change", ["replace", "supersede"])
def test_an_awaited_document_is_not_yet_one_to_be_replaced(record: FedRecord, change: str) -> None:
    upload = announce(record)

    if change == "replace":
        answer = post(record, bodies.document(record.id, OTHER_PDF, **replacing(upload.id)))
    else:
        answer = record.api.patch(f"/fhir/DocumentReference/{upload.id}", SUPERSEDE, as_=AUTHOR)

    assert (answer.status, answer.code) in {(409, "not-current"), (422, "status-transition")}


def test_a_depositor_masks_and_deletes_an_awaited_document_and_nobody_is_told(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    masked, deleted = announce(record), announce(record, OTHER_PDF)

    assert record.api.patch(f"/fhir/DocumentReference/{masked.id}", bodies.MASK, as_=AUTHOR).status == 200
    assert record.api.delete(f"/fhir/DocumentReference/{deleted.id}", as_=AUTHOR).status == 204
    for upload in (masked, deleted):
        assert upload.complete() == []

    assert [found(record, who) for who in (AUTHOR, SPECIALIST)] == [[masked.id], []]
    assert (deleted.versions(), deleted.read().status, deleted.read(SPECIALIST).status) == ([], 410, 404)
    assert [one for _, one in told_of_documents(record)] == [about(masked.id)]


def test_the_wait_for_an_announcement_begins_when_the_document_is_there(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    upload = announce(record, **hidden("INVISIBLE_PATIENT"))
    [item] = [one for one in record.items() if one["sk"]["S"].startswith("D#")]
    awaiting = item["gx_month"]["S"][0]

    clock.shift(timedelta(hours=5))
    upload.complete()

    [item] = [one for one in record.items() if one["sk"]["S"].startswith("D#")]
    assert (awaiting, item["gx_month"]["S"][0]) == ("U", "V")
    assert item["gx_at"]["S"].startswith("2026-03-16T17:00")
    assert (found(record, record.patient), told_of_documents(record)) == ([], [])


@pytest.mark.parametrize(
    ("change", "status", "code", "place"),
    [
        ({"hash": None}, 422, "invalid-resource", "hash"),
        ({"size": None}, 422, "invalid-resource", "size"),
        ({"size": None, "hash": None}, 422, "content-missing", "data"),
        ({"contentType": None}, 422, "invalid-resource", "contentType"),
        ({"contentType": "application/zip"}, 422, "unsupported-content", "contentType"),
        ({"hash": "AAAA"}, 422, "invalid-resource", "hash"),
        ({"size": 0}, 422, "content-missing", "size"),
        ({"size": 100 * MIB + 1}, 413, "too-large", "size"),
        ({"url": "https://example.org/x"}, 422, "invalid-resource", "url"),
    ],
)
def test_what_cannot_be_uploaded_is_said_at_once(
    record: FedRecord, change: dict[str, Any], status: int, code: str, place: str
) -> None:
    before = record.state()

    answer = post(record, announcement(record.id, attachment=change))

    assert (answer.status, answer.code) == (status, code)
    assert place in answer.json["issue"][0]["expression"][0]
    assert record.state() == before


def test_what_a_file_needs_that_cannot_tell_it_itself_is_said_at_once(record: FedRecord) -> None:
    nameless = post(record, announcement(record.id, masterIdentifier=None))
    final = post(record, announcement(record.id, docStatus="final"))
    preliminary = post(record, announcement(record.id, docStatus="preliminary"))
    largest = post(record, announcement(record.id, attachment={"size": 100 * MIB}))

    assert "masterIdentifier" in nameless.json["issue"][0]["expression"][0]
    assert [one.status for one in (nameless, final, preliminary, largest)] == [422, 422, 201, 201]


def test_a_patient_uploads_plain_files_of_five_mib(record: FedRecord) -> None:
    answers = [
        post(record, announcement(record.id, attachment={"size": size, "contentType": kind}), record.patient)
        for size, kind in ((5 * MIB, "application/pdf"), (5 * MIB + 1, "application/pdf"), (9, "application/xml"))
    ]
    own = announce(record, OTHER_PDF, record.patient)
    own.complete()

    assert [(one.status, one.code if one.status > 299 else "") for one in answers] == [
        (201, ""),
        (413, "too-large"),
        (422, "unsupported-content"),
    ]
    assert (found(record, record.patient), told_of_documents(record)) == ([own.id], [])


def test_a_cda_that_was_uploaded_says_the_rest_itself(record: FedRecord) -> None:
    upload = announce_cda(record, letter(record, "2.25.90.1"), HOSPITAL)

    assert upload.complete() == []

    resource = upload.read().json
    assert resource["docStatus"] == "final"
    assert resource["masterIdentifier"]["value"].endswith("2.25.90.1")
    assert resource["type"]["coding"][0]["code"] == bodies.DISCHARGE_LETTER
    assert resource["subject"] == {"reference": f"Patient/{record.id}"}
    assert record.found(record.patient, f"status=current&type={bodies.DISCHARGE_LETTER}") == [upload.id]
    assert record.found(record.patient, "status=current&identifier=urn:oid:2.25.90.1") == [upload.id]
    assert fsck.problems(record) == []


def test_a_cda_says_the_same_however_it_came(record: FedRecord) -> None:
    content = letter(record, "2.25.91.1")
    inline = cda_announcement(record.id, content)
    inline["content"][0]["attachment"] |= {"data": bodies.document("", content)["content"][0]["attachment"]["data"]}

    upload = announce_cda(record, content)
    upload.complete()
    others = record.api.post(
        "/fhir/DocumentReference", inline | {"subject": {"reference": f"Patient/{record.id}"}}, as_=AUTHOR
    )

    assert (others.status, others.id) == (200, upload.id)


def test_a_cda_completes_an_upload_as_it_completes_an_inline_document(
    record: FedRecord, api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    twin = open_record(api, stack)
    by_upload: list[dict[str, Any]] = []
    by_request: list[dict[str, Any]] = []
    for one, kept in ((record, by_upload), (twin, by_request)):
        content = letter(one, "2.25.92.1")
        body = cda_announcement(one.id, content, date="2026-03-02T12:00:00Z")
        if kept is by_request:
            data = bodies.document("", content)["content"][0]["attachment"]["data"]
            body["content"][0]["attachment"] = {"contentType": "text/xml", "data": data}
            document = post(one, body, HOSPITAL).id
        else:
            upload = uploads.Upload(one, post(one, body, HOSPITAL), content, HOSPITAL)
            upload.complete()
            document = upload.id
        kept.append(record.api.get(f"/fhir/DocumentReference/{document}", as_=HOSPITAL).json)

    assert comparable(by_upload[0], record) == comparable(by_request[0], twin)


def comparable(resource: dict[str, Any], record: FedRecord) -> dict[str, Any]:
    """A resource without what tells one record, and one deposit, from another."""
    attachment = {k: v for k, v in resource["content"][0]["attachment"].items() if k not in ("url", "hash", "size")}
    kept = {k: v for k, v in resource.items() if k not in ("id", "meta", "docStatus", "subject")}
    text = repr({**kept, "content": [{**resource["content"][0], "attachment": attachment}]})
    return {"text": text.replace(record.id, "RECORD").replace(record.ins, "INS")}


def test_a_cda_of_another_patient_is_deleted(record: FedRecord) -> None:
    upload = announce_cda(record, letter(record, "2.25.93.1", ins=bodies.new_ins()))

    upload.complete()

    assert (upload.error, upload.versions()) == ("ins-mismatch", [])


def test_a_cda_with_the_unique_id_of_another_document_fails(record: FedRecord) -> None:
    content = letter(record, "2.25.94.1")
    first, second = announce_cda(record, content), announce_cda(record, content)

    for upload in (first, second):
        assert upload.complete() == []

    assert [first.error, second.error] == ["", "duplicate-unique-id"]
    assert found(record, AUTHOR) == [first.id]
    assert fsck.problems(record) == []


def test_a_cda_that_contradicts_its_announcement_fails(record: FedRecord) -> None:
    upload = announce_cda(record, letter(record, "2.25.95.1"), masterIdentifier=bodies.unique_id())

    upload.complete()

    assert upload.error == "metadata-mismatch"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_versions_that_were_uploaded_the_latest_is_current(record: FedRecord, order: tuple[int, int]) -> None:
    sent = {n: announce_cda(record, letter(record, f"2.25.96.{n}", version=n)) for n in (1, 2)}

    for number in order:
        assert sent[number].complete() == []

    assert found(record, AUTHOR) == [sent[2].id]
    assert record.found(AUTHOR, "status=superseded") == [sent[1].id]
    assert fsck.problems(record) == []


def test_an_earlier_version_that_is_uploaded_late_is_masked_as_the_later_one_is(record: FedRecord) -> None:
    first, second = (announce_cda(record, letter(record, f"2.25.97.{n}", version=n)) for n in (1, 2))
    second.complete()
    record.mask(second.id)

    first.complete()

    labels = record.api.get(f"/fhir/DocumentReference/{first.id}", as_=record.patient).json["securityLabel"]
    assert [one["coding"][0]["code"] for one in labels] == ["N", "MASQUE_PS"]
    assert found(record, AUTHOR) == [second.id]
    assert fsck.problems(record) == []


def test_an_earlier_version_that_was_announced_to_replace_the_later_one_does(record: FedRecord) -> None:
    second = announce_cda(record, letter(record, "2.25.98.2", version=2))
    second.complete()
    related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{second.id}"}}]
    first = announce_cda(record, letter(record, "2.25.98.1", version=1), relatesTo=related)

    first.complete()

    assert found(record, AUTHOR) == [first.id]
    assert fsck.problems(record) == []


def test_an_event_that_comes_again_or_late_changes_nothing(record: FedRecord) -> None:
    upload = announce(record)
    events = [upload.send() for _ in range(3)]

    for event in (*events, *reversed(events)):
        assert tell(record.api, event) == []

    assert upload.read().json["meta"]["versionId"] == "2"
    assert len(upload.versions()) == 1
    assert found(record, AUTHOR) == [upload.id]
    assert fsck.problems(record) == []


def test_the_version_that_was_verified_is_the_one_that_is_read(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    upload = announce(record)
    upload.complete()

    upload.send(OTHER_PDF)

    answer = record.api.get(f"/fhir/Binary/{upload.id}", as_=SPECIALIST, headers={"Accept": "application/pdf"})
    assert answer.body == bodies.PDF


def test_an_object_for_nothing_is_deleted(record: FedRecord) -> None:
    upload = announce(record)
    key = f"uploads/{record.id}/{'0' * 26}"
    event = upload.send()
    put = aws.client("s3").put_object(Bucket=upload.bucket, Key=key, Body=b"x")

    assert tell(record.api, uploads.arrival(upload.bucket, key, put["VersionId"]), event) == []

    assert uploads.versions(upload.bucket, key) == []
    assert found(record, AUTHOR) == [upload.id]


def test_an_object_for_a_record_closed_meanwhile_is_deleted(record: FedRecord) -> None:
    upload, complete = announce(record), announce(record, OTHER_PDF)
    complete.complete()
    motive = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient).status == 200
    before = record.items()

    assert upload.complete() == []

    assert (upload.versions(), len(complete.versions())) == ([], 1)
    assert record.items() == before


def test_a_record_closed_during_the_verification_takes_nothing(record: FedRecord) -> None:
    upload = announce(record)
    event = upload.send()
    motive = bodies.parameters(motive={"valueCode": "patient-demande"})

    with meanwhile(
        "TransactWriteItems",
        lambda: record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient),
    ):
        assert tell(record.api, event) == []

    assert upload.versions() == []


def test_whoever_was_blocked_meanwhile_feeds_no_more(record: FedRecord) -> None:
    upload = announce(record)
    record.block(AUTHOR)

    assert upload.complete() == []

    assert (upload.versions(), found(record, record.patient)) == ([], [])


def test_poison_comes_again_and_the_others_of_its_batch_are_handled(record: FedRecord) -> None:
    upload = announce(record)
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": upload.bucket}
    foreign = uploads.arrival(upload.bucket, "uploads/../x", "v")

    failed = tell(record.api, "no json", {"Records": [{}]}, foreign, {}, test_event, upload.send())

    assert failed == ["0", "1", "2", "3"]
    assert found(record, AUTHOR) == [upload.id]


def test_a_verification_is_a_few_reads_and_one_transaction(record: FedRecord) -> None:
    upload = announce(record)
    event = upload.send()

    with counted() as calls:
        tell(record.api, event)

    assert calls == ["BatchGetItem", "GetObject", "BatchGetItem", "TransactWriteItems", "SendMessage"]


def test_an_announcement_stores_no_bytes(record: FedRecord) -> None:
    announce(record)

    with counted() as calls:
        announce(record, OTHER_PDF)

    assert calls == ["BatchGetItem", "TransactWriteItems"]
    assert record.objects() == {}


def test_a_conditional_announcement_finds_the_one_that_is_awaited(record: FedRecord) -> None:
    upload = announce(record)
    master = upload.answer.json["masterIdentifier"]
    condition = {"If-None-Exist": f"identifier={master['system']}|{master['value']}"}

    answer = record.api.post("/fhir/DocumentReference", announcement(record.id), as_=AUTHOR, headers=condition)

    assert (answer.status, answer.id, bool(extension(answer.json))) == (200, upload.id, True)


def test_a_document_that_is_uploaded_masked_by_default_is_masked(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    masking = bodies.consent(record.id, "default-visibility", "deny", None, "")
    assert record.api.post("/fhir/Consent", masking, as_=record.patient).status == 201

    document = uploaded(record)

    assert [found(record, who) for who in (AUTHOR, SPECIALIST)] == [[document], []]


def test_what_would_end_more_documents_than_one_transaction_can_is_refused_at_once(record: FedRecord) -> None:
    formers = fed(record, MOST_REPLACED + 1)

    refused = post(record, announcement(record.id, **replacing(*formers)))
    upload = announce(record, **replacing(*formers[1:]))

    assert (refused.status, refused.code, place_of(refused)) == (413, "too-many", "DocumentReference.relatesTo")
    assert (upload.complete(), sorted(found(record, AUTHOR))) == ([], sorted([upload.id, formers[0]]))
    assert fsck.problems(record) == []


def test_a_cda_that_says_it_replaces_more_than_that_ends_and_replaces_nothing(record: FedRecord) -> None:
    fed(record, MOST_TAKEN)
    names = [one["masterIdentifier"]["value"] for one in record.find(AUTHOR, "status=current&_count=100").resources]
    upload = announce_cda(record, replacing_letter(record, names))

    assert upload.complete() == []

    assert (upload.error, upload.versions()) == ("too-many", [])
    assert len(names) == len(record.found(AUTHOR, "status=current&_count=100")) == MOST_TAKEN
    assert fsck.problems(record) == []


@pytest.mark.parametrize("url", [UPLOAD, UPLOAD_ERROR])
@pytest.mark.parametrize("body", [bodies.document, announcement])
def test_what_only_the_server_says_of_an_upload_nobody_else_does(record: FedRecord, body: Any, url: str) -> None:
    said = [{"url": "https://example.org/other", "valueString": "x"}, {"url": url, "valueString": "x"}]

    answer = post(record, body(record.id, extension=said))

    assert (answer.status, answer.code) == (422, "invalid-resource")
    assert place_of(answer) == "DocumentReference.extension[1]"
    assert record.objects() == {}


def test_in_a_bundle_neither(record: FedRecord) -> None:
    answer = record.api.post(
        "/fhir",
        bodies.submission(record.id, extension=[{"url": UPLOAD, "valueUrl": "https://example.org"}]),
        as_=AUTHOR,
    )

    assert (answer.status, answer.code) == (422, "invalid-resource")
    assert place_of(answer) == "Bundle.entry[1].resource.extension[0]"


def test_the_number_of_a_version_is_a_text(record: FedRecord) -> None:
    url = UPLOAD.replace("dmp-upload", "dmp-version")

    answers = [post(record, bodies.document(record.id, extension=[{"url": url, **said}])) for said in VERSIONS_SAID]

    assert [one.status for one in answers] == [201, 422]
    assert place_of(answers[1]) == "DocumentReference.extension[0]"

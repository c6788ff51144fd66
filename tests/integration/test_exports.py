"""$export: the archive that a person takes away, from the order to the ZIP, and who may have it (L.1111-15)."""

import hashlib
import html.parser
import json
from importlib import import_module
from posixpath import join, normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.requester import Requester
from tests import bodies, uploads
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, meanwhile, refused
from tests.cda_factories import cda
from tests.closed_record import Remaining, close, reopen
from tests.delegates import GUARDIAN, NEIGHBOUR, delegated
from tests.exports import Archive, ask, built, fetched, ordered, run, waiting
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record
from tests.fhir_validity import assert_valid_r4
from tests.integration.test_visibility import hidden
from tests.minor_record import open_minor_record
from tests.profile_bodies import BODIES, NORMAL, VISIBILITY
from tests.reimbursements import fed, line
from tests.requester_factories import requester_cpam_agent, requester_patient
from tests.xss_payloads import PAYLOADS

DAY = 86_400
INVISIBLE = [NORMAL, {"system": VISIBILITY, "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    return open_record(api, stack)


def get(record: FedRecord, address: str, as_: Requester | None = None, **options: Any) -> Response:
    return record.api.get(address, as_=as_ or record.patient, **options)


def hide(record: FedRecord, document: str) -> None:
    labels = [{"op": "replace", "path": "/securityLabel", "value": hidden("INVISIBLE_PATIENT")["securityLabel"]}]
    answer = record.api.patch(f"/fhir/DocumentReference/{document}", labels, as_=AUTHOR)
    assert answer.status == 200, answer.body


# --- from the order to the archive


def test_an_archive_is_asked_for_built_and_fetched(record: FedRecord) -> None:
    answer = ask(record)
    address = answer.headers["content-location"]
    before = get(record, address)

    left = run(record, *waiting(record))

    assert (answer.status, answer.body, left) == (202, b"", [])
    assert address.startswith(f"https://dmp.example/fhir/exports/{record.id}.")
    assert (before.status, before.headers["x-progress"], before.headers["retry-after"]) == (202, "asked", "5")
    ready = get(record, address)
    assert (ready.status, ready.headers["content-type"]) == (200, "application/zip")
    assert ready.headers["content-disposition"] == 'attachment; filename="dossier-medical-partage.zip"'
    assert ready.headers["expires"] == "Mon, 09 Mar 2026 12:00:00 GMT"
    assert get(record, address, headers={"If-None-Match": ready.headers["etag"]}).status == 304
    assert record.api.head(address, as_=record.patient).headers["content-length"] == str(len(ready.body))


def test_the_archive_holds_all_documents_all_data_and_the_trace(record: FedRecord) -> None:
    former = record.publish()
    replaced = [{"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}]
    newer = record.publish(content=bodies.PDF + b"newer", relatesTo=replaced)
    record.mask(newer)
    gone = record.publish(content=bodies.PDF + b"gone")
    assert record.api.delete(f"/fhir/DocumentReference/{gone}", as_=AUTHOR).status == 204
    for kind, body in BODIES.items():
        assert record.api.post(f"/fhir/{kind}", body(record.id), as_=record.patient).status == 201
    fed(record.api, line(record.id))

    archive = fetched(record, built(record))

    documents = [archive.read(name) for name in archive.under("documents/")]
    assert sorted(documents) == sorted([bodies.PDF, bodies.PDF + b"newer"])
    described = archive.resources("fhir/DocumentReference.ndjson")
    assert {one["id"] for one in described} == {former, newer}
    for one in described:
        attachment = one["content"][0]["attachment"]
        data = archive.read(normpath(join("fhir", attachment["url"])))
        assert bodies.sha1(data) == attachment["hash"]
    types = {name.removeprefix("fhir/").removesuffix(".ndjson") for name in archive.under("fhir/")}
    assert types == {"Patient", "Consent", "DocumentReference", "Communication", "ExplanationOfBenefit", *BODIES}
    told = archive.resources("trace/AuditEvent.ndjson")
    assert {one["outcome"] for one in told} == {"0"}
    proof = json.loads(archive.read("trace/proof.json"))
    assert proof["record"] == record.id
    assert {one["id"].partition(".")[2] for one in told} <= {*proof["unchained"], *(e["id"] for e in proof["entries"])}


def test_every_resource_is_valid_and_every_file_is_as_its_sum_says(record: FedRecord) -> None:
    record.publish()
    archive = fetched(record, built(record))

    for name in archive.names:
        for resource in archive.resources(name) if name.endswith(".ndjson") else []:
            assert_valid_r4(resource)
            assert resource["resourceType"] == name.rpartition("/")[2].removesuffix(".ndjson")
    told = [one.partition("  ") for one in archive.read("SHA256SUMS.txt").decode().splitlines()]
    sums = {name: digest for digest, _, name in told}
    assert sums.keys() | {"SHA256SUMS.txt"} == set(archive.names)
    assert all(hashlib.sha256(archive.read(name)).hexdigest() == digest for name, digest in sums.items())


def test_the_archive_holds_what_everything_shows(record: FedRecord) -> None:
    record.publish()
    address = built(record)

    archive = fetched(record, address)

    page = get(record, f"/fhir/Patient/{record.id}/$everything?_count=100")
    shown = {f"{one['resourceType']}/{one['id']}" for one in page.resources}
    held = {f"{one['resourceType']}/{one['id']}" for name in archive.under("fhir/") for one in archive.resources(name)}
    told = {one for one in shown - held if one.startswith("Communication/")}
    assert (held - shown, shown - held - told, len(told)) == (set(), set(), 1)  # that the archive is ready


def test_software_that_asks_for_json_gets_a_manifest(record: FedRecord) -> None:
    record.publish()
    address = built(record)

    answers = [get(record, address, headers={"Accept": kind}) for kind in ("application/json", "application/fhir+json")]

    manifest = json.loads(answers[0].body)
    assert answers[0].headers["content-type"] == "application/json"
    assert manifest["request"] == f"https://dmp.example/fhir/Patient/{record.id}/$export"
    assert (manifest["transactionTime"], manifest["requiresAccessToken"]) == ("2026-03-02T12:00:00.000Z", True)
    assert {"type": "DocumentReference", "url": address, "count": 1} in manifest["output"]
    assert (answers[1].status, manifest["error"]) == (200, [])
    assert get(record, address, headers={"Accept": "*/*"}).headers["content-type"] == "application/zip"
    assert get(record, address, headers={"Accept": "application/json;q=0.5, application/zip"}).body[:2] == b"PK"
    assert get(record, address, headers={"Accept": "text/html"}).status == 406


# --- the pages


class Links(html.parser.HTMLParser):
    """The tags of a page, and where it leads."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_pages_lead_to_every_file_and_nowhere_else(record: FedRecord) -> None:
    record.publish()
    record.publish(content=cda(title="Lettre lisible"), attachment={"contentType": "text/xml"})
    archive = fetched(record, built(record))

    reached = set()
    for page in ("index.html", "trace/index.html"):
        links = Links(archive.read(page))
        assert not links.tags & {"script", "img", "link", "iframe", "form"}
        reached |= {normpath(join(page.rpartition("/")[0], unquote(one))) for one in links.targets}

    assert all(not urlsplit(one).scheme for one in reached)
    assert reached == set(archive.names)
    [readable] = [name for name in archive.under("documents/") if name.endswith(".html")]
    assert b"Lettre lisible" in archive.read(readable)


def test_every_page_forbids_itself_to_fetch_or_run_anything(record: FedRecord) -> None:
    record.publish(content=cda(), attachment={"contentType": "text/xml"})
    archive = fetched(record, built(record))

    pages = [archive.read(name) for name in archive.names if name.endswith(".html")]

    assert len(pages) == 3
    assert all(b'<meta http-equiv="Content-Security-Policy" content="default-src \'none\';' in page for page in pages)


def test_no_title_makes_a_browser_run_anything(record: FedRecord) -> None:
    for number, text in enumerate(PAYLOADS[::8]):
        attachment = {"title": text}
        record.publish(content=bodies.PDF + str(number).encode(), attachment=attachment)

    archive = fetched(record, built(record))

    links = Links(archive.read("index.html"))
    assert links.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "a", "ul", "li"} | {
        *("table", "tr", "th", "td")
    }
    assert links.attributes == {"lang", "charset", "http-equiv", "content", "href"}


# --- who


def test_only_the_person_and_a_representative_take_everything_away(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    neighbour, guardian = delegated(record, NEIGHBOUR), delegated(record, GUARDIAN)

    refusals = [ask(record, who) for who in (SPECIALIST, AUTHOR, STRANGER, neighbour, requester_cpam_agent())]

    assert {(one.status, one.code) for one in refusals} == {(403, "not-authorised")}
    assert ask(record, requester_patient(bodies.qualified(bodies.new_ins()))).code == "no-record"
    assert waiting(record) == []
    assert ask(record, guardian).status == 202


def test_an_archive_is_there_for_whoever_asked_alone(record: FedRecord) -> None:
    guardian, neighbour = delegated(record, GUARDIAN), delegated(record, NEIGHBOUR)
    address = built(record)
    missing = address[:-1] + ("0" if address[-1] != "0" else "1")

    answers = [get(record, one, who) for who in (guardian, neighbour, SPECIALIST) for one in (address, missing)]

    told = [(one.status, one.code) for one in answers]
    assert told == [(404, "no-export")] * 2 + [(403, "not-authorised")] * 4
    assert get(record, missing).code == "no-export"
    assert record.api.delete(address, as_=guardian).code == "no-export"
    assert get(record, address).status == 200


@pytest.mark.usefixtures("clock")
def test_each_finds_in_the_archive_what_they_may_see(api: ApiClient, stack: dict[str, str]) -> None:
    minor = open_minor_record(api, stack)
    shown = minor.publish(content=bodies.PDF + b"shown")
    secret = minor.publish(content=bodies.PDF + b"secret", **hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
    minor.publish(content=bodies.PDF + b"unannounced", **hidden("INVISIBLE_PATIENT"))

    own, guardians = fetched(minor, built(minor)), fetched(minor, built(minor, minor.guardian), minor.guardian)

    assert {one["id"] for one in own.resources("fhir/DocumentReference.ndjson")} == {shown, secret}
    assert [one["id"] for one in guardians.resources("fhir/DocumentReference.ndjson")] == [shown]
    for archive, words in ((own, [b"unannounced"]), (guardians, [b"unannounced", b"secret", secret.encode()])):
        assert not any(word in archive.read(name) for name in archive.names for word in words)


def test_whoever_represents_no_more_fetches_nothing_more(record: FedRecord) -> None:
    guardian = delegated(record, GUARDIAN)
    address, later = built(record, guardian), ordered(record, record.patient)
    assert get(record, address, guardian).status == 200

    consents = get(record, f"/fhir/Consent?patient={record.id}").resources
    [delegation] = [one["id"] for one in consents if one["category"][1]["coding"][0]["code"] == "delegation"]
    revoked = [{"op": "replace", "path": "/status", "value": "inactive"}]
    assert record.api.patch(f"/fhir/Consent/{delegation}", revoked, as_=record.patient).status == 200

    assert get(record, address, guardian).code == "no-record"
    assert get(record, later).status == 202


# --- one at a time, for some days


def test_whoever_asks_again_waits_for_the_same_archive(record: FedRecord) -> None:
    first, second = ordered(record), ordered(record)

    run(record, *waiting(record))

    assert first == second
    assert ordered(record) != first


def test_an_order_whose_message_was_lost_is_carried_out_once_it_is_asked_again(record: FedRecord) -> None:
    address = ordered(record)
    waiting(record)

    assert ordered(record) == address
    assert run(record, *waiting(record)) == []

    assert get(record, address).status == 200


def test_of_two_runs_at_once_one_builds(record: FedRecord) -> None:
    address = ordered(record)
    ordered(record)
    first, second = waiting(record)
    busy: list[list[str]] = []

    with meanwhile("UploadPart", lambda: busy.append(run(record, second))):
        assert run(record, first) == []

    assert busy == [[second["body"]]]
    assert (get(record, address).status, len(archives(record))) == (200, 1)
    assert run(record, second) == []


def test_a_run_that_has_too_little_time_gives_the_archive_up(record: FedRecord) -> None:
    address = ordered(record)

    answer = import_module("handlers.export_builder").handler({"Records": waiting(record)}, Remaining(0))

    assert answer == {"batchItemFailures": []}
    assert (get(record, address).code, archives(record)) == ("export-failed", [])


def test_two_orders_at_once_are_one(record: FedRecord) -> None:
    others: list[str] = []

    with meanwhile("TransactWriteItems", lambda: others.append(ordered(record))):
        address = ordered(record)

    assert others == [address]
    assert run(record, *waiting(record)) != []
    assert fetched(record, address).names


def test_two_people_each_have_their_own(record: FedRecord) -> None:
    guardian = delegated(record, GUARDIAN)

    assert ordered(record) != ordered(record, guardian)


def test_after_some_days_it_is_gone(record: FedRecord, clock: TimeMachineFixture) -> None:
    address = built(record)

    clock.shift(7 * DAY - 1)
    before = get(record, address)
    clock.shift(1)
    after = get(record, address)

    assert (before.status, after.status, after.code) == (200, 410, "export-expired")


def test_what_is_given_up_is_gone_with_its_bytes(record: FedRecord) -> None:
    address = built(record)

    answers = [record.api.delete(address, as_=record.patient) for _ in range(2)]

    assert [one.status for one in answers] == [204, 204]
    assert (get(record, address).status, get(record, address).code) == (410, "gone")
    assert archives(record) == []


def test_what_is_given_up_before_it_is_built_never_is(record: FedRecord) -> None:
    address = ordered(record)
    assert record.api.delete(address, as_=record.patient).status == 204

    assert run(record, *waiting(record)) == []

    assert (get(record, address).status, archives(record)) == (410, [])
    assert ordered(record) != address


def test_what_is_given_up_while_it_is_built_is_not_there_afterwards(record: FedRecord) -> None:
    address = ordered(record)

    with meanwhile("CompleteMultipartUpload", lambda: record.api.delete(address, as_=record.patient)):
        assert run(record, *waiting(record)) == []

    assert get(record, address).status == 410


def archives(record: FedRecord) -> list[str]:
    """The keys of all archives of a record that the bucket holds."""
    page = aws.client("s3").list_object_versions(
        Bucket=record.stores["DOCUMENTS_BUCKET"], Prefix=f"exports/{record.id}/"
    )
    return [one["Key"] for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]


# --- the record meanwhile


def test_of_a_closed_record_nothing_is_asked_or_fetched(record: FedRecord) -> None:
    address = built(record)
    assert close(record).status == 200

    assert (ask(record).status, ask(record).code) == (409, "record-closed")
    assert (get(record, address).status, get(record, address).code) == (403, "record-closed")
    assert reopen(record).status == 200
    assert get(record, address).status == 200


def test_of_a_record_that_is_closed_meanwhile_nothing_is_built(record: FedRecord) -> None:
    first = ordered(record)
    assert close(record).status == 200
    assert run(record, *waiting(record)) == []
    assert reopen(record).status == 200
    second = ordered(record)

    with meanwhile("CompleteMultipartUpload", lambda: close(record)):
        assert run(record, *waiting(record)) == []

    assert reopen(record).status == 200
    assert {get(record, one).code for one in (first, second)} == {"export-failed"}


def test_what_is_hidden_later_is_fetched_no_more(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish()
    address = built(record)
    clock.shift(60)
    record.publish(content=bodies.PDF + b"unannounced", **hidden("INVISIBLE_PATIENT"))
    record.publish(content=bodies.PDF + b"new")
    before = get(record, address)
    clock.shift(60)

    hide(record, document)

    assert before.status == 200
    assert (get(record, address).status, get(record, address).code) == (410, "export-expired")


def test_what_was_hidden_from_the_start_holds_no_archive_up(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    address = built(record)
    clock.shift(60)

    again = [{"op": "replace", "path": "/isArchived", "value": True}]
    record.api.patch(f"/fhir/DocumentReference/{document}", again, as_=AUTHOR)
    hide(record, document)

    assert get(record, address).status == 200


def test_an_entry_of_the_profile_that_is_hidden_later_is_fetched_no_more(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    minor = open_minor_record(api, stack)
    entry = condition(minor)
    address = built(minor, minor.guardian)
    clock.shift(60)
    condition(minor, meta={"security": INVISIBLE})
    before = get(minor, address, minor.guardian)
    clock.shift(60)

    hidden_now = [{"op": "replace", "path": "/meta/security", "value": INVISIBLE}]
    answer = minor.api.patch(f"/fhir/Condition/{entry}", hidden_now, as_=AUTHOR)

    assert (before.status, answer.status) == (200, 200)
    after = get(minor, address, minor.guardian)
    assert (after.status, after.code) == (410, "export-expired")


def test_an_entry_that_was_hidden_from_the_start_or_is_deleted_holds_no_archive_up(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    minor = open_minor_record(api, stack)
    hidden_before, deleted = condition(minor, meta={"security": INVISIBLE}), condition(minor)
    address = built(minor, minor.guardian)
    clock.shift(60)

    again = {**BODIES[ProfileKind.CONDITION](minor.id, meta={"security": INVISIBLE}), "id": hidden_before}
    assert minor.api.put(f"/fhir/Condition/{hidden_before}", again, as_=AUTHOR).status == 200
    assert minor.api.delete(f"/fhir/Condition/{deleted}", as_=AUTHOR).status == 204

    assert get(minor, address, minor.guardian).status == 200


def condition(record: FedRecord, **elements: Any) -> str:
    """A Condition that a professional enters; its id."""
    answer = record.api.post("/fhir/Condition", BODIES[ProfileKind.CONDITION](record.id, **elements), as_=AUTHOR)
    assert answer.status == 201, answer.body
    return answer.id


# --- large, damaged, failing


def test_a_large_archive_is_fetched_from_the_bucket(record: FedRecord) -> None:
    content = bodies.PDF + bytes(range(256)) * (20 * 1024 * 4)
    uploads.uploaded(record, content)
    address = ordered(record)

    with counted() as calls:
        assert run(record, *waiting(record)) == []

    answer = get(record, address)
    assert calls.count("UploadPart") == 3
    assert (answer.status, answer.body) == (302, b"")
    held = boto3.client("s3").get_object(
        Bucket=record.stores["DOCUMENTS_BUCKET"], Key=urlsplit(answer.headers["location"]).path.lstrip("/")
    )
    assert (held["ServerSideEncryption"], held["ContentType"]) == ("aws:kms", "application/zip")
    archive = Archive(held["Body"].read())
    assert [archive.read(name) for name in archive.under("documents/")] == [content]
    assert "X-Amz-Expires=60" in answer.headers["location"]


def test_a_damaged_document_is_told_and_holds_nothing_else_up(record: FedRecord) -> None:
    record.publish()
    damaged, missing = (record.publish(content=bodies.PDF + name) for name in (b"damaged", b"missing"))
    bucket, client = record.stores["DOCUMENTS_BUCKET"], aws.client("s3")
    key, other = (f"documents/{record.id}/{one.partition('.')[2]}" for one in (damaged, missing))
    client.put_object(Bucket=bucket, Key=key, Body=b"%PDF-1.4 something else")
    client.delete_object(Bucket=bucket, Key=other)

    archive = fetched(record, built(record))

    page = archive.read("index.html").decode()
    assert page.count("pu être relu") == 2
    assert len(archive.resources("fhir/DocumentReference.ndjson")) == 3
    assert bodies.PDF in [archive.read(name) for name in archive.under("documents/")]


@pytest.mark.parametrize("operation", ["GetObject", "UploadPart", "CompleteMultipartUpload", "Query"])
def test_what_fails_is_tried_three_times_and_can_be_asked_again(
    record: FedRecord, clock: TimeMachineFixture, operation: str
) -> None:
    record.publish()
    address = ordered(record)
    [message] = waiting(record)

    for last in (False, False, True):
        with refused(operation):
            assert (run(record, message) == []) is last
        clock.shift(120)

    assert (get(record, address).status, get(record, address).code) == (410, "export-failed")
    assert archives(record) == []
    assert fetched(record, built(record)).names


def test_what_fails_once_is_built_the_next_time(record: FedRecord) -> None:
    record.publish()
    address = ordered(record)
    [message] = waiting(record)

    with refused("GetObject"):
        assert run(record, message) != []
    state = get(record, address)
    assert run(record, message) == []

    assert (state.status, state.headers["x-progress"]) == (202, "building")
    assert fetched(record, address).under("documents/")


def test_an_order_that_the_version_before_left_in_the_queue_is_built(record: FedRecord) -> None:
    address = ordered(record)
    [message] = waiting(record)

    assert run(record, {**message, "body": json.loads(message["body"])["export"]}) == []

    assert fetched(record, address).names


def test_an_order_that_never_stood_is_dropped_after_some_looks(record: FedRecord) -> None:
    unknown = json.dumps({"export": f"{record.id}.{'0' * 26}"})
    message = {"messageId": "1", "receiptHandle": "none", "body": unknown, "attributes": {}}
    boto3.client("sqs").send_message(QueueUrl=record.stores["EXPORT_QUEUE"], MessageBody=unknown)
    [real] = waiting(record)

    looks = [run(record, {**real, "attributes": {"ApproximateReceiveCount": str(number)}}) for number in (1, 2, 3, 4)]

    assert looks == [[unknown]] * 3 + [[]]
    assert run(record, {**message, "body": "nothing"}) == ["nothing"]


# --- told and traced


def test_the_person_is_told_when_it_is_ready(record: FedRecord) -> None:
    built(record)

    found = get(record, f"/fhir/Communication?recipient=Patient/{record.id}").resources

    kinds = [one["category"][0]["coding"][0]["code"] for one in found]
    assert kinds == ["export-ready"]
    assert "copie" in found[0]["payload"][0]["contentString"]


def test_order_building_and_every_download_are_in_the_trace(record: FedRecord) -> None:
    address = built(record)
    for _ in range(2):
        get(record, address)
    record.api.delete(address, as_=record.patient)
    get(record, address, SPECIALIST)

    told = [(one["act"], one["outcome"], one["role"]) for one in record.trace()]

    assert sorted(one for one in told if one[0] != "open") == [
        ("export", "0", "patient"),
        ("export-fetched", "0", "patient"),
        ("export-fetched", "0", "patient"),
        ("export-fetched", "8", "professional"),
        ("export-removed", "0", "patient"),
        ("exported", "0", "service"),
    ]


def test_nothing_names_the_person_where_it_should_not(record: FedRecord, caplog: pytest.LogCaptureFixture) -> None:
    address = ordered(record)
    [message] = waiting(record)
    with refused("UploadPart"):
        run(record, message)

    keys = [item[name]["S"] for item in record.items() for name in ("pk", "sk")]
    assert not any(record.ins in text for text in (address, json.dumps(message), caplog.text, *keys))

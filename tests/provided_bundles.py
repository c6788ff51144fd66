"""Sixty-five ITI-65 bundles and more, good and bad, of the kind that IHE's examples and its test lists give rise to.

Each is made for one record, in which there are documents to replace, to relate to, and to know nothing of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from dmp.fhir import systems as s
from tests import bodies
from tests import fhir_factories as make
from tests.fed_record import FedRecord

type Json = dict[str, Any]
type Build = Callable[["World"], Json]

OTHER = b"Un autre compte rendu\n"
LEVELS = {
    "minimal": s.MHD_PROVIDE_MINIMAL,
    "uncontained": s.MHD_PROVIDE_UNCONTAINED,
    "comprehensive": s.MHD_PROVIDE_COMPREHENSIVE,
    "pdsm": s.PDSM_PROVIDE,
}


@dataclass(frozen=True, kw_only=True)
class World:
    """One record as a bundle finds it: ids of documents, Lists, and a unique id."""

    record: FedRecord
    own: str
    own_identifier: Json
    folder: str
    folder_identifier: Json
    superseded: str = ""
    hidden: str = ""
    theirs: str = ""
    elsewhere: str = ""

    @property
    def nowhere(self) -> str:
        return f"{self.record.id}.{'0' * 26}"


@dataclass(frozen=True)
class Provided:
    """A bundle, and how it is to be answered; a good one has no code."""

    build: Build
    status: int = 200
    code: str = ""
    expression: str = ""


def document(world: World, content: bytes = make.TEXT, url: str = "", **changes: Any) -> list[Json]:
    """The entries of a document that keeps every level: its DocumentReference and its Binary."""
    unique = {"type": make.concept(s.MHD_IDENTIFIER_TYPE, "uniqueId"), "system": s.URI, "value": oid()}
    contained = [make.practitioner(), make.contained_patient(world.record.ins)]
    binary = f"urn:uuid:{uuid4()}"
    file = changes.pop("file", {})
    usual = {"masterIdentifier": unique, "contained": contained, "subject": named(world), "meta": None}
    resource = make.document_reference(
        file=make.merged(make.attachment(content, url=binary), file), **{**usual, **changes}
    )
    return [
        make.entry(url or f"urn:uuid:{uuid4()}", resource),
        make.entry(binary, make.binary(content)),
    ]


def oid() -> str:
    return f"urn:oid:2.25.{uuid4().int}"


def named(world: World) -> Json:
    return {"reference": f"Patient/{world.record.id}"}


def bundle(world: World, *entries: Json, level: str = "pdsm", **changes: Any) -> Json:
    """A bundle of these entries, with a SubmissionSet of its documents; `changes` are of the SubmissionSet."""
    entries = entries or tuple(document(world))
    urls = [one["fullUrl"] for one in entries if one["resource"]["resourceType"] == "DocumentReference"]
    typed = {"type": make.concept(s.MHD_IDENTIFIER_TYPE, "uniqueId"), "system": s.URI, "value": oid()}
    usual = {"identifier": [typed], "subject": named(world), "meta": None}
    first = make.entry(make.SET_URL, make.submission_set(*urls, **{**usual, **changes}))
    return make.bundle(first, *entries, profile=LEVELS[level])


def folder(world: World, *held: str, method: str = "POST", url: str = "List", **changes: Any) -> Json:
    resource = make.folder(*held, **{"subject": named(world), **changes})
    return make.entry(f"urn:uuid:{uuid4()}", resource, method=method, url=url)


def patient(world: World, method: str = "POST", url: str = "Patient", **changes: Any) -> Json:
    resource = make.contained_patient(world.record.ins, **{"id": None, **changes})
    return make.entry("urn:uuid:00000000-0000-4000-8000-00000000000a", resource, method=method, url=url)


def related(code: str, literal: str) -> Json:
    return {"relatesTo": [{"code": code, "target": {"reference": literal}}]}


def relating(code: str, literal: Callable[[World], str]) -> Build:
    return lambda world: bundle(world, *document(world, OTHER, **related(code, literal(world))))


def superseding(target: str) -> Json:
    return {**make.superseding(target), "fullUrl": f"urn:uuid:{uuid4()}"}


def changed(change: Callable[[Json], object], level: str = "pdsm") -> Build:
    """A good bundle with one thing wrong: `change` gets the whole of it."""

    def build(world: World) -> Json:
        body = bundle(world, level=level)
        change(body)
        return body

    return build


def resource(body: Json, place: int) -> Json:
    found: Json = body["entry"][place]["resource"]
    return found


def attachment(body: Json) -> Json:
    found: Json = resource(body, 1)["content"][0]["attachment"]
    return found


def with_patient(world: World, **changes: Any) -> Json:
    """A bundle whose subjects are its Patient entry."""
    entry = patient(world, **changes)
    subject = {"reference": entry["fullUrl"]}
    return {
        **(body := bundle(world, *document(world, subject=subject), subject=subject)),
        "entry": [*body["entry"], entry],
    }


def twice(world: World) -> Json:
    """Two documents with one unique id and other bytes, as in an example of IHE."""
    unique = {"type": make.concept(s.MHD_IDENTIFIER_TYPE, "uniqueId"), "system": s.URI, "value": oid()}
    first, second = (document(world, content, masterIdentifier=unique) for content in (make.TEXT, OTHER))
    return bundle(world, *first, *second)


def at_addresses(world: World) -> Json:
    """A bundle whose entries have the addresses that they had on another server, and name each other so."""
    root = "https://source.example/fhir"
    first, binary = document(world, url=f"{root}/DocumentReference/d1")
    first["resource"]["content"][0]["attachment"]["url"] = "Binary/b1"
    binary["fullUrl"] = f"{root}/Binary/b1"
    body = bundle(world, first, binary)
    body["entry"][0]["fullUrl"] = f"{root}/List/l1"
    resource(body, 0)["entry"] = [{"item": {"reference": "DocumentReference/d1/_history/1"}}]
    return body


def signing(world: World) -> Json:
    first = document(world)
    return bundle(world, *first, *document(world, OTHER, **related("signs", first[0]["fullUrl"])))


def in_a_folder(world: World, **changes: Any) -> Json:
    first = document(world)
    held = folder(world, first[0]["fullUrl"], f"DocumentReference/{world.own}", **changes)
    body = bundle(world, *first, held)
    resource(body, 0)["entry"].append({"item": {"reference": held["fullUrl"]}})
    return body


def referring(world: World, literal: str) -> Json:
    """A SubmissionSet that holds something of the record beside its document."""
    first = document(world)
    items = [{"item": {"reference": one}} for one in (first[0]["fullUrl"], literal)]
    return bundle(world, *first, entry=items)


def many(number: int) -> Build:
    return lambda world: bundle(
        world, *(one for n in range(number) for one in document(world, b"Compte rendu %d\n" % n))
    )


GOOD: dict[str, Provided] = {
    **{f"a document at level {level}": Provided(partial(bundle, level=level)) for level in LEVELS},
    "two documents": Provided(lambda w: bundle(w, *document(w), *document(w, OTHER))),
    "thirty documents": Provided(many(30)),
    "the same bytes under two unique ids": Provided(lambda w: bundle(w, *document(w), *document(w))),
    "addresses of another server, relative to each other": Provided(at_addresses),
    "a folder of new and of old": Provided(in_a_folder),
    "a folder filled by its identifier": Provided(
        lambda w: in_a_folder(w, method="PUT", identifier=[w.folder_identifier])
    ),
    "a folder filled at its address": Provided(lambda w: in_a_folder(w, method="PUT", url=f"List/{w.folder}")),
    "a folder that a set refers to": Provided(lambda w: referring(w, f"List/{w.folder}")),
    "a document that a set refers to": Provided(lambda w: referring(w, f"DocumentReference/{w.own}")),
    "a replacement": Provided(relating("replaces", lambda w: f"DocumentReference/{w.own}")),
    "a replacement by identifier": Provided(
        relating("replaces", lambda w: f"DocumentReference?identifier={s.URI}|{w.own_identifier['value']}")
    ),
    "a replacement with its patch": Provided(
        lambda w: bundle(
            w,
            *document(w, OTHER, **related("replaces", f"DocumentReference/{w.own}")),
            superseding(f"DocumentReference/{w.own}"),
        )
    ),
    "a patch alone": Provided(lambda w: bundle(w, *document(w, OTHER), superseding(f"DocumentReference/{w.own}"))),
    "a patch by identifier": Provided(
        lambda w: bundle(
            w,
            *document(w, OTHER),
            superseding(f"DocumentReference?identifier={s.URI}|{w.own_identifier['value']}"),
        )
    ),
    "an addendum": Provided(relating("appends", lambda w: f"DocumentReference/{w.own}")),
    "a transformation": Provided(relating("transforms", lambda w: f"DocumentReference/{w.own}")),
    "a signature": Provided(relating("signs", lambda w: f"DocumentReference/{w.own}")),
    "a signature of a document of the bundle": Provided(signing),
    "a Patient entry that posts": Provided(with_patient),
    "a Patient entry that posts on a condition": Provided(
        lambda w: _conditional(with_patient(w), f"identifier={make.INS_SYSTEM}|{w.record.ins}")
    ),
    "a Patient entry that gets": Provided(lambda w: with_patient(w, method="GET", url=f"Patient/{w.record.id}")),
    "a Patient entry that puts": Provided(
        lambda w: with_patient(w, method="PUT", url=f"Patient?identifier={make.INS_SYSTEM}|{w.record.ins}")
    ),
    "a Patient entry known by its address alone": Provided(
        lambda w: with_patient(w, method="GET", url=f"Patient/{w.record.id}", identifier=None)
    ),
    "a patient by INS": Provided(
        lambda w: bundle(w, *document(w, subject={"identifier": {"system": make.INS_SYSTEM, "value": w.record.ins}}))
    ),
    "another category than the type has": Provided(
        lambda w: bundle(w, *document(w, category=[make.concept(s.DOCUMENT_CLASS, "42")]))
    ),
    "a minimal document without type, label and hash": Provided(
        lambda w: bundle(
            w,
            *document(w, type=None, category=None, securityLabel=None, file={"hash": None, "size": None}),
            level="minimal",
        )
    ),
    "a recipient and an organisation as source": Provided(
        lambda w: bundle(
            w,
            extension=[
                *make.submission_set()["extension"],
                {"url": s.MHD_INTENDED_RECIPIENT, "valueReference": {"reference": "#author"}},
            ],
            source={"extension": [{"url": s.MHD_AUTHOR_ORG, "valueReference": {"reference": "#author"}}]},
            level="comprehensive",
        )
    ),
}  # fmt: skip


def _conditional(body: Json, condition: str) -> Json:
    body["entry"][-1]["request"]["ifNoneExist"] = condition
    return body


E = "Bundle.entry"
RULE, UNKNOWN = "invalid-resource", "unknown-reference"

BAD: dict[str, Provided] = {
    # the bundle
    "no profile": Provided(changed(lambda b: b.pop("meta")), 422, RULE, "Bundle.meta.profile"),
    "another profile": Provided(
        changed(lambda b: b.update(meta={"profile": ["urn:x"]})), 422, RULE, "Bundle.meta.profile"
    ),
    "a batch": Provided(changed(lambda b: b.update(type="batch")), 422, RULE, "Bundle.type"),
    "no entry": Provided(changed(lambda b: b.pop("entry")), 422, RULE, E),
    "no SubmissionSet": Provided(changed(lambda b: b["entry"].pop(0)), 422, RULE, E),
    "two SubmissionSets": Provided(
        changed(lambda b: b["entry"].append(make.entry("urn:uuid:2", make.submission_set()))), 422, RULE, E
    ),
    "no document": Provided(changed(lambda b: b.update(entry=b["entry"][:1])), 422, RULE, E),
    "a resource without a place": Provided(
        changed(lambda b: b["entry"].append(make.entry("urn:uuid:2", {"resourceType": "Observation"}))),
        422,
        RULE,
        f"{E}[3].resource",
    ),
    "a List of another kind": Provided(
        changed(lambda b: resource(b, 0).update(code=make.concept(s.MHD_LIST_TYPES, "x"))),
        422,
        RULE,
        f"{E}[0].resource.code",
    ),
    "a FHIR document": Provided(
        changed(lambda b: b["entry"].append(make.entry("urn:uuid:2", {"resourceType": "Bundle", "type": "document"}))),
        422,
        "unsupported-content",
        f"{E}[3].resource",
    ),
    "an entry without a request": Provided(
        changed(lambda b: b["entry"][1].pop("request")), 422, RULE, f"{E}[1].request"
    ),
    "an entry without a resource": Provided(
        changed(lambda b: b["entry"][1].pop("resource")), 422, RULE, f"{E}[1].resource"
    ),
    "another method": Provided(
        changed(lambda b: b["entry"][1]["request"].update(method="PUT")), 422, RULE, f"{E}[1].request.method"
    ),
    "a deletion": Provided(
        changed(lambda b: b["entry"][2]["request"].update(method="DELETE")), 422, RULE, f"{E}[2].request.method"
    ),
    "another address": Provided(
        changed(lambda b: b["entry"][1]["request"].update(url="Patient")), 422, RULE, f"{E}[1].request.url"
    ),
    "a condition": Provided(
        changed(lambda b: b["entry"][1]["request"].update(ifNoneExist="identifier=a|b")),
        422,
        RULE,
        f"{E}[1].request.ifNoneExist",
    ),
    "no full URL": Provided(changed(lambda b: b["entry"][2].pop("fullUrl")), 422, RULE, f"{E}[2].fullUrl"),
    "a full URL of a version": Provided(
        changed(lambda b: b["entry"][1].update(fullUrl="https://a.example/DocumentReference/1/_history/1")),
        422,
        RULE,
        f"{E}[1].fullUrl",
    ),
    "one full URL twice": Provided(
        changed(lambda b: b["entry"][2].update(fullUrl=b["entry"][1]["fullUrl"])),
        422,
        "duplicate-entry",
        f"{E}[2].fullUrl",
    ),
    "thirty-one documents": Provided(many(31), 413, "too-large", E),
    # references within
    "a document that the set leaves out": Provided(
        changed(lambda b: resource(b, 0).pop("entry")), 422, RULE, f"{E}[0].resource.entry"
    ),
    "a set that holds what is not there": Provided(
        changed(lambda b: resource(b, 0)["entry"].append({"item": {"reference": "urn:uuid:9"}})),
        422,
        UNKNOWN,
        f"{E}[0].resource.entry[1].item.reference",
    ),
    "a set that holds a Binary": Provided(
        changed(lambda b: resource(b, 0)["entry"].append({"item": {"reference": b["entry"][2]["fullUrl"]}})),
        422,
        UNKNOWN,
        f"{E}[0].resource.entry[1].item",
    ),
    "content that is not there": Provided(
        changed(lambda b: attachment(b).update(url="urn:uuid:9")),
        422,
        UNKNOWN,
        f"{E}[1].resource.content[0].attachment.url",
    ),
    "content elsewhere": Provided(
        changed(lambda b: attachment(b).update(url="https://a.example/b.pdf")),
        422,
        UNKNOWN,
        f"{E}[1].resource.content[0].attachment.url",
    ),
    "a Binary of no document": Provided(
        changed(lambda b: b["entry"].append(make.entry("urn:uuid:9", make.binary()))),
        422,
        UNKNOWN,
        f"{E}[3].resource",
    ),
    "an author that is not contained": Provided(
        changed(lambda b: resource(b, 1).update(author=[{"reference": "#nobody"}])),
        422,
        UNKNOWN,
        f"{E}[1].resource.author[0].reference",
    ),
    # the level
    "no language": Provided(
        changed(lambda b: attachment(b).pop("language"), "comprehensive"),
        422,
        RULE,
        f"{E}[1].resource.content.attachment.language",
    ),
    "an author outside": Provided(
        changed(lambda b: resource(b, 1).update(author=[{"reference": "Practitioner/1"}]), "comprehensive"),
        422,
        RULE,
        f"{E}[1].resource.author",
    ),
    "no source of the set": Provided(
        changed(lambda b: resource(b, 0).pop("source")), 422, RULE, f"{E}[0].resource.source"
    ),
    "a set that was": Provided(
        changed(lambda b: resource(b, 0).update(status="retired")), 422, RULE, f"{E}[0].resource.status"
    ),
    "a set that is a snapshot": Provided(
        changed(lambda b: resource(b, 0).update(mode="snapshot")), 422, RULE, f"{E}[0].resource.mode"
    ),
    "a document that is superseded": Provided(
        changed(lambda b: resource(b, 1).update(status="superseded")), 422, RULE, f"{E}[1].resource.status"
    ),
    "an unknown type": Provided(
        changed(lambda b: resource(b, 1).update(type=make.concept(s.LOINC, "0-0"))),
        422,
        "unknown-code",
        f"{E}[1].resource.type",
    ),
    # the content
    "another hash": Provided(
        changed(lambda b: attachment(b).update(hash=make.sha1(OTHER))),
        422,
        "hash-mismatch",
        f"{E}[1].resource.content[0].attachment.hash",
    ),
    "another size": Provided(
        changed(lambda b: attachment(b).update(size=1)),
        422,
        "size-mismatch",
        f"{E}[1].resource.content[0].attachment.size",
    ),
    "another content type": Provided(
        changed(lambda b: attachment(b).update(contentType="application/pdf")),
        422,
        "content-mismatch",
        f"{E}[1].resource.content[0].attachment.contentType",
    ),
    "no bytes": Provided(
        changed(lambda b: resource(b, 2).pop("data")), 422, "content-missing", f"{E}[2].resource.data"
    ),
    # the patient
    "two patients": Provided(
        changed(lambda b: resource(b, 1).update(subject={"reference": f"Patient/{'a' * 26}"})),
        422,
        "wrong-patient",
        f"{E}[1].resource.subject",
    ),
    "no patient": Provided(changed(lambda b: [resource(b, n).pop("subject") for n in (0, 1)], "minimal"), 422, RULE, E),
    "a patient whom nobody knows": Provided(
        changed(lambda b: [resource(b, n).update(subject={"reference": f"Patient/{'0' * 26}"}) for n in (0, 1)]),
        404,
        "no-record",
    ),
    "a subject that is no patient": Provided(
        changed(lambda b: resource(b, 1).update(subject={"reference": "Group/1"})),
        422,
        UNKNOWN,
        f"{E}[1].resource.subject",
    ),
    "a source that is another person": Provided(
        changed(lambda b: resource(b, 1)["contained"][1]["identifier"][0].update(value=bodies.new_ins())),
        422,
        "ins-mismatch",
        f"{E}[1].resource",
    ),
    "a Patient entry that is somebody else": Provided(
        lambda w: (
            with_patient(w, method="GET", url=f"Patient/{'a' * 26}", identifier=None)
            | {"meta": {"profile": [LEVELS["pdsm"]]}}
        ),
        404,
        "no-record",
    ),
    "a Patient entry of two people": Provided(
        lambda w: with_patient(w, method="PUT", url=f"Patient?identifier={make.INS_SYSTEM}|{bodies.new_ins()}"),
        422,
        "wrong-patient",
        f"{E}[3].request.url",
    ),
    # the record
    "one unique id for two documents": Provided(twice, 409, "duplicate-unique-id", f"{E}[3].resource.masterIdentifier"),
    "a unique id that is taken": Provided(
        lambda w: bundle(w, *document(w, OTHER, masterIdentifier=w.own_identifier)),
        409,
        "duplicate-unique-id",
        f"{E}[1].resource.masterIdentifier",
    ),
    "a name of a folder that is taken": Provided(
        lambda w: in_a_folder(w, identifier=[w.folder_identifier]),
        409,
        "duplicate-unique-id",
        f"{E}[3].resource.identifier",
    ),
    "a replacement of what is replaced": Provided(
        relating("replaces", lambda w: f"DocumentReference/{w.superseded}"),
        409,
        "not-current",
        f"{E}[1].resource.relatesTo",
    ),
    "a replacement of nothing": Provided(
        relating("replaces", lambda w: f"DocumentReference/{w.nowhere}"),
        422,
        UNKNOWN,
        f"{E}[1].resource.relatesTo",
    ),
    "a replacement of what is hidden": Provided(
        relating("replaces", lambda w: f"DocumentReference/{w.hidden}"),
        422,
        UNKNOWN,
        f"{E}[1].resource.relatesTo",
    ),
    "a replacement of somebody else's": Provided(
        relating("replaces", lambda w: f"DocumentReference/{w.theirs}"),
        403,
        "not-authorised",
        f"{E}[1].resource.relatesTo",
    ),
    "an addendum to nothing": Provided(
        relating("appends", lambda w: f"DocumentReference/{w.nowhere}"),
        422,
        UNKNOWN,
        f"{E}[1].resource.relatesTo[0].target",
    ),
    "an addendum to what is hidden": Provided(
        relating("appends", lambda w: f"DocumentReference/{w.hidden}"),
        422,
        UNKNOWN,
        f"{E}[1].resource.relatesTo[0].target",
    ),
    "a signature of a document elsewhere": Provided(
        relating("signs", lambda w: f"DocumentReference/{w.elsewhere}"),
        422,
        UNKNOWN,
        f"{E}[1].resource.relatesTo[0].target",
    ),
    "a patch of nothing": Provided(
        lambda w: bundle(w, *document(w), superseding(f"DocumentReference/{w.nowhere}")),
        422,
        UNKNOWN,
        f"{E}[3].resource",
    ),
    "a patch that deletes": Provided(
        lambda w: bundle(w, *document(w), _deleting(superseding(f"DocumentReference/{w.own}"))),
        422,
        RULE,
        f"{E}[3].resource.parameter",
    ),
    "a folder of a document elsewhere": Provided(
        lambda w: bundle(w, *(d := document(w)), folder(w, d[0]["fullUrl"], f"DocumentReference/{w.elsewhere}")),
        422,
        UNKNOWN,
        f"{E}[3].resource.entry[1].item",
    ),
    "a folder that is not there": Provided(
        lambda w: in_a_folder(w, method="PUT", url=f"List/{w.nowhere}"),
        422,
        UNKNOWN,
        f"{E}[3].request.url",
    ),
}


def _deleting(entry: Json) -> Json:
    entry["resource"]["parameter"][0]["part"][2]["valueCode"] = "entered-in-error"
    return entry

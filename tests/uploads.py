"""Uploads as a client makes them: announced, sent past every function, told by the bucket, looked at by the scanner."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote, urlsplit

from dmp.adapters import aws
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, FedRecord

UPLOAD = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-upload"
UPLOAD_ERROR = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-upload-error"

type Json = dict[str, Any]


def announcement(record: str, content: bytes = bodies.PDF, attachment: Json | None = None, **elements: Any) -> Json:
    """A DocumentReference that announces bytes and does not bring them."""
    described = {"data": None, "size": len(content), "hash": bodies.sha1(content), **(attachment or {})}
    return bodies.document(record, content, attachment=described, **elements)


def cda_announcement(record: str, content: bytes, **elements: Any) -> Json:
    """What little is said of a CDA, which says the rest itself."""
    attachment = {"contentType": "text/xml", "size": len(content), "hash": bodies.sha1(content)}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": f"Patient/{record}"},
        "content": [{"attachment": attachment}],
        **elements,
    }


def extension(resource: Json, url: str = UPLOAD) -> Json:
    """The extension of this URL; empty where there is none."""
    return next((one for one in resource.get("extension", ()) if one["url"] == url), {})


def error(resource: Json) -> str:
    """The code of why an upload failed."""
    return str(extension(resource, UPLOAD_ERROR).get("valueString", "")).partition(":")[0]


@dataclass(frozen=True)
class Upload:
    """A document that was announced."""

    record: FedRecord
    answer: Response
    content: bytes
    as_: Requester

    @property
    def id(self) -> str:
        return self.answer.id

    @property
    def key(self) -> str:
        """Where the address that was given leads."""
        [address] = [part["valueUrl"] for part in extension(self.answer.json)["extension"] if part["url"] == "url"]
        return unquote(urlsplit(address).path).lstrip("/").removeprefix(f"{self.bucket}/")

    @property
    def bucket(self) -> str:
        return self.record.stores["DOCUMENTS_BUCKET"]

    def send(self, content: bytes | None = None) -> Json:
        """Store bytes as the presigned PUT does; the event that the bucket sends."""
        put = aws.client("s3").put_object(
            Bucket=self.bucket,
            Key=self.key,
            Body=self.content if content is None else content,
            ContentType=self.answer.json["content"][0]["attachment"]["contentType"],
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self.record.stores["DATA_KEY"],
        )
        return arrival(self.bucket, self.key, put["VersionId"])

    def complete(self, content: bytes | None = None) -> list[str]:
        """Send the bytes and let the bucket tell; the ids of the messages that are to come again."""
        return tell(self.record.api, self.send(content))

    def read(self, as_: Requester | None = None) -> Response:
        return self.record.api.get(f"/fhir/DocumentReference/{self.id}", as_=as_ or self.as_)

    @property
    def error(self) -> str:
        """Why it failed, as its depositor is told."""
        return error(self.read().json)

    def versions(self) -> list[str]:
        """What the bucket holds of it, deleted or not."""
        return versions(self.bucket, self.key)


def versions(bucket: str, key: str) -> list[str]:
    """Every version and delete marker under a key."""
    page = aws.client("s3").list_object_versions(Bucket=bucket, Prefix=key)
    return [one["VersionId"] for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]


def announce(record: FedRecord, content: bytes = bodies.PDF, as_: Requester = AUTHOR, **elements: Any) -> Upload:
    """Announce a document."""
    answer = record.api.post("/fhir/DocumentReference", announcement(record.id, content, **elements), as_=as_)
    assert answer.status == 201, answer.body
    return Upload(record, answer, content, as_)


def uploaded(record: FedRecord, content: bytes = bodies.PDF, as_: Requester = AUTHOR, **elements: Any) -> str:
    """Announce a document and bring it; its id."""
    upload = announce(record, content, as_, **elements)
    assert upload.complete() == []
    return upload.id


def arrival(bucket: str, key: str, version: str) -> Json:
    """What the bucket tells of a new object."""
    told = {"key": quote_plus(key), "size": 1, "versionId": version}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": told}}]}


def verdict(event: Json, result: str = "NO_THREATS_FOUND") -> Json:
    """What EventBridge tells of the scan of the object that an event is about."""
    [told] = event["Records"]
    key, version = told["s3"]["object"]["key"], told["s3"]["object"]["versionId"]
    place = {"bucketName": told["s3"]["bucket"]["name"], "objectKey": unquote(key), "versionId": version}
    detail = {"s3ObjectDetails": place, "scanResultDetails": {"scanResultStatus": result}}
    return {"detail-type": "GuardDuty Malware Protection Object Scan Result", "detail": detail}


def tell(api: ApiClient, *events: Json | str) -> list[str]:
    """Hand events over as the queue does, in one batch; the numbers of those that are to come again come back."""
    told = [one if isinstance(one, str) else json.dumps(one) for one in events]
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(told)]
    answer = api.run("UploadsReceived", {"Records": records})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

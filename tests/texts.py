"""Documents with a text, as their software writes them, and the function that reads them behind their deposit."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.resources import ACCOUNT, REGION
from tests import uploads
from tests.api_client import ApiClient
from tests.cda_factories import embedding, narrated
from tests.fed_record import FedRecord

RTF = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\*\generator Mot;}\f0 Suivi d'une scl\'e9rose\par}"
PLAIN = "Suivi d'une sclérose en plaques".encode("cp1252")

type Json = dict[str, Any]


def pdf(*pages: str, content: bytes | None = None) -> bytes:
    """A PDF with a line of text on each page, or with pages of this content."""
    texts = [b"BT /F1 12 Tf 72 700 Td (" + page.encode("cp1252") + b") Tj ET" for page in pages]
    streams = texts or [content or b""]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * place) for place in range(len(streams)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(streams), kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for place, stream in enumerate(streams):
        of_page = b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
        objects += [of_page % (5 + 2 * place), b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream)]
    return _written(objects)


def flate_pdf(content: bytes) -> bytes:
    """A PDF of one page, whose content is compressed already."""
    plain = pdf(content=content)
    return plain.replace(b"<</Length", b"<</Filter/FlateDecode/Length", 1)


def _written(objects: list[bytes]) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + tail


def level_1(content: bytes, media_type: str = "application/pdf") -> bytes:
    """A CDA whose body is a file."""
    return embedding(content, media_type)


def level_3(narrative: str) -> bytes:
    """A CDA with a narrative."""
    return narrated(narrative)


def told_by_bucket(record: FedRecord, document: str) -> Json:
    """What the bucket tells of the bytes of an inline document."""
    return uploads.arrival(record.stores["DOCUMENTS_BUCKET"], f"documents/{document.replace('.', '/')}", "1")


def read(api: ApiClient, *bodies: Mapping[str, Any] | str) -> list[str]:
    """Hand messages over as the queue does; the numbers of those that are to come again come back."""
    told = [one if isinstance(one, str) else json.dumps(one) for one in bodies]
    attributes = {"ApproximateReceiveCount": "1"}
    records = [
        {"messageId": str(number), "body": body, "receiptHandle": "none", "attributes": attributes}
        for number, body in enumerate(told)
    ]
    answer = api.run("Extractions", {"Records": records})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def queued(url: str) -> list[str]:
    """The messages that wait in a queue, which are all taken out at once: other tests leave thousands there."""
    queue = _queue(url)
    found = {one.id: str(one.body) for one in queue.messages}
    queue._messages[:] = [one for one in queue._messages if one.id not in found]
    return list(found.values())


def emptied(url: str) -> None:
    """Leave nothing in a queue of what other tests put there."""
    _queue(url)._messages.clear()


def _queue(url: str) -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[ACCOUNT][REGION].get_queue(url.rpartition("/")[2])


def item_of(record: FedRecord, document: str, prefix: str = "T#") -> Json | None:
    """What is kept beside the entry of a document: its words (`T#`), or what it offers (`EX#`)."""
    local = document.partition(".")[2]
    found = [one for one in record.items() if one["sk"]["S"].startswith(prefix)]
    return next((one for one in found if one["local"]["S"] == local), None)

"""Damaged CDA: whatever is read of them, nothing but our own refusals comes back, and pages stay pages."""

import random
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest

from dmp.cda.admission import examined
from dmp.cda.body import embedded
from dmp.cda.extraction import extract
from dmp.cda.rendering import html_of
from dmp.cda.sections import sections_of
from dmp.cda.text import text_of
from dmp.domain.errors import Invalid, TooLarge
from dmp.fhir.generated_metadata import generated
from infra.local import demo_documents
from infra.local.demo_documents import DemoPatient
from tests.bodies import PDF, parameters
from tests.cda_factories import embedding
from tests.xss_payloads import PAYLOADS

TIMES = 400
PATIENT = DemoPatient("279035121518989", "1.2.250.1.213.1.4.10", "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")
AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
SOUND = {
    "letter": demo_documents.discharge_letter(PATIENT, "2.25.1.1", AT, version=2, replaces="2.25.1.9"),
    "synthesis": demo_documents.medical_synthesis(PATIENT, "2.25.2.1", AT),
    "wrapped": demo_documents.wrapped_consultation(PATIENT, "2.25.3.1", AT),
    "level 1": embedding(PDF),
}
PIECES = [
    *(b"<", b">", b"/>", b"&", b'"', b"'", b"=", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"]]>", b"<!--"),
    *(b"<![CDATA[", b"<?x?>", b"<!DOCTYPE a>", b"&#0;", b"&#x110000;", b"&amp;", b"<text>", b"</text>", b"<section>"),
    *(b'nullFlavor="UNK"', b'root=""', b'value="99999999"', b'value="-1"', b'extension="%s"' % (b"9" * 300)),
    *(b'codeSystem="a b"', b'code=" "', b'representation="B64"', b'mediaType="a/b;c"', b"\xe2\x80\xae", b"\xc2\x85"),
    *(b"<component><structuredBody>", b'xmlns="urn:x"', b'xsi:nil="true"', b"9" * 400, *map(str.encode, PAYLOADS[:20])),
]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A few pieces cut out, doubled, or put where they do not belong."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content))
        end = min(len(content), start + chance.choice((0, 1, 3, 20, 200)))
        piece = chance.choice((b"", chance.choice(PIECES), content[start:end] * 2, chance.randbytes(3)))
        content = content[:start] + piece + content[end:]
    return content


def described(content: bytes) -> object:
    binary = {"resourceType": "Binary", "contentType": "text/xml", "data": b64encode(content).decode()}
    return generated(parameters(document={"resource": binary}), examined)


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize(
    "read",
    [examined, embedded, sections_of, html_of, described, extract, text_of],
    ids=lambda read: read.__name__,
)
def test_a_damaged_document_is_read_or_refused(name: str, read: Callable[[bytes], object]) -> None:
    chance = random.Random(f"{name} {read.__name__}")

    for _ in range(TIMES):
        content = damaged(SOUND[name], chance)
        with suppress(Invalid, TooLarge):
            read(content)

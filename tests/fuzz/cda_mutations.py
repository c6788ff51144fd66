"""CDA documents spoilt at random: bytes, tags, attributes, the order of things."""

import re
from random import Random

_TAG = re.compile(rb"<[^<>]{1,400}>")
_ATTRIBUTE = re.compile(rb'([\w:]+)="([^"<>]{0,200})"')
_NAMES = (
    b"id",
    b"text",
    b"section",
    b"component",
    b"recordTarget",
    b"ClinicalDocument",
    b"table",
    b"a:b",
    b"xsl:if",
    b"script",
)
_VALUES = (
    b"", b" ", b"1.2.3", b"1..2", b"9" * 300, b"20261301", b"2026", b"99999999999999", b"20260101120000+9999",
    b"&amp;", b"UNK",
    b"2.16.840.1.113883.6.1", b"urn:oid:1.2", b"\xc3\xa9" * 40, b"javascript:alert(1)", b"application/pdf", b"B64",
    b"RPLC",
    b"XFRM", b"#a", b"http://[", b"\xe2\x80\xae", b"-1", b"1e9", b"true",
)  # fmt: skip
_PIECES = (
    b"<", b">", b"&", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"&nbsp;", b"&#0;", b"&#x202e;", b"<!DOCTYPE a>",
    b"<?xml?>", b"\x00",
    b"\xff", b"\xc3", b"<a>" * 150, b'<a xmlns="http://www.w3.org/1999/xhtml"/>', b"<?xml-stylesheet href='a'?>",
    b"<br/>",
    b'<id root="1.2.250.1.213.1.4.10" extension="1"/>',
    b'<text mediaType="application/pdf" representation="B64">!</text>',
    b'<renderMultiMedia referencedObject="a"/>', b'<linkHtml href="javascript:a()">a</linkHtml>', b'<content ID="a"/>',
    b'<td rowspan="99999999" colspan="-1">a</td>', b"<nonXMLBody><text>a</text></nonXMLBody>",
    b'<reference value="#a"/>',
)  # fmt: skip


def spoilt(document: bytes, chance: Random) -> bytes:
    """A copy with one to four things wrong, or perhaps none that matters."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        document = chance.choice(_WAYS)(document, chance) or b" "
    return document


def _bytes(document: bytes, chance: Random) -> bytes:
    changed = bytearray(document)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(document: bytes, chance: Random) -> bytes:
    begin, end = sorted(chance.choices(range(len(document) + 1), k=2))
    return document[:begin] + document[min(end, begin + chance.choice((9, 90, 9_000))) :]


def _repeat(document: bytes, chance: Random) -> bytes:
    begin = chance.randrange(len(document))
    piece = document[begin : begin + chance.choice((9, 90, 900))]
    return document[:begin] + piece * chance.choice((2, 2, 30)) + document[begin:]


def _insert(document: bytes, chance: Random) -> bytes:
    tags = list(_TAG.finditer(document))
    at = chance.choice(tags).end() if tags else 0
    return document[:at] + chance.choice(_PIECES) + document[at:]


def _value(document: bytes, chance: Random) -> bytes:
    return _replaced(document, _ATTRIBUTE, 2, chance.choice(_VALUES), chance)


def _attribute(document: bytes, chance: Random) -> bytes:
    name = chance.choice((b"root", b"extension", b"code", b"value", b"nullFlavor", b"xmlns", b"xsi:type", b"mediaType"))
    return _replaced(document, _ATTRIBUTE, 1, name, chance)


def _element(document: bytes, chance: Random) -> bytes:
    """One kind of element gets the name of another, at its beginning and at its end."""
    tags = _TAG.findall(document)
    names = sorted({found[0] for tag in tags if (found := re.findall(rb"^<(\w+)", tag))})
    if not names:
        return document
    return re.sub(rb"(</?)%s(?=[\s>/])" % chance.choice(names), rb"\g<1>" + chance.choice((*_NAMES, *names)), document)


def _without(document: bytes, chance: Random) -> bytes:
    """One element is left out, whole if it is simple, else its tag alone."""
    tags = list(_TAG.finditer(document))
    if not tags:
        return document
    found = chance.choice(tags)
    return document[: found.start()] + document[found.end() :]


def _moved(document: bytes, chance: Random) -> bytes:
    tags = list(_TAG.finditer(document))
    if len(tags) < 2:
        return document
    one, other = sorted(chance.sample(tags, 2), key=lambda tag: tag.start())
    return b"".join(
        (document[: one.start()], other[0], document[one.end() : other.start()], one[0], document[other.end() :])
    )


def _replaced(document: bytes, pattern: re.Pattern[bytes], group: int, by: bytes, chance: Random) -> bytes:
    found = list(pattern.finditer(document))
    if not found:
        return document
    place = chance.choice(found)
    return document[: place.start(group)] + by + document[place.end(group) :]


_WAYS = (_bytes, _cut, _repeat, _insert, _insert, _value, _value, _value, _attribute, _element, _without, _moved)

"""PDF files written object by object, with a cross-reference table that is right."""

import zlib
from collections.abc import Mapping, Sequence

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
TEXT = b"BT /F1 11 Tf 56 780 Td (Compte rendu de consultation) Tj ET\n"


def pdf(
    changes: Mapping[int, bytes] | None = None, *, root: bytes = b"", trailer: bytes = b"", head: bytes = b""
) -> bytes:
    """A PDF of one page; `root` and `trailer` are more entries, `changes` more or other objects by their number."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % root,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: PAGE,
        4: stream(TEXT),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        **(changes or {}),
    }
    return written(HEADER + head, objects, trailer)


def written(start: bytes, objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """What comes before, objects, table and trailer; `start` may be a whole file: then this is an update of it."""
    content, table = start, b"xref\n0 1\n0000000000 65535 f \n"
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(content))
    return content + table + end


def stream(data: bytes, entries: bytes = b"", *, length: int | None = None) -> bytes:
    """A stream, as it is."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data) if length is None else length, entries, data)


def object_stream(
    objects: Sequence[tuple[int, bytes]], entries: bytes = b"/Type /ObjStm", filters: bytes = b"/Filter /FlateDecode"
) -> bytes:
    """An object stream, compressed with Flate."""
    offsets, body = [], b""
    for number, text in objects:
        offsets.append(b"%d %d" % (number, len(body)))
        body += text + b" "
    header = b" ".join(offsets) + b" "
    return stream(
        zlib.compress(header + body), b"%s /N %d /First %d %s" % (entries, len(objects), len(header), filters)
    )


def modern(*objects: tuple[int, bytes], root: bytes = b"") -> bytes:
    """A PDF 1.5: catalogue and pages in an object stream, a cross-reference stream instead of a table."""
    inner = [
        (1, b"<< /Type /Catalog /Pages 2 0 R %s >>" % root),
        (2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        (3, PAGE),
        *objects,
    ]
    content = HEADER
    places = {}
    for number, body in ((4, stream(zlib.compress(TEXT), b"/Filter /FlateDecode")), (20, object_stream(inner))):
        places[number] = len(content)
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(bytes([1]) + place.to_bytes(3) + b"\x00" for place in places.values())
    entries = b"/Type /XRef /Size 22 /W [1 3 1] /Index [4 1 20 1] /Root 1 0 R /Filter /FlateDecode"
    return content + b"21 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        stream(zlib.compress(table), entries),
        len(content),
    )

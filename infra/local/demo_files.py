"""Files of the demonstration that are no XML: a minimal PDF and an RTF note, written without any library."""

from collections.abc import Sequence

_RTF_START = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Helvetica;}}\f0\fs22"
_TOP, _LEADING, _LINES_A_PAGE = 780, 16, 46


def pdf(lines: Sequence[str]) -> bytes:
    """A valid PDF 1.4 of one A4 page with lines of text (Helvetica, Windows-1252)."""
    fonts = b"<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (fr-FR) >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % fonts,
        _stream(_page(lines[:_LINES_A_PAGE])),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _file(objects)


def _page(lines: Sequence[str]) -> bytes:
    shown = b"".join(b"(%s) Tj T*\n" % _pdf_text(line) for line in lines)
    return b"BT\n/F1 11 Tf\n%d TL\n56 %d Td\n%sET\n" % (_LEADING, _TOP, shown)


def _pdf_text(line: str) -> bytes:
    escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return escaped.encode("cp1252", "replace")


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%sendstream" % (len(data), data)


def _file(objects: Sequence[bytes]) -> bytes:
    content = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, entries)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return content + table + trailer


def rtf(lines: Sequence[str]) -> bytes:
    """An RTF document with a paragraph a line."""
    paragraphs = "".join(f"{_rtf_text(line)}\\par\n" for line in lines)
    return f"{_RTF_START}\n{paragraphs}}}".encode("ascii")


def _rtf_text(line: str) -> str:
    escaped = line.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}")
    return "".join(char if char.isascii() else f"\\u{ord(char)}?" for char in escaped)

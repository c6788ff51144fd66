"""Archives, programs and pages under the name of a document."""

import gzip
import io
import tarfile
import zipfile

from tests.hostile.hostile_file import MISMATCH, HostileFile


def archive(name: str = "letter.txt", content: bytes = b"Bonjour") -> bytes:
    """A ZIP of one file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def program() -> bytes:
    """As much of a Windows program as tells one."""
    stub = b"\x0e\x1f\xba\x0e\x00\xb4\x09\xcd!\xb8\x01L\xcd!This program cannot be run in DOS mode.\r\r\n$"
    return b"MZ\x90\x00".ljust(60, b"\x00") + b"\x80\x00\x00\x00" + stub.ljust(64, b"\x00") + b"PE\x00\x00d\x86"


def _tar() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as opened:
        opened.addfile(tarfile.TarInfo("../../etc/passwd"))
    return written.getvalue()


def _nested() -> bytes:
    inner = archive("zeros", bytes(5_000_000))
    for _ in range(5):
        inner = archive("inner.zip", inner)
    return inner


_PDF, _TEXT, _XML, _JPEG = "application/pdf", "text/plain", "text/xml", "image/jpeg"

ARCHIVE_FILES = (
    HostileFile("an archive called PDF", _PDF, archive(), MISMATCH),
    HostileFile("an archive in an archive called PDF", _PDF, _nested(), MISMATCH),
    HostileFile("an archive with a way out called text", _TEXT, archive("../../a"), MISMATCH),
    HostileFile("a letter of an office called RTF", "text/rtf", archive("word/document.xml"), MISMATCH),
    HostileFile("an archive called what it is", "application/zip", archive(), "unsupported-content"),
    HostileFile("a compressed file called text", _TEXT, gzip.compress(bytes(9_000_000), mtime=0), MISMATCH),
    HostileFile("a tape archive called DICOM", "application/dicom", _tar(), MISMATCH),
    HostileFile("an archive of 7-Zip called PDF", _PDF, b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), MISMATCH),
    HostileFile("an archive of RAR called JPEG", _JPEG, b"Rar!\x1a\x07\x01\x00" + bytes(40), MISMATCH),
    HostileFile("a program of Windows called PDF", _PDF, program(), MISMATCH),
    HostileFile("a program of Linux called PDF", _PDF, b"\x7fELF\x02\x01\x01" + bytes(60), MISMATCH),
    HostileFile("a program in Java called JPEG", _JPEG, b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(40), MISMATCH),
    HostileFile(
        "an old letter of an office called RTF", "text/rtf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), MISMATCH
    ),
    HostileFile("a page called PDF", _PDF, b"<!DOCTYPE html><html><script>alert(1)</script></html>", MISMATCH),
    HostileFile("a page called XML", _XML, b"<html><script>alert(1)</script></html>", MISMATCH),
    HostileFile(
        "a drawing called PNG", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='a()'/>", MISMATCH
    ),
    HostileFile("a drawing called what it is", "image/svg+xml", b"<svg onload='a()'/>", "unsupported-content"),
    HostileFile("a PDF called JPEG", _JPEG, b"%PDF-1.4\n%%EOF\n", MISMATCH),
)

"""Hostile images and DICOM files: something behind, within or before the image; and the plain ones they are made of."""

import zlib

from tests.hostile.archive_files import archive, program
from tests.hostile.hostile_file import HostileFile
from tests.hostile.pdf_files import ALERT
from tests.hostile.pdf_writer import pdf

_PHP = b"<?php system($_GET['a']); ?>"
_SCRIPT = b"<script>alert(1)</script>"
_BLOB = bytes(range(1, 251)) * 4


def _segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + (len(data) + 2).to_bytes(2) + data


def jpeg(*segments: tuple[int, bytes], width: int = 16, height: int = 16) -> bytes:
    """A JPEG by its structure: no decoder would see more than noise in it."""
    frame = b"\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00"
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"),
            *(_segment(marker, data) for marker, data in segments),
            _segment(0xDB, bytes(65)),
            _segment(0xC0, frame),
            _segment(0xC4, bytes(17)),
            _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            b"\x12\xff\x00\x34\xff\xd0\x56" * 40,
            b"\xff\xd9",
        )
    )


def png(*chunks: tuple[bytes, bytes], width: int = 16, height: int = 16) -> bytes:
    """A grey PNG."""
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(b"".join(b"\x00" + bytes(16) for _ in range(16)))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def tiff(description: bytes = b"Radiographie") -> bytes:
    """A grey TIFF with a description."""
    text = description + b"\x00"
    fields = (
        (256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (270, 2, len(text), 122), (273, 4, 1, 122 + len(text)), (278, 3, 1, 8), (279, 4, 1, 64),
    )  # fmt: skip
    listed = b"".join(tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little")
                      + value.to_bytes(4, "little") for tag, kind, count, value in fields)  # fmt: skip
    start = b"II*\x00\x08\x00\x00\x00" + len(fields).to_bytes(2, "little") + listed + bytes(4)
    return start + text + bytes(64)


def dicom(preamble: bytes = b"", *elements: bytes) -> bytes:
    """A DICOM file: preamble, mark, and elements of explicit length."""
    return preamble.ljust(128, b"\x00") + b"DICM" + b"".join(elements)


def element(group: int, number: int, kind: bytes, data: bytes) -> bytes:
    """An element with a long length (OB, UT)."""
    tag = group.to_bytes(2, "little") + number.to_bytes(2, "little")
    return tag + kind + b"\x00\x00" + len(data).to_bytes(4, "little") + data


_JPEG, _PNG, _TIFF, _DICOM = "image/jpeg", "image/png", "image/tiff", "application/dicom"

IMAGE_FILES = (
    HostileFile("an archive behind a JPEG", _JPEG, jpeg() + archive()),
    HostileFile("a program in Java behind a JPEG", _JPEG, jpeg() + archive("META-INF/MANIFEST.MF", b"Main-Class: A")),
    HostileFile("an archive of RAR behind a JPEG", _JPEG, jpeg() + b"Rar!\x1a\x07\x01\x00" + bytes(40)),
    HostileFile("a program behind a JPEG", _JPEG, jpeg() + program()),
    HostileFile("anything behind a JPEG", _JPEG, jpeg() + _BLOB),
    HostileFile("anything behind the second of two JPEGs", _JPEG, jpeg() + jpeg() + _BLOB),
    HostileFile("a PDF behind a JPEG", _JPEG, jpeg() + pdf()),
    HostileFile("a script of a server in the comment of a JPEG", _JPEG, jpeg((0xFE, _PHP))),
    HostileFile("a script in the metadata of a JPEG", _JPEG, jpeg((0xE1, b"Exif\x00\x00" + _SCRIPT))),
    HostileFile("a JPEG of a billion pixels", _JPEG, jpeg(width=65_000, height=65_000)),
    HostileFile("an archive behind a PNG", _PNG, png() + archive()),
    HostileFile("anything behind a PNG", _PNG, png() + _BLOB),
    HostileFile("a script in the text of a PNG", _PNG, png((b"tEXt", b"Comment\x00" + _SCRIPT))),
    HostileFile("a script of a server in a PNG", _PNG, png((b"tEXt", b"Title\x00" + _PHP))),
    HostileFile("a PNG of a billion pixels", _PNG, png(width=100_000, height=100_000)),
    HostileFile("a PNG that is a DICOM file", _PNG, png((b"tEXt", bytes(87) + b"DICM"))),
    HostileFile("a script in the description of a TIFF", _TIFF, tiff(_SCRIPT)),
    HostileFile("a script of a server in a TIFF", _TIFF, tiff(_PHP)),
    HostileFile("an archive of 7-Zip behind a TIFF", _TIFF, tiff() + b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40)),
    HostileFile("a cabinet behind a TIFF", _TIFF, tiff() + b"MSCF\x00\x00\x00\x00" + bytes(40)),
    HostileFile("a program of Windows before a DICOM file", _DICOM, dicom(program()[:128])),
    HostileFile("a program of Linux before a DICOM file", _DICOM, dicom(b"\x7fELF\x02\x01\x01")),
    HostileFile("a shell script before a DICOM file", _DICOM, dicom(b"#!/bin/sh\nrm -rf /\nexit\n")),
    HostileFile("a page in a DICOM file", _DICOM, dicom(b"", element(0x0011, 0x1010, b"UT", b"<html>" + _SCRIPT))),
    HostileFile("a PDF with a script in a DICOM file", _DICOM,
                dicom(b"", element(0x0042, 0x0011, b"OB", pdf(root=b"/OpenAction " + ALERT)))),
    HostileFile("an archive behind a DICOM file", _DICOM, dicom() + archive()),
)  # fmt: skip

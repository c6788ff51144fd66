"""A ZIP file that depends on names and bytes alone: no moments, owners or modes, one order, one compressor.

The compressor is libdeflate, pinned: 4 % smaller than zlib, whose bytes differ from one build of Python to the next.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from deflate import deflate_compress

LEVEL = 12
"""libdeflate's best."""
_VERSION, _UTF_8, _DEFLATED = 20, 0x800, 8
_MIDNIGHT, _FIRST_OF_1980 = 0, 0x21
_ON_UNIX = 3 << 8
_READABLE = 0o100644 << 16


def zipped(folder: Path) -> bytes:
    """The files of a folder, in the order of their names, readable by everybody."""
    parts, directory, at = [], [], 0
    for name, content in _files(folder):
        packed = deflate_compress(content, LEVEL)
        fields = (
            _UTF_8,
            _DEFLATED,
            _MIDNIGHT,
            _FIRST_OF_1980,
            zlib.crc32(content),
            len(packed),
            len(content),
            len(name),
        )
        entry = struct.pack("<4s5H3I2H", b"PK\x03\x04", _VERSION, *fields, 0) + name + packed
        head = struct.pack("<4s6H3I", b"PK\x01\x02", _ON_UNIX | _VERSION, _VERSION, *fields[:-1])
        directory.append(head + struct.pack("<5H2I", len(name), 0, 0, 0, 0, _READABLE, at) + name)
        parts.append(entry)
        at += len(entry)
    return b"".join([*parts, *directory, _end(directory, at)])


def _end(directory: Iterable[bytes], at: int) -> bytes:
    entries = list(directory)
    return struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(entries), len(entries), sum(map(len, entries)), at, 0)


def _files(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    named = {path.relative_to(folder).as_posix().encode(): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(named.items()):
        yield name, path.read_bytes()

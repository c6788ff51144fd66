"""Takes out of shared objects (ELF) what the loader never reads: symbols for debuggers, and the table of sections."""

import struct
from pathlib import Path

MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian: what both processors of Lambda run."""
_SEGMENTS_AT, _SECTIONS_AT, _SEGMENT_SIZE_AT, _SECTION_COUNTS_AT = 0x20, 0x28, 0x36, 0x3A
_LOADED = 1


def strip(package: Path) -> None:
    """Cut every shared object behind its last segment."""
    for path in sorted(package.rglob("*.so*")):
        path.write_bytes(stripped(path.read_bytes()))


def stripped(content: bytes) -> bytes:
    """A shared object as far as it is loaded; ValueError for what is none."""
    if not content.startswith(MAGIC):
        raise ValueError("not a shared object of 64 bits")
    (at,) = struct.unpack_from("<Q", content, _SEGMENTS_AT)
    size, count = struct.unpack_from("<HH", content, _SEGMENT_SIZE_AT)
    segments = [struct.unpack_from("<IIQQQQ", content, at + index * size) for index in range(count)]
    end = max(offset + length for kind, _, offset, _, _, length in segments if kind == _LOADED)
    kept = bytearray(content[:end])
    struct.pack_into("<Q", kept, _SECTIONS_AT, 0)
    struct.pack_into("<HHH", kept, _SECTION_COUNTS_AT, 0, 0, 0)
    return bytes(kept)

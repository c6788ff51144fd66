"""Signs of a second file within a document: archives, programs, markup of browsers and scripts (polyglots)."""

import re

_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR"
_CENTRAL_DIRECTORY, _END_OF_DIRECTORY = b"PK\x01\x02", b"PK\x05\x06"
# An archive's last record, with the longest comment there may be behind it.
_ARCHIVE_TAIL = 65_557
_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"MSCF\x00\x00\x00\x00", b"\xfd7zXZ\x00", b"1AY&SY")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOS_STUBS = (b"program cannot be run in DOS mode", b"program must be run under Win32")
_ELF = re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01")
_MARKUP = re.compile(
    rb"<(?:script[\s>/]|html[\s>]|!doctype\s+html|iframe[\s>]|svg(?:>|\s+[a-z:]+\s*=)|object\s|embed\s|body[\s>]"
    rb"|\?php\s|hta:|img\s[^<>]{0,512}\son[a-z]{3,20}\s{0,9}=)",
    re.IGNORECASE,
)
_STARTS = (
    *(b"MZ", b"\x7fELF", b"#!", b"PK\x03\x04", b"PK\x05\x06", b"%PDF-", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"{\\rtf"),
    *(b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\x1f\x8b\x08", b"BZh", b"@echo", b"\x00asm"),
)


def archive_or_program(content: bytes) -> str | None:
    """What other file stands anywhere in the bytes and could be opened from there, or None."""
    if _EICAR in content:
        return "the test file of anti-virus software"
    if _is_archive(content):
        return "an archive"
    if any(stub in content for stub in _DOS_STUBS) or _ELF.search(content):
        return "a program"
    return "an OLE file" if _OLE in content else None


def markup(content: bytes, start: int = 0, end: int | None = None) -> str | None:
    """Whether markup that a browser or a server would run stands between two places."""
    found = _MARKUP.search(content, start, len(content) if end is None else end)
    return "markup of a browser, or a script" if found else None


def begins_like_a_file(content: bytes) -> bool:
    """Whether bytes begin as a program, an archive, a script or a document of another kind does."""
    return content.startswith(_STARTS)


def _is_archive(content: bytes) -> bool:
    if any(signature in content for signature in _ARCHIVES):
        return True
    end = content.rfind(_END_OF_DIRECTORY, max(0, len(content) - _ARCHIVE_TAIL))
    return end >= 0 and content.find(_CENTRAL_DIRECTORY, 0, end) >= 0

"""Plain texts that are programs: scripts of shells and of Windows, markup, and encodings that hide it."""

import re

from dmp.domain.foreign_content import markup

_FIRST_LINE = re.compile(
    rb"\s*(?:#!|@echo\s|echo\s+off|rem\s+@|<%|on\s+error\s+resume|option\s+explicit|\[internetshortcut\]"
    rb"|\[desktop\s+entry\]|\[autorun\]|windows\s+registry\s+editor|mime-version:|function\s+\w+\s*\()",
    re.IGNORECASE,
)
# Of letters in lower case: to ignore case is thrice as slow.
_CALLS = re.compile(
    rb"wscript\.(?:shell|network|createobject)|createobject\s*\(\s*[\"']|new\s+activexobject|powershell(?:\.exe)?\s+-"
    rb"|invoke-(?:expression|webrequest)|downloadstring\s*\(|-encodedcommand|\bcmd(?:\.exe)?\s+/c\s|\bmshta\s"
    rb"|rundll32(?:\.exe)?\s|regsvr32(?:\.exe)?\s|certutil(?:\.exe)?\s+-|javascript:\s*\w|vbscript:\s*\w"
    rb"|eval\s*\(\s*(?:atob|base64_decode|unescape|string\.fromcharcode)|document\.(?:write|cookie|location)"
)
_PIECE, _OVERLAP = 1_048_576, 4_096
# `<` and what comes behind it in UTF-7, which old software guesses.
_UTF_7 = re.compile(rb"\+ADw(?:-|A[A-Za-z])")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def text_reason(content: bytes) -> str | None:
    """Why a plain text is refused, or None."""
    if markup(content):
        return "the text holds markup of a browser, or a script"
    if _FIRST_LINE.match(content.removeprefix(_BYTE_ORDER_MARK)) or _calls_a_program(content):
        return "the text is a script, or calls one"
    if _UTF_7.search(content):
        return "the text hides markup in UTF-7"
    return None


def _calls_a_program(content: bytes) -> bool:
    pieces = (content[start : start + _PIECE + _OVERLAP] for start in range(0, len(content), _PIECE))
    return any(_CALLS.search(piece.lower()) for piece in pieces)

"""RTF documents that carry or fetch something: objects, fields that include or run, remote templates."""

import re
from collections.abc import Iterator

from dmp.domain.foreign_content import markup

MAX_FIELDS = 50_000
MAX_NESTED = 64

_WORDS = (
    rb"objdata|objemb|objlink|objautlink|objupdate|objocx|objhtml|objsub|objicemb|objclass|object|ddeauto|dde|"
    rb"linkself|passwordhash|filetbl|subdocument"
)
_OBJECT = re.compile(rb"\\(?:" + _WORDS + rb")(?![a-zA-Z])")
_FIELD = re.compile(rb"\\fldinst(?![a-zA-Z])")
_TEMPLATE = re.compile(rb"\\template(?![a-zA-Z])")
_TOKEN = re.compile(
    rb"(?P<brace>[{}])|\\'(?P<hex>[0-9A-Fa-f]{2})|\\u(?P<code>-?\d{1,12})\s?|\\(?P<word>[a-zA-Z]+)-?\d*\s?"
    rb"|\\(?P<symbol>.)|(?P<text>[^\\{}]+)",
    re.DOTALL,
)
_FORBIDDEN_FIELD = re.compile(
    r"\b(?:DDE(?:AUTO)?|INCLUDE(?:TEXT|PICTURE)?|IMPORT|LINK|EMBED|MACROBUTTON|DATABASE|RD|CONTROL|HTMLACTIVEX|SHELL)\b|\bQUOTE\s+\d"
)
_FORBIDDEN_LINK = re.compile(r"(?:JAVASCRIPT|VBSCRIPT|DATA|JAR|MHTML|MS-[A-Z]+|SEARCH-MS|SHELL):")
_REMOTE = re.compile(r"(?:HTTPS?|FTP|FILE|MHTML):|\\\\|//")
# Stands for what no reader writes so: raw bytes, plain letters by their number, fields without end.
_HIDDEN = "\ufdd0"
_HIDING = f" DDE {_HIDDEN}"
_INVISIBLE = dict.fromkeys(range(32))
_PADDING = b"\x00 \t\r\n\x1a"


def rtf_reason(content: bytes) -> str | None:
    """Why an RTF document is refused, or None."""
    if _OBJECT.search(content):
        return "the RTF holds an object, or a link to one"
    if any(_is_forbidden(field) for field in _groups(content, _FIELD)):
        return "a field of the RTF includes, links or runs something"
    if any(_HIDDEN in template or _REMOTE.search(template) for template in _groups(content, _TEMPLATE)):
        return "the RTF takes a template from elsewhere"
    behind = content.rfind(b"}") + 1
    if markup(content, behind) or content[behind : behind + 4].strip(_PADDING)[:2] in (b"MZ", b"PK"):
        return "something stands behind the end of the RTF"
    return None


def _is_forbidden(field: str) -> bool:
    return bool(_FORBIDDEN_FIELD.search(field.partition('"')[0]) or _FORBIDDEN_LINK.search(field))


def _groups(content: bytes, opening: re.Pattern[bytes]) -> Iterator[str]:
    """The text of each group that a control word begins, in upper case; a field within another is one by itself."""
    place = 0
    for _ in range(MAX_FIELDS):
        found = opening.search(content, place)
        if not found:
            return
        texts, place = _group(content, found.end())
        yield from texts
    yield _HIDING


def _group(content: bytes, place: int) -> tuple[list[str], int]:
    """The texts up to the end of the group at a place, and where it ends; raw bytes in it make it a forbidden one."""
    depth, texts = 1, []
    opened: list[tuple[int, list[str]]] = [(1, [])]
    for token in _TOKEN.finditer(content, place):
        place = token.end()
        match token.lastgroup:
            case "brace":
                depth += 1 if token["brace"] == b"{" else -1
                while opened and opened[-1][0] > depth:
                    texts.append(_text(opened.pop()[1]))
            case "word" if token["word"] == b"fldinst":
                opened.append((depth, []))
            case _:
                opened[-1][1].append(_shown(token))
        if depth == 0:
            break
        if len(opened) > MAX_NESTED:
            return [_HIDING], len(content)
    return texts + [_text(pieces) for _, pieces in opened], place


def _text(pieces: list[str]) -> str:
    return "".join(pieces).upper()


def _shown(token: re.Match[bytes]) -> str:
    match token.lastgroup:
        case "hex":
            return chr(int(token["hex"], 16)).translate(_INVISIBLE)
        case "code":
            letter = chr(int(token["code"]) % 0x10000)
            return _HIDING if letter.isascii() else letter
        case "symbol":
            return token["symbol"].decode("latin-1")
        case "text":
            return token["text"].decode("latin-1").translate(_INVISIBLE)
        case "word" if token["word"] in (b"bin", b"u"):
            return _HIDING
        case _:
            return ""

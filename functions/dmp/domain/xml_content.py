"""XML documents that would act in a browser: markup of browsers, scripts, style sheets around no CDA, instructions."""

import re
from collections.abc import Callable
from xml.parsers import expat

_CDA = "urn:hl7-org:v3"
_BROWSER = frozenset(
    {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink/script"}
)
_STYLE = frozenset({"http://www.w3.org/1999/XSL/Transform", "http://www.w3.org/TR/WD-xsl"})
_PROGRAMS = frozenset({"urn:schemas-microsoft-com:xslt", "http://xml.apache.org/xslt", "http://xml.apache.org/xalan"})
# In a style sheet the elements of no namespace become HTML.
_SCRIPT = re.compile(rb"<(?:[\w.-]+:)?(?:script|iframe|embed|applet)[\s>/]", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']\s*(?P<scheme>[a-z][a-z0-9+.-]*):""", re.IGNORECASE)
_WEB = frozenset({"http", "https"})
_CHUNK = 65_536


class _Found(Exception):
    """What ends the reading: the reason to refuse."""


def xml_reason(content: bytes) -> str | None:
    """Why an XML document is refused, or None, also where it cannot be read: that is for who reads it to say.

    XML that is no CDA passes as data (signatures are such): what acts in a browser never does.
    """
    namespaces: set[str] = set()
    try:
        _read(content, namespaces)
    except _Found as found:
        return str(found)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    if namespaces & _STYLE:
        return _style_reason(content, namespaces)
    return None


def _style_reason(content: bytes, namespaces: set[str]) -> str | None:
    if _CDA not in namespaces:
        return "the XML is a style sheet without a CDA document"
    if namespaces & _PROGRAMS or _SCRIPT.search(content):
        return "the style sheet around the CDA holds a script"
    return None


def _read(content: bytes, namespaces: set[str]) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartNamespaceDeclHandler = _collecting(namespaces)
    parser.ProcessingInstructionHandler = _check_instruction
    parser.StartDoctypeDeclHandler = _stop
    for start in range(0, len(content), _CHUNK):
        parser.Parse(content[start : start + _CHUNK], False)
    parser.Parse(b"", True)


def _collecting(namespaces: set[str]) -> Callable[[str | None, str | None], None]:
    def declared(_prefix: str | None, uri: str | None) -> None:
        if uri in _BROWSER:
            raise _Found("the XML holds markup of a browser")
        if uri and len(namespaces) < 1_000:
            namespaces.add(uri)

    return declared


def _check_instruction(target: str, data: str) -> None:
    if target.lower() == "php":
        raise _Found("the XML holds an instruction for a server")
    href = _HREF.search(data)
    if target == "xml-stylesheet" and href and href["scheme"].lower() not in _WEB:
        raise _Found("the XML takes a style sheet from where it may not")


def _stop(_name: str, _system: str | None, _public: str | None, _has_internal: int) -> None:
    raise ValueError("a DOCTYPE is for the reader to refuse")

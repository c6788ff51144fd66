"""XML documents that would act: markup of browsers, style sheets around no CDA, what Windows runs or Office opens.

The last is XML that a program would run, or open as an office document, by its first element, namespaces, instructions.
"""

import re
from collections.abc import Callable
from xml.parsers import expat

_CDA = "urn:hl7-org:v3"
_BROWSER = frozenset(
    {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink/script",
        "http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul",
        "http://www.mozilla.org/xbl",
    }
)
_RUN = frozenset(
    {
        "http://schemas.microsoft.com/developer/msbuild/2003",
        "http://schemas.microsoft.com/windows/2004/02/mit/task",
        "http://schemas.microsoft.com/windows/2009/library",
        "http://schemas.microsoft.com/windows/2009/searchconnector",
        "http://schemas.microsoft.com/winfx/2006/xaml",
        "http://schemas.microsoft.com/winfx/2006/xaml/presentation",
        "urn:schemas-microsoft-com:asm.v1",
        "urn:schemas-microsoft-com:asm.v2",
    }
)
_OFFICE = frozenset(
    {
        "http://schemas.microsoft.com/office/2006/xmlpackage",
        "http://schemas.microsoft.com/office/word/2003/wordml",
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "urn:schemas-microsoft-com:office:spreadsheet",
    }
)
_RUN_OR_OPENED = _RUN | _OFFICE
# Without a namespace: scripts of Windows and their components, projects to build, consoles, Java Web Start.
_RUN_ROOTS = frozenset(
    {"scriptlet", "registration", "component", "package", "job", "project", "mmc_consolefile", "jnlp"}
)
_RUN_INSTRUCTIONS = frozenset({"job", "component", "mso-application"})
_STYLE = frozenset({"http://www.w3.org/1999/XSL/Transform", "http://www.w3.org/TR/WD-xsl"})
_PROGRAMS = frozenset({"urn:schemas-microsoft-com:xslt", "http://xml.apache.org/xslt", "http://xml.apache.org/xalan"})
# In a style sheet the elements of no namespace become HTML.
_SCRIPT = re.compile(rb"<(?:[\w.-]+:)?(?:script|iframe|embed|applet)[\s>/]", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']\s*(?P<scheme>[a-z][a-z0-9+.-]*):""", re.IGNORECASE)
_WEB = frozenset({"http", "https"})
_RUNS = "the XML is one that a program runs, or opens as an office document"
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
    parser.StartElementHandler = _checking_root(parser)
    for start in range(0, len(content), _CHUNK):
        parser.Parse(content[start : start + _CHUNK], False)
    parser.Parse(b"", True)


def _collecting(namespaces: set[str]) -> Callable[[str | None, str | None], None]:
    def declared(_prefix: str | None, uri: str | None) -> None:
        if uri in _BROWSER:
            raise _Found("the XML holds markup of a browser")
        if uri and uri.lower() in _RUN_OR_OPENED:
            raise _Found(_RUNS)
        if uri and len(namespaces) < 1_000:
            namespaces.add(uri)

    return declared


def _checking_root(parser: expat.XMLParserType) -> Callable[[str, dict[str, str]], None]:
    def started(name: str, _attributes: dict[str, str]) -> None:
        parser.StartElementHandler = None
        if name.lower() in _RUN_ROOTS:
            raise _Found(_RUNS)

    return started


def _check_instruction(target: str, data: str) -> None:
    if target.lower() == "php":
        raise _Found("the XML holds an instruction for a server")
    if target.lower() in _RUN_INSTRUCTIONS:
        raise _Found(_RUNS)
    href = _HREF.search(data)
    if target == "xml-stylesheet" and href and href["scheme"].lower() not in _WEB:
        raise _Found("the XML takes a style sheet from where it may not")


def _stop(_name: str, _system: str | None, _public: str | None, _has_internal: int) -> None:
    raise ValueError("a DOCTYPE is for the reader to refuse")

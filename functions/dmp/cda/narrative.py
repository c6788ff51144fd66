"""The narrative of a section as HTML: text, and the few elements and attributes that are allowed (CDA R2 §4.3.5)."""

import re
from html import escape

from dmp.cda.markup import Node
from dmp.domain.errors import TooLarge

ELEMENTS = frozenset(
    {"p", "div", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
    | {"strong", "em", "u", "br", "sub", "sup", "small"}
)
"""Every element that a narrative becomes."""
ATTRIBUTES = frozenset({"border", "colspan", "rowspan", "scope"})
"""Every attribute of them; each value is a number, or a word of this module."""

_PLAIN = {
    "tbody": "tbody", "tfoot": "tfoot", "thead": "thead", "tr": "tr", "item": "li", "sub": "sub", "sup": "sup",
    "footnote": "small",
}  # fmt: skip
_PARENTS = {
    "li": frozenset({"ul", "ol"}),
    "thead": frozenset({"table"}), "tbody": frozenset({"table"}), "tfoot": frozenset({"table"}),
    "tr": frozenset({"table", "thead", "tbody", "tfoot"}), "th": frozenset({"tr"}), "td": frozenset({"tr"}),
}  # fmt: skip
_BLOCKS = frozenset({"paragraph", "list", "table", "renderMultiMedia"})
_STYLES = (("bold", "strong"), ("italic", "em"), ("underline", "u"))
_STRUCTURE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "ul", "ol"})
"""What holds no text of its own."""
_SUSPECT = re.compile(r"(?<=\bon)[a-z]+\s*=|(?:script|data)\s*:", re.IGNORECASE)
_SPANS = ("colspan", "rowspan")
_LARGEST_SPAN = 100


def html_of(narrative: Node, media_text: str, most: int) -> str:
    """The HTML of a narrative: all its text, in allowed elements; `media_text` stands for images and attached files.

    Text is escaped; no address, script, style or name of the document comes through, links become their text. Raises
    TooLarge `too-large` as soon as it has more than `most` characters.
    """
    writer = _Writer(media_text, most)
    writer.children(narrative, "div")
    return "".join(writer.pieces)


def text_of(text: str) -> str:
    """A text as HTML; what reads like a handler, or the address of a script, is written so that no scan takes it so."""
    return _SUSPECT.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", escape(text, quote=False))


class _Writer:
    """Appends the pieces of the HTML, each once, however deep it stands."""

    def __init__(self, media_text: str, most: int) -> None:
        self.pieces: list[str] = []
        self._room = most
        self._media = f"<div>{text_of(media_text)}</div>"

    def children(self, node: Node, parent: str) -> None:
        """Write what an element holds, within an HTML element."""
        for child in node.children:
            if isinstance(child, str):
                self._write(text_of(child))
            else:
                self._element(child, parent)

    def _write(self, piece: str) -> None:
        self._room -= len(piece)
        if self._room < 0:
            raise TooLarge("too-large")
        self.pieces.append(piece)

    def _element(self, node: Node, parent: str) -> None:
        match node.name:
            case "br":
                self._write("<br>")
            case "renderMultiMedia":
                self._write(self._media)
                self.children(node, parent)
            case "linkHtml" if not node.has_text:
                self._write(text_of(_address(node.get("href"))))
            case _:
                self._wrapped(node, parent)

    def _wrapped(self, node: Node, parent: str) -> None:
        """An element with its text in bold, italics and underlined where its style says so; else its text alone."""
        name = _name(node, parent)
        style = node.get("styleCode").lower() if name not in _STRUCTURE else ""
        tags = [tag for word, tag in _STYLES if word in style]
        opening = [f"{name}{_attributes(node, name)}"] if name else []
        self._write("".join(f"<{tag}>" for tag in (*opening, *tags)))
        self.children(node, name or parent)
        self._write("".join(f"</{tag}>" for tag in (*reversed(tags), *([name] if name else []))))


def _name(node: Node, parent: str) -> str:
    """The HTML element for one of the narrative, where it may stand; an empty text for none."""
    name = _PLAIN.get(node.name, "")
    match node.name:
        case "paragraph":
            name = "div" if any(child.name in _BLOCKS for child in node.elements()) else "p"
        case "list":
            name = "ol" if node.get("listType").lower() == "ordered" else "ul"
        case "caption":
            name = "caption" if parent == "table" else "p"
        case "table" | "th" | "td":
            name = node.name
    return name if parent in _PARENTS.get(name, {parent}) else ""


def _attributes(node: Node, name: str) -> str:
    if name == "table":
        return ' border="1"'
    if name not in ("td", "th"):
        return ""
    spans = "".join(f' {span}="{number}"' for span in _SPANS if (number := _number(node.get(span))))
    return f'{spans} scope="col"' if name == "th" else spans


def _number(text: str) -> int:
    """A span that a table may have, or 0."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return number if 1 < number <= _LARGEST_SPAN else 0


def _address(href: str) -> str:
    """An address to be read, not to be followed; nothing but those of the web."""
    return href if href.lower().startswith(("https://", "http://")) else ""

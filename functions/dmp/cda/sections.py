"""The sections of a structured body as data: codes, titles, narratives, and entries for those who will read them."""

from dataclasses import dataclass, field
from datetime import datetime

from dmp.cda.markup import Node, local_name
from dmp.cda.parsing import read
from dmp.cda.timestamp import instant
from dmp.domain import code_lists
from dmp.domain.clinical_document import root_uri
from dmp.domain.document import Coding
from dmp.domain.errors import Invalid

MAX_NARRATIVE_CHARS = 2_000_000
MAX_ENTRY_CHARS = 8_000_000
MAX_SECTIONS = 1_000

_ROOT = ("ClinicalDocument", "component", "structuredBody")
_ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Section:
    """One section; `narrative` is its `text`, `entries` are its `entry` elements, in the document's order."""

    template_ids: tuple[str, ...]
    code: Coding | None
    title: str
    narrative: Node | None = field(repr=False)
    entries: tuple[Node, ...] = field(repr=False)
    sections: tuple["Section", ...] = ()
    is_of_another: bool = False
    """Whether it tells of somebody else than the person, as of the child of a pregnancy."""


@dataclass(frozen=True, slots=True)
class Body:
    """The sections of a document, none where it has no structured body, and when it says it was written."""

    sections: tuple[Section, ...]
    written: datetime | None


def sections_of(content: bytes, *, with_entries: bool = True) -> tuple[Section, ...]:
    """The sections of a CDA; none where it has no structured body. Without entries they cost less to read.

    Raises as `dmp.cda.parsing.read`, and Invalid `xml-too-complex` beyond 1,000 sections or where texts are too long.
    """
    return body_of(content, with_entries=with_entries).sections


def body_of(content: bytes, *, with_entries: bool = True) -> Body:
    """The sections of a CDA and its time. Raises as `sections_of`."""
    tree = _BodyTree(with_entries=with_entries)
    read(content, tree)
    return Body(_sections(tree.body) if tree.body else (), instant(tree.written))


def _sections(parent: Node) -> tuple[Section, ...]:
    """The sections in the components of a body or of a section."""
    found = (section for part in parent.elements("component") for section in part.elements("section"))
    return tuple(map(_section, found))


def _section(node: Node) -> Section:
    title, code = node.first("title"), node.first("code")
    return Section(
        template_ids=tuple(one.get("root") for one in node.elements("templateId") if one.get("root")),
        code=_coding(code) if code else None,
        title=title.content if title else "",
        narrative=node.first("text"),
        entries=tuple(node.elements(_ENTRY)),
        sections=_sections(node),
        is_of_another=node.first("subject") is not None,
    )


def _coding(node: Node) -> Coding | None:
    if not node.get("code"):
        return None
    system = code_lists.canonical_system(root_uri(node.get("codeSystem")))
    return Coding(system, node.get("code"), node.get("displayName"))


class _BodyTree:
    """Keeps the structured body, with its entries where they are wanted."""

    def __init__(self, *, with_entries: bool) -> None:
        self.body: Node | None = None
        self.written = ""
        self._with_entries = with_entries
        self._way = 0
        self._passed_over = 0
        self._open: list[Node] = []
        self._entry_depth = 0
        self._sections = 0
        self._chars = {True: 0, False: 0}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep an element of the body; find the way to it before."""
        local = local_name(name)
        if self._open and not self._passed_over:
            self._keep(local, attributes)
        elif not self._passed_over and self._way < len(_ROOT) and local == _ROOT[self._way]:
            self._step(attributes)
        elif self._way:
            if self._way == 1 and not self._passed_over and local == "effectiveTime":
                self.written = self.written or attributes.get("value", "")
            self._passed_over += 1

    def _step(self, attributes: dict[str, str]) -> None:
        self._way += 1
        if self._way == len(_ROOT) and self.body is None:
            self.body = Node(_ROOT[-1], attributes)
            self._open.append(self.body)

    def _keep(self, local: str, attributes: dict[str, str]) -> None:
        is_entry = local == _ENTRY and self._open[-1].name == "section"
        if is_entry and not self._with_entries:
            self._passed_over += 1
            return
        self._sections += local == "section"
        if self._sections > MAX_SECTIONS:
            raise Invalid("xml-too-complex", detail="The document has too many sections")
        if is_entry or self._entry_depth:
            self._entry_depth += 1
        node = Node(local, attributes)
        self._open[-1].children.append(node)
        self._open.append(node)

    def end(self) -> None:
        """Leave the element begun last."""
        if self._passed_over:
            self._passed_over -= 1
        elif self._open:
            self._open.pop()
            self._entry_depth -= bool(self._entry_depth)
            self._way -= not self._open
        elif self._way:
            self._way -= 1

    def text(self, data: str) -> None:
        """Keep a text of the body; the file that an entry embeds is none."""
        if self._passed_over or not self._open:
            return
        in_entry = bool(self._entry_depth)
        if in_entry and self._is_file():
            return
        self._chars[in_entry] += len(data)
        if self._chars[in_entry] > (MAX_ENTRY_CHARS if in_entry else MAX_NARRATIVE_CHARS):
            raise Invalid("xml-too-complex", detail="The sections of the document are too long")
        self._open[-1].children.append(data)

    def _is_file(self) -> bool:
        """Whether the element begun last holds a file, as base64 or as the value of an image or an attachment."""
        inner, outer = self._open[-1], self._open[-2]
        is_media = outer.name == "observationMedia" and inner.name == "value"
        return is_media or inner.get("representation").upper() == "B64"

"""The part of a ClinicalDocument that its header is read from, as a small tree; bodies are passed over."""

from dataclasses import dataclass, field

from dmp.domain.errors import Invalid
from dmp.domain.visible_text import made_visible

CDA_NAMESPACE = "urn:hl7-org:v3"
MAX_HEADER_ELEMENTS = 20_000
MAX_HEADER_CHARS = 1_000_000

_ROOT = f"{CDA_NAMESPACE} ClinicalDocument"
_BODY = "component"
_HEADER = frozenset(
    {"templateId", "id", "code", "title", "effectiveTime", "confidentialityCode", "languageCode", "setId",
     "versionNumber", "recordTarget", "author", "custodian", "legalAuthenticator", "documentationOf",
     "relatedDocument", "componentOf", _BODY}
)  # fmt: skip
_BODY_PATHS = frozenset({(_BODY, "nonXMLBody"), (_BODY, "nonXMLBody", "text"), (_BODY, "structuredBody")})


@dataclass(slots=True)
class Element:
    """An element of the header; one that is not there is an empty one, so that paths need no tests."""

    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def all(self, path: str) -> list["Element"]:
        """Every descendant at a path of local names, in document order."""
        found = [self]
        for name in path.split("/"):
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, path: str) -> "Element":
        """The first descendant at a path, or an empty element."""
        return next(iter(self.all(path)), Element())

    def get(self, attribute: str) -> str:
        """An attribute without surrounding space and what would deceive a reader, or an empty text."""
        return made_visible(self.attributes.get(attribute, "")).strip()

    @property
    def content(self) -> str:
        """The element's own text, space normalised, without what would deceive a reader."""
        return made_visible(" ".join("".join(self.pieces).split()))


class HeaderTree:
    """Takes the events of a document and keeps the header of the first ClinicalDocument; counts how many there are."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.documents = 0
        self._open: list[Element] = []
        self._passed_over = 0
        self._elements = 0
        self._chars = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep an element of the header, pass over any other."""
        self.documents += name == _ROOT
        if not self._open:
            if name == _ROOT and self.root is None:
                self.root = Element(name, attributes)
                self._open.append(self.root)
            return
        local = name.removeprefix(f"{CDA_NAMESPACE} ")
        if self._passed_over or not self._is_wanted(local):
            self._passed_over += 1
            return
        self._keep(Element(local, attributes))

    def end(self) -> None:
        """Leave the element begun last."""
        if self._passed_over:
            self._passed_over -= 1
        elif self._open:
            self._open.pop()

    def text(self, data: str) -> None:
        """Keep the text of a header element."""
        if self._passed_over or not self._open or self._is_in_body():
            return
        self._chars += len(data)
        if self._chars > MAX_HEADER_CHARS:
            raise Invalid("xml-too-complex", detail="The header of the ClinicalDocument is too long")
        self._open[-1].pieces.append(data)

    def _is_in_body(self) -> bool:
        return len(self._open) > 1 and self._open[1].name == _BODY

    def _is_wanted(self, local: str) -> bool:
        if len(self._open) == 1:
            return local in _HEADER
        if self._is_in_body():
            return (*(element.name for element in self._open[1:]), local) in _BODY_PATHS
        return True

    def _keep(self, element: Element) -> None:
        self._elements += 1
        if self._elements > MAX_HEADER_ELEMENTS:
            raise Invalid("xml-too-complex", detail="The header of the ClinicalDocument has too many elements")
        self._open[-1].children.append(element)
        self._open.append(element)

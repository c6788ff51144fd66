"""A part of a document as a tree that keeps the order of texts and elements: narratives, and entries as they came."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dmp.cda.tree import CDA_NAMESPACE

_PREFIX = f"{CDA_NAMESPACE} "


@dataclass(slots=True)
class Node:
    """An element: its local name within HL7 V3, or `namespace local-name` in any other namespace."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    def elements(self, name: str = "") -> Iterator["Node"]:
        """The elements right below, those of a name where one is given."""
        return (child for child in self.children if isinstance(child, Node) and name in ("", child.name))

    def first(self, name: str) -> "Node | None":
        """The first element of a name right below."""
        return next(self.elements(name), None)

    def get(self, attribute: str) -> str:
        """An attribute without surrounding space, or an empty text."""
        return self.attributes.get(attribute, "").strip()

    @property
    def content(self) -> str:
        """All the text within, space normalised."""
        return " ".join("".join(self._texts()).split())

    @property
    def has_text(self) -> bool:
        """Whether there is any text within but space; read no further than to the first."""
        return any(text and not text.isspace() for text in self._texts())

    def _texts(self) -> Iterator[str]:
        stack: list[Node | str] = [self]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                yield node
            else:
                stack.extend(reversed(node.children))


def local_name(name: str) -> str:
    """The name of an element as a Node has it."""
    return name.removeprefix(_PREFIX)

"""The words of a CDA R2 document for those who search it: titles and narratives, nothing of its header or entries."""

from collections.abc import Iterator, Sequence

from dmp.cda.passages import pieces_of
from dmp.cda.sections import Section, sections_of


def text_of(content: bytes) -> str:
    """The titles and narratives of every section, in their order, space normalised; empty without structured body.

    Linear in the size of the document. Raises as `dmp.cda.sections.sections_of`.
    """
    return " ".join("".join(_pieces(sections_of(content, with_entries=False))).split())


def _pieces(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield f"{section.title} "
        if section.narrative:
            yield from pieces_of(section.narrative)
        yield " "
        yield from _pieces(section.sections)

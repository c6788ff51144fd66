"""What a content may be, beside being of its kind: rules against files that act, carry or pose as something else."""

from collections.abc import Callable, Mapping

from dmp.domain import content as contents
from dmp.domain.errors import Invalid
from dmp.domain.foreign_content import archive_or_program
from dmp.domain.image_content import dicom_reason, jpeg_reason, png_reason, tiff_reason
from dmp.domain.pdf_content import PDF_HEAD, READERS_LOOK, pdf_reason
from dmp.domain.rtf_content import rtf_reason
from dmp.domain.text_content import text_reason
from dmp.domain.xml_content import xml_reason

_RULES: Mapping[str, Callable[[bytes], str | None]] = {
    contents.PDF: pdf_reason,
    contents.XML: xml_reason,
    contents.RTF: rtf_reason,
    contents.TEXT: text_reason,
    contents.JPEG: jpeg_reason,
    contents.TIFF: tiff_reason,
    contents.PNG: png_reason,
    contents.DICOM: dicom_reason,
}


def hostile_reason(kind: str | None, content: bytes) -> str | None:
    """Why bytes of a kind (`content.detect`) are not taken, in English and without a word of theirs; None: they are.

    Linear in time; in memory, what an object stream of a PDF inflates to (24 MiB at most) beside the bytes.
    """
    if kind is None:
        return "the bytes are of no kind that is accepted"
    foreign = archive_or_program(content)
    if foreign:
        return f"there is {foreign} in it"
    if kind != contents.DICOM and contents.is_dicom(content):
        return "it is a DICOM file, too"
    return _RULES[kind](content) or _reason_as_pdf(kind, content)


def _reason_as_pdf(kind: str, content: bytes) -> str | None:
    """Readers of PDF look for its head a little further than at the beginning: for them the bytes are one, too."""
    head = content.find(PDF_HEAD, 0, READERS_LOOK) if kind != contents.PDF else -1
    return pdf_reason(content, head) if head >= 0 else None


def check_harmless(kind: str | None, content: bytes, place: str | None = None) -> None:
    """Raise Invalid `unsafe-content`, with the rule as its detail, for what `hostile_reason` finds."""
    reason = hostile_reason(kind, content)
    if reason:
        raise Invalid("unsafe-content", place, reason)

"""What reads the contents of documents, as far as a function may: each reader is loaded by the first document of it."""

from dmp.domain.clinical_profile import Offer
from dmp.domain.content import PDF, RTF, TEXT, XML
from dmp.services.indexing import Readers
from dmp.settings import optional


def cda_readers() -> Readers:
    """Those of CDA alone, which a deposit parses anyway; what else has a text is read behind its back."""
    return Readers(statements=_statements, body=_body, texts={XML: _narrative})


def all_readers() -> Readers:
    """Those of every content that has a text."""
    texts = {XML: _narrative, PDF: _pdf, RTF: _rtf, TEXT: _plain}
    return Readers(statements=_statements, body=_body, texts=texts)


def _statements(content: bytes) -> Offer:
    from dmp.cda.extraction import extract

    return extract(content)


def _body(content: bytes) -> tuple[str, bytes] | None:
    from dmp.cda.body import embedded

    return embedded(content)


def _narrative(content: bytes) -> str:
    from dmp.cda.text import text_of

    return text_of(content)


def _pdf(content: bytes) -> str:
    from dmp.adapters.pdf_text import text_of_pdf

    return text_of_pdf(content, libraries=optional("LD_LIBRARY_PATH"))


def _rtf(content: bytes) -> str:
    from dmp.domain.plain_text import text_of_rtf

    return text_of_rtf(content)


def _plain(content: bytes) -> str:
    from dmp.domain.plain_text import text_of_plain

    return text_of_plain(content)

"""What is looked at of a CDA before it is taken in: its header, and every file that it embeds (ITI-65, ITI-105)."""

from dmp.cda.body import check_embedded
from dmp.cda.header import read_header
from dmp.domain.clinical_document import ClinicalDocumentHeader


def examined(content: bytes) -> ClinicalDocumentHeader | None:
    """The header of a CDA; None: no CDA.

    Raises as `read_header` and as `check_embedded`.
    """
    header = read_header(content)
    if header is not None:
        check_embedded(content)
    return header

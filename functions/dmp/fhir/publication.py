"""ITI-105, Simplified Publish: one DocumentReference, with its bytes or announcing them (MHD, PDSm flux 9)."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.submission import Publication
from dmp.fhir import announced_documents, attachments, document_reference, mhd_profiles
from dmp.fhir.document_reference import Intake, attachment_of
from dmp.fhir.references import Surroundings, one_patient, patient_of
from dmp.fhir.systems import PDSM_SIMPLIFIED_PUBLISH

type Resource = Mapping[str, Any]

_PLACE = "DocumentReference"


def read_simplified_publish(resource: Resource, intake: Intake) -> Publication:
    """Read a parsed DocumentReference as an ITI-105 request.

    Raises Invalid `content-missing` where it neither has data nor announces any, and for everything else that is wrong
    in the request itself.
    """
    checked = document_reference.validated(resource)
    is_upload = announced_documents.is_announced(checked)
    if is_upload:
        checked = announced_documents.without_doc_status(checked)
    claims = [url.partition("|")[0] for url in checked.get("meta", {}).get("profile", [])]
    by_pdsm = PDSM_SIMPLIFIED_PUBLISH in claims
    mhd_profiles.check(checked, mhd_profiles.PDSM_SIMPLIFIED if by_pdsm else mhd_profiles.MHD_SIMPLIFIED, _PLACE)
    around = Surroundings(base_url=intake.base_url).within(checked)
    place = f"{_PLACE}.subject"
    named = patient_of(checked["subject"], around, place)
    subject = one_patient([(place, named), *document_reference.source_claims(checked, around, _PLACE)])
    if is_upload:
        document = announced_documents.announced(checked, intake, around)
        return Publication(subject=subject, document=document)
    content = attachments.decode(attachment_of(checked).get("data"), f"{_PLACE}.content[0].attachment.data")
    document = document_reference.submitted(checked, content, intake, around, place=_PLACE)
    if document.metadata.master_identifier is None:
        raise Invalid("invalid-resource", f"{_PLACE}.masterIdentifier", "the document has no unique id")
    return Publication(subject=subject, document=document)

"""Whatever a record holds as the FHIR resource that is answered, or put into an archive, of it."""

import json
from collections.abc import Mapping
from typing import Any

from dmp.domain.clinical_profile import ProfileEntry
from dmp.domain.consent import Consent
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.notification import Message
from dmp.domain.reimbursement import Reimbursement
from dmp.domain.related_person import RelatedPerson
from dmp.domain.upload import doc_status_of
from dmp.fhir import document_rendering, profile_rendering, upload_rendering
from dmp.fhir.communication import render_communication
from dmp.fhir.consent import render_consent
from dmp.fhir.explanation_of_benefit import render_reimbursement
from dmp.fhir.patient import render_patient
from dmp.fhir.related_person import render_person
from dmp.list_answers import document_list
from dmp.services.included import IncludedPatient
from dmp.services.profile_sight import Offered
from dmp.services.record_contents import Thing


def resource_of(thing: Thing, base_url: str) -> Mapping[str, Any]:
    """The resource of something that the caller may see; `base_url` is that of the API."""
    match thing:
        case DocumentEntry():
            return _document(thing, base_url)
        case ListEntry():
            return document_list(thing)
        case ProfileEntry():
            return profile_rendering.render_entry(thing)
        case Offered():
            document = thing.document
            return profile_rendering.render_candidate(document.record, thing.local, thing.candidate, document)
        case Reimbursement():
            return render_reimbursement(thing)
        case _:
            return _of_the_person(thing)


def _of_the_person(thing: IncludedPatient | Consent | RelatedPerson | Message) -> Mapping[str, Any]:
    match thing:
        case IncludedPatient():
            return render_patient(thing.record, full=True, own=thing.own)
        case Consent():
            return render_consent(thing)
        case RelatedPerson():
            return render_person(thing)
        case Message():
            return render_communication(thing)


def _document(entry: DocumentEntry, base_url: str) -> Mapping[str, Any]:
    rendered = document_rendering.render_document(
        json.loads(entry.body), id=entry.id, version=entry.version, updated=entry.updated, base_url=base_url
    )
    doc_status = doc_status_of(entry)
    return upload_rendering.with_doc_status(rendered, doc_status) if doc_status else rendered


def archived(thing: Thing, base_url: str, file: str) -> Mapping[str, Any]:
    """The resource as it stands in an archive, where the content of a document is a file beside it."""
    resource = resource_of(thing, base_url)
    if not file:
        return resource
    content = resource["content"][0]
    return {**resource, "content": [{**content, "attachment": {**content["attachment"], "url": f"../{file}"}}]}

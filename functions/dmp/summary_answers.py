"""Patient $summary: what a caller may see of a record as an International Patient Summary (FHIR R4 documents, IPS)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from dmp.domain.clinical_profile import Origin, ProfileEntry, ProfileKind
from dmp.domain.consent import Consent, ConsentKind
from dmp.domain.document import DocumentEntry
from dmp.exchange import Answer, Request
from dmp.fhir.consent import render_consent
from dmp.fhir.document_rendering import render_document
from dmp.fhir.patient import render_patient
from dmp.fhir.profile_rendering import render_candidate, render_entry
from dmp.fhir.statements import Statement
from dmp.fhir.summary import SummaryContent, Wish, render_summary
from dmp.fhir.summary_completion import excerpt
from dmp.fhir.summary_people import contacts, physicians
from dmp.fhir.summary_texts import NOTHING, date_text, filled, named, texts
from dmp.fhir.times import instant_text
from dmp.services.profile_sight import Offered
from dmp.services.summaries import Summary

type Json = Mapping[str, Any]

_REIMBURSEMENTS = "REMB"


def summarised(request: Request, summary: Summary, entropy: bytes) -> Answer:
    """The document; `entropy` gives it its identity."""
    content = _content(request, summary)
    identity = UUID(bytes=entropy, version=4)
    return Answer(resource=render_summary(content, base_url=request.base_url, identity=identity, now=request.call.now))


def _content(request: Request, summary: Summary) -> SummaryContent:
    told = {one.document.local: one.document for one in summary.offered}
    sources = {local: _document(request, one) for local, one in told.items() if local in summary.documents}
    directives = [_document(request, one) for one in summary.directives]
    return SummaryContent(
        patient=render_patient(summary.record, full=True),
        statements=tuple(_statements(summary, sources)),
        documents=tuple(sources.values()),
        wishes=(*map(_wish, summary.wishes), *(Wish(resource=excerpt(one), row=_row(one)) for one in directives)),
        contacts=contacts(summary.persons, summary.roles),
        physicians=physicians(summary.roles, summary.marks),
        is_whole=summary.is_whole,
        saying_more=tuple(_name(sources.get(local)) for local in told if local in summary.saying_more),
    )


def _statements(summary: Summary, sources: Mapping[str, Json]) -> Iterator[Statement]:
    """What was entered, the last first; then what the newest documents say."""
    for entry in sorted(summary.entries, key=lambda one: one.updated, reverse=True):
        yield Statement(kind=entry.kind, resource=render_entry(entry), source=_by(entry))
    for one in summary.offered:
        if _is_of_the_insurer(one):
            continue
        resource = render_candidate(summary.record.id, one.local, one.candidate, one.document)
        document = sources.get(one.document.local)
        source = _source(document) if document else _name(document)
        yield Statement(kind=one.candidate.kind, resource=resource, source=source)


def _is_of_the_insurer(one: Offered) -> bool:
    """Whether it is an act of a statement of the insurer, which lists what was paid: a consultation, a test."""
    type_ = one.document.type
    return one.candidate.kind is ProfileKind.PROCEDURE and type_ is not None and type_.code == _REIMBURSEMENTS


def _by(entry: ProfileEntry) -> str:
    """Who entered it; nobody is named where it was done in a connexion secrète."""
    origin = texts()["sources"]["patient" if entry.origin is Origin.PATIENT else "professional"]
    name = "" if entry.is_secret else entry.depositor_name
    return filled("sources.by", origin=origin, name=name) if name else str(origin)


def _document(request: Request, entry: DocumentEntry) -> Json:
    return render_document(
        json.loads(entry.body), id=entry.id, version=entry.version, updated=entry.updated, base_url=request.base_url
    )


def _source(document: Json) -> str:
    title, date = _title(document), date_text(document.get("date", ""))
    return filled("sources.document", title=title, date=date) if date else title


def _name(document: Json | None) -> str:
    """The title of a document; of one that the caller may not see among documents, that it is one."""
    return _title(document) if document else str(texts()["sources"]["unnamed_document"])


def _title(document: Json) -> str:
    codings = document.get("type", {}).get("coding", [])
    names = (document["content"][0]["attachment"].get("title"), *(one.get("display") for one in codings))
    return next((name for name in names if name), str(texts()["sources"]["unnamed_document"]))


def _row(document: Json) -> tuple[str, str, str, str]:
    kind = texts()["wishes"][ConsentKind.ADVANCE_DIRECTIVES.value]
    return kind, date_text(document.get("date", "")) or NOTHING, _title(document), _source(document)


def _wish(consent: Consent) -> Wish:
    directive = consent.directive
    answers = "wish_exists" if directive.kind is ConsentKind.ADVANCE_DIRECTIVES else "wish_answers"
    detail = named(answers, "permit" if directive.permit else "deny")
    date = date_text(instant_text(consent.date_time))
    row = (named("wishes", directive.kind.value), date, detail, texts()["sources"]["patient"])
    return Wish(resource=render_consent(consent), row=row)

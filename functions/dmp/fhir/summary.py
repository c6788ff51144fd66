"""The International Patient Summary of a record: a document Bundle, its Composition and sections (IPS 2.0, FHIR R4)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dmp.fhir import summary_alerts, summary_completion
from dmp.fhir.statement_rows import row_of
from dmp.fhir.statement_selection import Selection
from dmp.fhir.statements import Statement
from dmp.fhir.summary_entries import BundleEntries
from dmp.fhir.summary_narrative import narrative
from dmp.fhir.summary_people import Named, care_team
from dmp.fhir.summary_sections import REQUIRED, sections_of
from dmp.fhir.summary_texts import filled, moment_text, texts
from dmp.fhir.systems import DMP_SUMMARY_SECTION, IPS_BUNDLE, IPS_COMPOSITION, LOINC, URI
from dmp.fhir.times import instant_text

type Json = dict[str, Any]

_SUMMARY = {"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}
_FRENCH = "fr-FR"
_MOST_TITLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A Consent or a document that tells of a person's wishes, and the row that a person reads."""

    resource: Mapping[str, Any]
    row: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryContent:
    """What a summary tells; `documents` are those that statements come from, and `is_whole` that all was looked at.

    `saying_more` are the titles of documents of which not all could be taken.
    """

    patient: Mapping[str, Any]
    statements: Sequence[Statement]
    documents: Sequence[Mapping[str, Any]]
    wishes: Sequence[Wish]
    contacts: Sequence[Named]
    physicians: Sequence[Named]
    is_whole: bool
    saying_more: Sequence[str] = ()


def render_summary(content: SummaryContent, *, base_url: str, identity: UUID, now: datetime) -> Json:
    """The document; `identity` is new, and makes all that the document holds of its own."""
    composition_url = f"urn:uuid:{identity}"
    composition, entries = _Writer(content, BundleEntries(base_url, identity), now).written()
    return {
        "resourceType": "Bundle",
        "id": str(identity),
        "meta": {"lastUpdated": instant_text(now), "profile": [IPS_BUNDLE]},
        "language": _FRENCH,
        "identifier": {"system": URI, "value": composition_url},
        "type": "document",
        "timestamp": instant_text(now),
        "entry": [{"fullUrl": composition_url, "resource": {**composition, "id": str(identity)}}, *entries],
    }


class _Writer:
    """Writes one Composition, with the resources that it leads to."""

    def __init__(self, content: SummaryContent, entries: BundleEntries, now: datetime) -> None:
        self._content = content
        self._entries = entries
        self._now = now
        patient = content.patient
        self._patient = {"reference": entries.address("Patient", patient["id"])}
        self._notes = list(_what_lacks(content))

    def written(self) -> tuple[Json, list[Json]]:
        """The Composition, and the entries behind it."""
        physicians = [named.resource for named in self._content.physicians]
        held = [self._entries.add(one) for one in physicians]
        self._entries.add(summary_completion.identified(self._content.patient, held))
        author = self._entries.add(_device())
        custodian = self._entries.add({"resourceType": "Organization", "name": texts()["service"]})
        sections = [*self._clinical(author), *self._of_people(held)]
        named = self._entries.named()
        documents = (one for one in self._content.documents if self._address(one) in named)
        self._entries.add_within(map(summary_completion.excerpt, documents))
        entries = sorted(self._entries.rendered(), key=lambda one: one["resource"]["resourceType"] != "Patient")
        return self._composition(author, custodian, sections), entries

    def _address(self, resource: Mapping[str, Any]) -> str:
        return self._entries.address(resource["resourceType"], resource["id"])

    def _composition(self, author: Json, custodian: Json, sections: list[Json]) -> Json:
        made = filled("made", at=moment_text(self._now))
        return {
            "resourceType": "Composition",
            "meta": {"profile": [IPS_COMPOSITION]},
            "language": _FRENCH,
            "text": narrative([made, *self._notes]),
            "status": "final",
            "type": {"coding": [_SUMMARY]},
            "subject": self._patient,
            "date": instant_text(self._now),
            "author": [author],
            "title": texts()["title"],
            "confidentiality": "N",
            "custodian": custodian,
            "section": sections,
        }

    def _clinical(self, author: Json) -> Iterator[Json]:
        """Alerts first, for a hurried reader; then what is known of health."""
        selected = dict(sections_of(self._content.statements, self._now))
        shown = [statement for selection in selected.values() for statement in selection.statements]
        yield from self._alerts(shown, author)
        for name, selection in selected.items():
            yield self._section_of(name, selection)

    def _alerts(self, shown: Iterable[Statement], author: Json) -> Iterator[Json]:
        alerts = summary_alerts.alerts_of(shown, self._now)
        if not alerts.paragraphs:
            return
        known = {one.resource["id"]: {"reference": self._address(one.resource)} for one in shown}
        around: Json = {"patient": self._patient, "author": author, "now": self._now}
        flags, rows = [], []
        for warning, text in alerts.issues:
            issue = self._entries.add(summary_alerts.render_issue(warning, text, **around, known=known))
            flag = summary_alerts.render_flag(warning, text, **around, issue=issue["reference"])
            flags.append(self._entries.add(flag))
            rows.append((texts()["severities"][warning.severity], text))
        yield _section("alerts", [*self._notes, *alerts.paragraphs], rows, flags)

    def _section_of(self, name: str, selection: Selection) -> Json:
        if self._notes and all(one.is_of_nothing for one in selection.statements):
            reason = summary_completion.not_known()
            return _section(name, [reason["text"], *self._notes], [], []) | {"emptyReason": reason}
        rows = [row_of(group, self._now) for group in selection.shown]
        resources = list(map(summary_completion.completed, selection.statements))
        entries = self._entries.add_within(resources)
        left_out = selection.left_out + len(resources) - len(entries)
        notes = [*self._notes, *([filled("not_taken", count=left_out)] if left_out else [])]
        if name in REQUIRED and not resources:
            entries = [self._entries.add(summary_completion.unknown(name, self._patient))]
            notes = [texts()["sections"][name]["none"], *notes]
        return _section(name, notes, rows, entries)

    def _of_people(self, physicians: list[Json]) -> Iterator[Json]:
        content = self._content
        if content.wishes:
            entries = self._entries.add_within(wish.resource for wish in content.wishes)
            yield _section("advance-directives", [], [wish.row for wish in content.wishes], entries)
        if content.contacts:
            entries = self._entries.add_within(person.resource for person in content.contacts)
            yield _section("contacts", [], [person.row for person in content.contacts], entries)
        if physicians:
            team = self._entries.add(care_team(self._patient, physicians))
            yield _section("care-team", [], [one.row for one in content.physicians], [team])


def _what_lacks(content: SummaryContent) -> Iterator[str]:
    """What a reader must know that cannot be told; where there is such, no section says that there is nothing."""
    if not content.is_whole:
        yield filled("not_whole")
    titles = list(dict.fromkeys(content.saying_more))
    if titles:
        yield filled("says_more", titles=", ".join([*titles[:_MOST_TITLES], *(["…"] if titles[_MOST_TITLES:] else [])]))


def _device() -> Json:
    return {
        "resourceType": "Device",
        "deviceName": [{"name": texts()["device"], "type": "user-friendly-name"}],
        "type": {"text": texts()["device"]},
    }


def _section(name: str, paragraphs: Sequence[str], rows: Sequence[Sequence[str]], entries: Sequence[Json]) -> Json:
    told = texts()["sections"][name]
    system = LOINC if told["code"] != name else DMP_SUMMARY_SECTION
    section: Json = {
        "title": told["title"],
        "code": {"coding": [{"system": system, "code": told["code"], "display": told["display"]}]},
        "text": narrative(paragraphs, told.get("columns", ()), rows),
    }
    return section | ({"entry": list(entries)} if entries else {})

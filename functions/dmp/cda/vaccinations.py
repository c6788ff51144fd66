"""Vaccinations, done and not done (CI-SIS FR-Vaccination; IHE PCC Immunizations)."""

from collections.abc import Iterator

from dmp.cda.absences import absence, in_own_words, is_absence
from dmp.cda.concepts import Json, concept, said, texts, words
from dmp.cda.denials import Denied, names_something
from dmp.cda.entry import Entry, Readers
from dmp.cda.markup import Node
from dmp.cda.moments import end_of, moment, start_of
from dmp.cda.passages import shortened
from dmp.cda.remarks import notes, performers, reasons, sites
from dmp.cda.values import quantity
from dmp.domain.clinical_profile import Candidate, ProfileKind

UNKNOWN = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
SECTION = "11369-6"
_RANK = "30973-2"
_UNSPECIFIED = "IMMUNIZ"
_UNDONE = frozenset({"aborted", "cancelled"})
_MOST_DOSES = 1_000


def vaccination(entry: Entry) -> Iterator[Candidate]:
    """A vaccination; what is planned or advised is none."""
    code = _vaccine(entry)
    if code is None or not entry.is_event:
        return
    material, is_done = _material(entry), _is_done(entry, code)
    reaction, contained = _reaction(entry)
    lot = shortened(lot.content) if material and (lot := material.first("lotNumberText")) else ""
    told = {
        "lotNumber": lot,
        "site": next(iter(sites(entry)), None),
        "route": concept(entry.act.first("routeCode"), entry),
        "doseQuantity": quantity(entry.act.first("doseQuantity")),
        "performer": performers(entry),
        "reasonCode" if is_done else "statusReason": reasons(entry) if is_done else next(iter(reasons(entry)), None),
        "reaction": reaction,
        "protocolApplied": _protocol(entry),
        "contained": contained,
        "note": _notes(entry),
    }
    yield entry.candidate(
        ProfileKind.IMMUNIZATION,
        {
            "status": "completed" if is_done else "not-done",
            "vaccineCode": code,
            **_occurrence(entry),
            **{name: value for name, value in told.items() if value},
        },
    )


def _vaccine(entry: Entry) -> Json | None:
    """The vaccine; or that none is known of, which stands in the place of the kind of act."""
    material = _material(entry)
    code, name = (material.first("code"), material.first("name")) if material else (None, None)
    found = concept(code, entry)
    text = shortened(name.content) if name else ""
    if found or text:
        return found or {"text": text}
    kind = concept(entry.act.first("code"), entry)
    if is_absence(kind):
        return None if entry.is_negated else in_own_words(kind, entry)
    told = said(entry) or (words(entry.act.first("code"), entry) if entry.is_negated else "")
    if entry.is_negated and not names_something(told, Denied.VACCINATION):
        return absence("no-known-immunizations", told)
    return {"text": told} if told else None


def _material(entry: Entry) -> Node | None:
    consumable = entry.act.first("consumable")
    product = consumable.first("manufacturedProduct") if consumable else None
    return product.first("manufacturedMaterial") if product else None


def _is_done(entry: Entry, code: Json) -> bool:
    return not entry.is_negated and not is_absence(code) and _state(entry) not in _UNDONE


def _state(entry: Entry) -> str:
    status = entry.act.first("statusCode")
    return status.get("code").lower() if status else ""


def _occurrence(entry: Entry) -> Json:
    """When it was done; that it is not known when, where the document does not say it (IPS)."""
    time = entry.act.first("effectiveTime")
    found = start_of(time) or end_of(time)
    if found:
        return {"occurrenceDateTime": found}
    return {"_occurrenceDateTime": {"extension": [{"url": UNKNOWN, "valueCode": "unknown"}]}}


def _protocol(entry: Entry) -> list[Json]:
    """The number of the dose, and the series it belongs to."""
    ranks = (one.act.first("value") for one in entry.inner("observation") if one.code == _RANK)
    numbers = (rank.get("value") for rank in ranks if rank)
    number = next((int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) < 5), 0)
    if not 0 < number < _MOST_DOSES:
        return []
    kind = concept(entry.act.first("code"), entry) if entry.code != _UNSPECIFIED else None
    series = (kind or {}).get("text", "")
    return [({"series": series} if series else {}) | {"doseNumberPositiveInt": number}]


def _reaction(entry: Entry) -> tuple[list[Json], list[Json]]:
    """What the vaccine caused: each reaction, and the finding that it refers to."""
    reactions: list[Json] = []
    contained: list[Json] = []
    caused = [one for one in entry.inner("observation") if one.link.get("typeCode") == "CAUS" and not one.is_negated]
    for one in caused[:5]:
        finding = concept(one.act.first("value"), one)
        if finding:
            at = start_of(one.act.first("effectiveTime"))
            name = f"reaction-{len(contained) + 1}"
            contained.append({"resourceType": "Observation", "id": name, "status": "final", "code": finding})
            reactions.append(({"date": at} if at else {}) | {"detail": {"reference": f"#{name}"}})
    return reactions, contained


def _notes(entry: Entry) -> list[Json]:
    """The comments, and when the vaccine was dispensed where nobody says when it was given."""
    found: list[Json] = notes(entry).get("note", [])
    if "occurrenceDateTime" in _occurrence(entry):
        return found
    dispensed = next((at for one in entry.inner("supply") if (at := _dispensed(one))), "")
    return [*found, {"text": str(texts()["dispensed"]).format(date=dispensed)}] if dispensed else found


def _dispensed(supply: Entry) -> str:
    """The day, as it is written in French."""
    times = (time for one in supply.act.elements("performer") for time in one.elements("time"))
    days = (moment(time.get("value"))[:10] for time in times)
    return next(("/".join(reversed(day.split("-"))) for day in days if day), "")


READERS: Readers = {
    ("", "1.2.250.1.213.1.1.3.45"): vaccination,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.12"): vaccination,
    (SECTION, "1.2.250.1.213.1.1.3.42"): vaccination,
    (SECTION, "1.3.6.1.4.1.19376.1.5.3.1.4.7"): vaccination,
    (SECTION, "substanceAdministration"): vaccination,
}

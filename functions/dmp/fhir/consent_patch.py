"""PATCH of a Consent: its status and its period, by JSON Patch or FHIRPath Patch (IHE PCF)."""

from dataclasses import dataclass, replace
from datetime import datetime

from dmp.domain.consent import ConsentStatus
from dmp.domain.errors import Invalid
from dmp.fhir.consent_reading import end_of
from dmp.fhir.json_patch import Change, forbidden
from dmp.fhir.patch import read_patch
from dmp.fhir.times import parse_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPatch:
    """What a PATCH changes: None stands for no change. `period_end` is the first instant after the period."""

    status: ConsentStatus | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


def read_consent_patch(body: bytes, content_type: str) -> ConsentPatch:
    """Read the body of a PATCH of a Consent.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements.
    """
    changes = read_patch(body, content_type, "Consent")
    patch = ConsentPatch()
    for change in changes:
        patch = _with(patch, change)
    return patch


def _with(patch: ConsentPatch, change: Change) -> ConsentPatch:
    if change.op not in ("add", "replace"):
        raise forbidden(change.place)
    match change.path:
        case ("status",):
            return replace(patch, status=_status(change))
        case ("provision", "period"):
            return _with_period(patch, change)
        case ("provision", "period", "start"):
            return replace(patch, period_start=_moment(change, change.value)[0])
        case ("provision", "period", "end"):
            return replace(patch, period_end=_end(change, change.value))
    raise forbidden(change.place)


def _with_period(patch: ConsentPatch, change: Change) -> ConsentPatch:
    if not isinstance(change.value, dict) or not change.value.keys() <= {"start", "end"}:
        raise Invalid("invalid-parameter", change.place or None, "a period has a start and an end")
    for name, value in change.value.items():
        patch = _with(patch, replace(change, path=("provision", "period", name), value=value))
    return patch


def _status(change: Change) -> ConsentStatus:
    if change.value not in list(ConsentStatus):
        raise Invalid("invalid-parameter", change.place or None, "the status is active or inactive")
    return ConsentStatus(change.value)


def _end(change: Change, value: object) -> datetime:
    _moment(change, value)
    end = end_of(str(value))
    assert end is not None  # nosec B101 # noqa: S101 - it is a dateTime
    return end


def _moment(change: Change, value: object) -> tuple[datetime, datetime]:
    moments = parse_datetime(value) if isinstance(value, str) else None
    if moments is None:
        raise Invalid("invalid-parameter", change.place or None, "not a valid dateTime")
    return moments

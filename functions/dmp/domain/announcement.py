"""What is hidden until an announcement consultation: when the patient is told, and when it shows (R.1111-53)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dmp.domain.civil_time import same_day_months_later
from dmp.domain.clinical_profile import ProfileEntry
from dmp.domain.document import DocumentEntry, DocumentStatus, Visibility


@dataclass(frozen=True, slots=True)
class Announcement:
    """So many days after a document was first hidden the patient is told of something; so many months, it shows."""

    notice_days: int
    release_months: int

    def release_of(self, hidden_at: datetime) -> datetime:
        """When something that was hidden then shows by itself."""
        return same_day_months_later(hidden_at, self.release_months)

    def scheduled(self, entry: DocumentEntry, now: datetime) -> DocumentEntry:
        """The entry with the moment at which the job must look at it, as its codes and its status want it.

        What is hidden anew goes on from when it was first hidden; what never became available is not yet hidden.
        """
        if entry.was_never_available:
            return entry
        if Visibility.INVISIBLE_PATIENT not in entry.visibility or entry.status is DocumentStatus.ENTERED_IN_ERROR:
            return replace(entry, due=None)
        if entry.due is not None:
            return entry
        hidden_at = entry.hidden_at or now
        return replace(entry, hidden_at=hidden_at, due=self._next(hidden_at, now))

    def awaited(self, entry: ProfileEntry, now: datetime) -> ProfileEntry:
        """An entry of the profile with the moment from which it shows: no job looks at it, and nobody is told of it."""
        is_first = Visibility.INVISIBLE_PATIENT in entry.visibility and entry.shows_at is None
        return replace(entry, shows_at=self.release_of(now)) if is_first else entry.at(now)

    def _next(self, hidden_at: datetime, now: datetime) -> datetime:
        notice, release = hidden_at + timedelta(days=self.notice_days), self.release_of(hidden_at)
        return notice if now < notice < release else release

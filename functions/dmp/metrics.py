"""Figures for CloudWatch, each one line of its embedded metric format (EMF) on standard output: no call, no library.

A line holds a name and a unit of the closed list, a number, the stage, and with some names a word of our own: never who
or what it was about. Lambda takes the line for INFO, so no function may set an `ApplicationLogLevel` above it.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

NAMESPACE = "DMP"
_WORD = re.compile(r"(?=.{1,48}$)[a-z]+(-[a-z]+)*", re.ASCII)
"""Codes and names of jobs; no identifier is of letters alone."""
_OTHER = "other"


class Metric(StrEnum):
    """Whatever is measured; what AWS itself measures (errors, durations, depths of queues) is not here."""

    ACCESSES = "Accesses"
    """Entries of the trace of what somebody was let do."""
    REFUSALS = "Refusals"
    """Entries of the trace of what somebody was refused, by reason."""
    EMERGENCIES = "Emergencies"
    DEPOSITS = "Deposits"
    UNAUTHENTICATED = "Unauthenticated"
    """Requests without a token that holds, by reason."""
    AUTHORIZER_FAILURES = "AuthorizerFailures"
    """Requests that nobody could be told of whose they are; a token is not the cause."""
    BACKLOG = "Backlog"
    """What a run of a job left though it was due, by job: what failed, and one for all that it did not come to."""
    EXPIRY_LAG = "ExpiryLag"
    """How long after its time the latest Consent of a run was looked at."""
    ORPHANS_SWEPT = "OrphansSwept"
    """Objects that no document names, deleted."""
    UPLOADS_GIVEN_UP = "UploadsGivenUp"
    MAILS_PUT_OFF = "MailsPutOff"
    MAILS_FAILED = "MailsFailed"
    """Mails that will not leave, or nobody knows whether they did, by what came of them."""
    HOOKS_FAILED = "HooksFailed"
    SEAL_LAG = "SealLag"
    """How old the oldest entry of the trace was that was not sealed."""
    TRACE_TAMPERED = "TraceTampered"
    """Entries or chains of the trace that are not what they were, by how it was seen."""
    TRACE_COMPLETED = "TraceCompleted"
    """Entries that the chain had missed."""
    MALWARE_FOUND = "MalwareFound"
    MALWARE_AVAILABLE = "MalwareAvailable"
    """Documents that could be read when malware was found in them."""


DURATIONS = frozenset({Metric.EXPIRY_LAG, Metric.SEAL_LAG})
"""What is measured in seconds; all else is counted."""
REASONED = frozenset(
    {Metric.REFUSALS, Metric.UNAUTHENTICATED, Metric.BACKLOG, Metric.MAILS_FAILED, Metric.TRACE_TAMPERED}
)
"""What is told by `Reason` too."""


class Metrics:
    """Writes the figures of one function; `stage` keeps apart what runs in one account."""

    def __init__(self, stage: str, clock: Callable[[], datetime]) -> None:
        self._stage = stage
        self._clock = clock

    def count(self, metric: Metric, number: int = 1, *, reason: str = "") -> None:
        """Add to a figure; `reason` is a code or a job of ours, and becomes "other" where it does not look like one."""
        self._write(metric, number, reason)

    def measure(self, metric: Metric, duration: timedelta) -> None:
        """Tell a duration, in seconds."""
        self._write(metric, duration.total_seconds(), "")

    def _write(self, metric: Metric, value: float, reason: str) -> None:
        """One line in one write, so that what several threads write does not mix."""
        dimensions = [["Stage"]]
        told: dict[str, object] = {"Stage": self._stage, metric.value: value}
        if metric in REASONED:
            dimensions.append(["Stage", "Reason"])
            told["Reason"] = reason if _WORD.fullmatch(reason) else _OTHER
        unit = "Seconds" if metric in DURATIONS else "Count"
        figure = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": metric.value, "Unit": unit}]}
        line = {"_aws": {"Timestamp": int(self._clock().timestamp() * 1000), "CloudWatchMetrics": [figure]}, **told}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")

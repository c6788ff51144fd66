"""Which HTTP status and which FHIR issue type every failure answers with: the only such table."""

from dmp.domain.errors import (
    Conflict,
    DmpError,
    Gone,
    Invalid,
    Malformed,
    NotAcceptable,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    Refused,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UnknownRoute,
    Unsatisfiable,
    UnsupportedMedia,
)

FAILURES: dict[type[DmpError], tuple[int, str]] = {
    NotAuthenticated: (401, "login"),
    TooManyRequests: (429, "throttled"),
    UnknownRoute: (404, "not-found"),
    NotAllowed: (405, "not-supported"),
    UnsupportedMedia: (415, "not-supported"),
    NotAcceptable: (406, "not-supported"),
    Unsatisfiable: (416, "value"),
    TooLarge: (413, "too-long"),
    Malformed: (400, "structure"),
    Refused: (403, "forbidden"),
    NotFound: (404, "not-found"),
    Gone: (410, "deleted"),
    PreconditionFailed: (412, "conflict"),
    Invalid: (422, "invalid"),
    Conflict: (409, "conflict"),
    Unavailable: (503, "transient"),
}
"""HTTP status and OperationOutcome.issue.code by class of failure; a test proves that no class is missing."""


def status_of(failure: DmpError) -> tuple[int, str]:
    """The status and issue type of a failure."""
    return FAILURES[type(failure)]

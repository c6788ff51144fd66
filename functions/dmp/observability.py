"""The structured logger of every function: an event's name and keys of the list, the id of what it belongs to.

Never a body, a name, an INS, a token, nor the id of a record or of anything in one: other keys do not get through, nor
do lines of libraries, which would name hosts, paths and with them records.
"""

import logging

from aws_lambda_powertools import Logger

from dmp.domain.correlation import followed
from dmp.settings import log_level

KEYS = frozenset({
    "announced", "at", "attempt", "change", "changes", "closed", "code", "correlation_id", "done", "entries", "erased",
    "error", "event", "expired", "failed", "failure", "given_up", "handled", "hooks", "leaf", "left", "method", "read",
    "released", "route", "run", "sequence_number", "settled", "sqs_message", "status", "waited_seconds", "waiting",
    "warned",
})  # fmt: skip
"""All that a line may say beside its event, level, time and service."""
_OWN = frozenset(vars(logging.makeLogRecord({})))


def _keep_to_keys(line: logging.LogRecord) -> bool:
    """Leave in a line what may be told, and say what it belongs to."""
    for key in vars(line).keys() - _OWN - KEYS:
        delattr(line, key)
    line.correlation_id = followed()
    return True


# Lambda's runtime sets the root to INFO, and whatever has no level of its own writes through it
logging.getLogger().setLevel(logging.CRITICAL + 1)
logger = Logger(log_uncaught_exceptions=False, log_record_order=["level", "message", "timestamp"])
"""Service name and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL."""
# with logs as JSON Lambda itself asks for INFO, which the library takes for the last word
logging.getLogger(logger.name).setLevel(log_level())
logger.addFilter(_keep_to_keys)

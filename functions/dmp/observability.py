"""The structured logger of every handler: event names and keys, never a body, a name, an INS or a token."""

from aws_lambda_powertools import Logger

logger = Logger(log_uncaught_exceptions=False, log_record_order=["level", "message", "timestamp"])
"""Service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL or LOG_LEVEL."""

"""What functions run, what tables show, what buckets tell and how secrets are made, word for word."""

import re
from typing import Any

from infra.checks.expected import MAIN, arn, ref

type Json = dict[str, Any]
TABLE, BUCKET, SECRET = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"

# ---------------------------------------------------------------- functions
CODE, RUNTIME, ALIAS = "functions/", "python3.13", "live"
SHARED = {
    "ConsentExpiry": "scheduled",
    "MailSweep": "notifications",
    "Retention": "scheduled",
    "Suspension": "scheduled",
    "UploadSweep": "scheduled",
    "VisibilityRelease": "scheduled",
}
"""The module of handlers in which a function has one beside others; each other function has a module of its own."""
ASKED_BY_THE_API = {"Authorizer"}
"""What the API runs though no route leads there."""


def workings(stack: str, function: str) -> Json:
    """What a function runs, and what it logs: a level of its own there would lead round the rule on levels."""
    if stack != MAIN:
        return {"Handler": "index.handler", "LoggingConfig": None, "Runtime": RUNTIME}
    own = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", function).lower()
    return {
        "Handler": f"handlers.{SHARED[function]}.{own}" if function in SHARED else f"handlers.{own}.handler",
        "LoggingConfig": {"LogGroup": ref(f"{function}Logs"), "LogFormat": "JSON"},
        "Runtime": RUNTIME,
    }


# ---------------------------------------------------------------- stores
def _keys(first: str, second: str) -> list[Json]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


def _index(name: str, first: str, second: str, *included: str) -> Json:
    shown = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*included]} if included else None
    return {
        "IndexName": name,
        "KeySchema": _keys(first, second),
        "Projection": shown or {"ProjectionType": "KEYS_ONLY"},
    }


def _table(local: list[Json] | None = None, everywhere: list[Json] | None = None) -> Json:
    return {
        "KeySchema": _keys("pk", "sk"),
        "StreamSpecification.StreamViewType": "NEW_AND_OLD_IMAGES",
        "LocalSecondaryIndexes": local,
        "GlobalSecondaryIndexes": everywhere,
    }


def _told(queue: str, prefix: str) -> Json:
    where = {"S3Key": {"Rules": [{"Name": "prefix", "Value": prefix}]}}
    return {"Event": "s3:ObjectCreated:*", "Queue": arn(queue), "Filter": where}


def _made(key: str) -> Json:
    return {
        "GenerateSecretString": {
            "SecretStringTemplate": "{}",
            "GenerateStringKey": key,
            "PasswordLength": 64,
            "ExcludePunctuation": True,
        }
    }


_SILENT: Json = {"NotificationConfiguration": None}
STORES: dict[str, dict[str, Json]] = {
    TABLE: {
        "RecordsTable": _table(
            [
                _index(f"by-{name}", "pk", f"ls_{name}", "st", "kind")
                for name in ("type", "class", "updated", "structure", "person")
            ],
            [
                _index("by-expiry", "gx_month", "gx_at"),
                _index("by-actor", "ga_actor", "ga_at"),
                _index("by-identifier", "gi_ident", "pk", "local"),
            ],
        ),
        "AuditTable": _table(),
    },
    BUCKET: {
        "DocumentsBucket": {
            "NotificationConfiguration": {
                "EventBridgeConfiguration": {"EventBridgeEnabled": True},
                "QueueConfigurations": [_told("UploadQueue", "uploads/"), _told("ExtractionQueue", "documents/")],
            }
        },
        "SealsBucket": _SILENT,
        "LogBucket": _SILENT,
    },
    SECRET: {"Secret": _made("key"), "EdgeSecret": _made("value")},
}
"""What each store shows, tells or begins with; None is nothing. Each is there, and there is no other."""

"""The alarms, word for word: what each looks at, and from when on it rings. Texts for people and names are left out."""

from typing import Any

from infra.checks.expected import ref

OPERATORS = [ref("Operators")]
type Json = dict[str, Any]


def _dimensions(dimensions: Json) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _alarm(above: Any, times: tuple[int, ...] = (1,), missing: str = "notBreaching") -> Json:
    """What rings above a threshold: in that many periods, or in the second number of them."""
    periods, *datapoints = times
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": above,
        "EvaluationPeriods": periods,
        "TreatMissingData": missing,
        "AlarmActions": OPERATORS,
        "OKActions": OPERATORS,
    } | ({"DatapointsToAlarm": datapoints[0]} if datapoints else {})


def _figure(namespace: str, name: str, period: int, statistic: str, **dimensions: Any) -> Json:
    by = {"Dimensions": _dimensions(dimensions)} if dimensions else {}
    kind = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    return {"Namespace": namespace, "MetricName": name, "Period": period, kind: statistic} | by


def _own(name: str, period: int = 300, statistic: str = "Sum", **dimensions: Any) -> Json:
    """A figure of functions/dmp/metrics.py."""
    return _figure("DMP", name, period, statistic, Stage=ref("Stage"), **dimensions)


def _part(part: str, namespace: str, name: str, statistic: str, **dimensions: Any) -> Json:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": _dimensions(dimensions)}
    return {"Id": part, "ReturnData": False, "MetricStat": {"Period": 300, "Stat": statistic, "Metric": metric}}


def _of(label: str, expression: str, *parts: Json) -> Json:
    return {"Metrics": [{"Id": "value", "Label": label, "Expression": expression}, *parts]}


def _functions(name: str, statistic: str, functions: str) -> list[Json]:
    return [
        _part(each[0].lower() + each[1:], "AWS/Lambda", name, statistic, FunctionName=ref(each))
        for each in functions.split()
    ]


def _lost(queue: str) -> Json:
    name = "ApproximateNumberOfMessagesVisible"
    return _figure("AWS/SQS", name, 300, "Maximum", QueueName=ref(f"{queue}Queue")) | _alarm(0)


_STREAMS = "Notifications FirstAccesses AuditChain SubscriptionEvents"
_CONSUMERS = f"{_STREAMS} WebHooks UploadsReceived ExportBuilder Extractions"
_JOBS = "ConsentExpiry VisibilityRelease Retention UploadSweep MailSweep AuditSealer Suspension IndexRebuild Operations"
_QUEUES = "UploadQueue ExportQueue ExtractionQueue HookQueue"
_OLDEST = "ApproximateAgeOfOldestMessage"
LOST = (
    "LostChanges", "LostEntries", "LostExports", "LostExtractions", "LostHooks", "LostMessages", "LostRuns",
    "LostUploads",
)  # fmt: skip
"""The queues of what was set aside."""

ALARMS: dict[str, Json] = {
    "ApiErrors": _of(
        "ApiErrors",
        "IF(errors > 5, 100 * errors / requests, 0)",
        _part("errors", "AWS/ApiGateway", "5xx", "Sum", ApiId=ref("Api")),
        _part("requests", "AWS/ApiGateway", "Count", "Sum", ApiId=ref("Api")),
    )
    | _alarm(1, (3, 2)),
    "ApiLatency": _figure("AWS/ApiGateway", "Latency", 300, "p99", ApiId=ref("Api")) | _alarm(3000, (3, 3)),
    "AuthorizerErrors": _figure("AWS/Lambda", "Errors", 300, "Sum", FunctionName=ref("Authorizer")) | _alarm(0),
    "AuthorizerFailures": _own("AuthorizerFailures") | _alarm(5),
    "Throttles": _figure("AWS/Lambda", "Throttles", 300, "Sum") | _alarm(0, (3, 2)),
    "TableThrottles": _of(
        "TableThrottles",
        "SUM(METRICS())",
        *(
            _part(
                f"{act.lower()}{table}", "AWS/DynamoDB", f"{act}ThrottleEvents", "Sum", TableName=ref(f"{table}Table")
            )
            for table in ("Records", "Audit")
            for act in ("Read", "Write")
        ),
    )
    | _alarm(0, (3, 2)),
    "EmergenciesBurst": _own("Emergencies", 3600) | _alarm(ref("EmergenciesExpectedAnHour")),
    "RefusalsBurst": _own("Refusals") | _alarm(ref("RefusalsExpected")),
    "Enumeration": _own("Refusals", Reason="quota-exceeded") | _alarm(10),
    "ForgedTokens": _own("Unauthenticated") | _alarm(1000),
    "PastTheEdge": _own("Unauthenticated", Reason="past-the-edge") | _alarm(10),
    "TraceTampered": _own("TraceTampered", 60) | _alarm(0),
    "SealLag": _own("SealLag", 300, "Maximum") | _alarm(300, (2, 2), "breaching"),
    "TraceCompleted": _own("TraceCompleted") | _alarm(0),
    "ConsumerErrors": _of("ConsumerErrors", "SUM(METRICS())", *_functions("Errors", "Sum", _CONSUMERS))
    | _alarm(0, (3, 2)),
    "JobErrors": _of("JobErrors", "SUM(METRICS())", *_functions("Errors", "Sum", _JOBS)) | _alarm(0),
    "IteratorAge": _of("IteratorAge", "MAX(METRICS())", *_functions("IteratorAge", "Maximum", _STREAMS))
    | _alarm(300000),
    "QueueAge": _of(
        "QueueAge",
        "MAX(METRICS())",
        *(
            _part(each[0].lower() + each[1:], "AWS/SQS", _OLDEST, "Maximum", QueueName=ref(each))
            for each in _QUEUES.split()
        ),
    )
    | _alarm(14400),
    **{queue: _lost(queue) for queue in LOST},
    "ExpiryLag": _own("ExpiryLag", 3600, "Maximum") | _alarm(3600, missing="breaching"),
    "Backlog": _own("Backlog", 3600, "Maximum") | _alarm(0, (3, 3)),
    "RetentionBacklog": _own("Backlog", 3600, "Maximum", Reason="retention") | _alarm(0),
    "OrphansSwept": _own("OrphansSwept", 3600) | _alarm(10),
    "UploadsGivenUp": _own("UploadsGivenUp", 3600) | _alarm(20),
    "MailsFailed": _own("MailsFailed", 3600) | _alarm(10),
    "MailsPutOff": _own("MailsPutOff", 900) | _alarm(50),
    "MailBounces": _figure("AWS/SES", "Reputation.BounceRate", 3600, "Maximum") | _alarm(0.05),
    "MalwareAvailable": _own("MalwareAvailable", 60) | _alarm(0),
}

_TABLES = ("RecordsTable", "AuditTable")


def _tables(**form: str) -> list[Json]:
    [(operator, text)] = form.items()
    return [{operator: {"Fn::Sub": text.format(f"${{{table}}}")} if "{" in text else ref(table)} for table in _TABLES]


RULES_OF_EVENTS: dict[str, Json] = {
    "KeyInDanger": {"resources": {"ARN": [ref(f"{name}Key") for name in ("Data", "Audit", "Seal", "Backup")]}},
    "TraceUnprotected": {
        "requestParameters": {
            "$or": [
                *(
                    {name: _tables(suffix="")}
                    for name in ("tableName", "tableArn", "sourceTableName", "sourceTableArn")
                ),
                {"resourceArn": _tables(wildcard="*table/{}*")},
                {"backupArn": _tables(wildcard="*table/{}/*")},
            ]
        }
    },
    "BucketUnprotected": {"requestParameters": {"bucketName": [ref("DocumentsBucket"), ref("SealsBucket")]}},
    "BackupFailed": {
        "state": ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"],
        "$or": [
            {"backupVaultName": [ref("BackupVault")]},
            {"sourceBackupVaultArn": [{"suffix": {"Fn::Sub": ":${BackupVault}"}}]},
        ],
    },
    "BackupUnprotected": {},
    "AuthorityChanged": {"sourceIPAddress": [{"anything-but": ["cloudformation.amazonaws.com"]}]},
    "MalwareVerdicts": {"s3ObjectDetails": {"bucketName": [ref("DocumentsBucket")]}},
}
"""What each rule of EventBridge asks of an event, beside where it is from and what it is called."""
OF_CLOUDTRAIL = ["AWS API Call via CloudTrail"]
KINDS_OF_EVENTS = {
    "BackupFailed": ["Backup Job State Change", "Copy Job State Change"],
    "MalwareVerdicts": ["GuardDuty Malware Protection Object Scan Result"],
}
"""What a rule hears, where it is not what somebody did."""

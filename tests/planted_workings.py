"""Dangerous edits of what functions run, and of what tables, buckets and secrets do for them."""

from functools import partial

from tests.planted import MAIN, Edit, Json, Templates, planted, properties

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
OWN_JOB = "functions_run_their_own_job"
DEPLOYED = "functions_are_deployed_as_they_were"
STORES = "stores_do_what_functions_count_on"


def told(templates: Templates) -> Json:
    """What the bucket of documents tells, and whom."""
    found: Json = properties(templates, "DocumentsBucket")["NotificationConfiguration"]
    return found


# ---------------------------------------------------------------- functions
@caught_by(OWN_JOB)
def a_retention_that_sends_mails(templates: Templates) -> None:
    properties(templates, "Retention")["Handler"] = "handlers.notifications.mail_sweep"


@caught_by(OWN_JOB)
def an_authorizer_that_lists_what_the_server_can(templates: Templates) -> None:
    properties(templates, "Authorizer")["Handler"] = "handlers.capability.handler"


@caught_by(OWN_JOB)
def a_function_that_logs_everything(templates: Templates) -> None:
    properties(templates, "Documents")["LoggingConfig"].update(ApplicationLogLevel="TRACE", SystemLogLevel="DEBUG")


@caught_by(OWN_JOB)
def a_function_that_logs_where_another_does(templates: Templates) -> None:
    properties(templates, "AuditTrail")["LoggingConfig"]["LogGroup"] = {"Ref": "CapabilityLogs"}


@caught_by(OWN_JOB)
def a_runtime_that_nobody_mends(templates: Templates) -> None:
    templates[MAIN]["Globals"]["Function"]["Runtime"] = "python3.9"


@caught_by(DEPLOYED)
def a_function_with_code_from_elsewhere(templates: Templates) -> None:
    properties(templates, "Records")["CodeUri"] = "../elsewhere/"


@caught_by(DEPLOYED)
def code_from_elsewhere(templates: Templates) -> None:
    templates[MAIN]["Globals"]["Function"]["CodeUri"] = "../elsewhere/"


@caught_by(DEPLOYED)
def a_function_by_another_alias(templates: Templates) -> None:
    properties(templates, "Records")["AutoPublishAlias"] = "other"


# ---------------------------------------------------------------- stores
@caught_by(STORES)
def a_stream_of_the_trace_that_shows_keys_alone(templates: Templates) -> None:
    properties(templates, "AuditTable")["StreamSpecification"]["StreamViewType"] = "KEYS_ONLY"


@caught_by(STORES)
def an_expiry_that_finds_nothing(templates: Templates) -> None:
    indexes = properties(templates, "RecordsTable")["GlobalSecondaryIndexes"]
    properties(templates, "RecordsTable")["GlobalSecondaryIndexes"] = [
        each for each in indexes if each["IndexName"] != "by-expiry"
    ]


@caught_by(STORES)
def an_index_of_whole_records(templates: Templates) -> None:
    for index in properties(templates, "RecordsTable")["GlobalSecondaryIndexes"]:
        index["Projection"] = {"ProjectionType": "ALL"}


@caught_by(STORES)
def uploads_that_nobody_is_told_of(templates: Templates) -> None:
    del told(templates)["QueueConfigurations"]


@caught_by(STORES)
def a_bucket_that_tells_nothing(templates: Templates) -> None:
    del properties(templates, "DocumentsBucket")["NotificationConfiguration"]


@caught_by(STORES)
def uploads_that_are_expected_elsewhere(templates: Templates) -> None:
    told(templates)["QueueConfigurations"][0]["Filter"]["S3Key"]["Rules"][0]["Value"] = "up/"


@caught_by(STORES)
def seals_of_which_others_are_told(templates: Templates) -> None:
    properties(templates, "SealsBucket")["NotificationConfiguration"] = dict(told(templates))


@caught_by(STORES)
def a_secret_that_can_be_guessed(templates: Templates) -> None:
    properties(templates, "Secret")["GenerateSecretString"]["PasswordLength"] = 8


@caught_by(STORES)
def a_table_that_nobody_judged(templates: Templates) -> None:
    templates[MAIN]["Resources"]["CopiesTable"] = dict(templates[MAIN]["Resources"]["RecordsTable"])

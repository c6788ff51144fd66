"""Dangerous edits after which something ends or goes unheard: alarms, streams, queues, jobs."""

from functools import partial

from tests.planted import MAIN, Edit, Json, Templates, arn, planted, properties, whole

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
ALARMS = "infra/alarms.yaml"
RING = "alarms_ring_as_they_did"
HEAR = "rules_hear_as_much_as_they_did"
TO_THE_END = "streams_and_queues_are_read_to_the_end"
AGAIN = "messages_are_tried_again"


def alarm(templates: Templates, name: str) -> Json:
    """What one alarm is to be like."""
    return properties(templates, name, ALARMS)


def event(templates: Templates, function: str, name: str) -> Json:
    """What begins a function."""
    found: Json = properties(templates, function)["Events"][name]["Properties"]
    return found


# ---------------------------------------------------------------- alarms
@caught_by(RING)
def no_alarm_where_the_trace_was_changed(templates: Templates) -> None:
    del templates[ALARMS]["Resources"]["TraceTampered"]


@caught_by(RING)
def no_alarm_where_anything_was_lost(templates: Templates) -> None:
    for name in [name for name in templates[ALARMS]["Resources"] if name.startswith("Lost")]:
        del templates[ALARMS]["Resources"][name]


@caught_by(RING)
def an_alarm_from_a_million_on(templates: Templates) -> None:
    alarm(templates, "TraceTampered")["Threshold"] = 1_000_000


@caught_by(RING)
def an_alarm_about_no_stage(templates: Templates) -> None:
    alarm(templates, "TraceTampered")["Dimensions"] = [{"Name": "Stage", "Value": "nowhere"}]


@caught_by(RING)
def an_alarm_that_waits_for_less(templates: Templates) -> None:
    alarm(templates, "SealLag")["ComparisonOperator"] = "LessThanThreshold"


@caught_by(RING)
def an_alarm_in_a_unit_that_nobody_measures(templates: Templates) -> None:
    alarm(templates, "Enumeration")["Unit"] = "Terabits"


@caught_by(RING)
def an_alarm_about_fewer_functions(templates: Templates) -> None:
    alarm(templates, "ConsumerErrors")["Metrics"].pop()


@caught_by(RING)
def an_alarm_that_depends_on_a_mail(templates: Templates) -> None:
    whole(templates, "TraceTampered", ALARMS)["Condition"] = "TellsByMail"


@caught_by(HEAR)
def rules_about_another_account(templates: Templates) -> None:
    properties(templates, "KeyInDanger", ALARMS)["EventPattern"]["account"] = ["none"]


@caught_by(HEAR)
def a_rule_about_root_alone(templates: Templates) -> None:
    pattern = properties(templates, "AuthorityChanged", ALARMS)["EventPattern"]
    pattern["detail"]["userIdentity"] = {"type": ["Root"]}


@caught_by(HEAR)
def a_rule_about_another_table(templates: Templates) -> None:
    pattern = properties(templates, "TraceUnprotected", ALARMS)["EventPattern"]
    pattern["detail"]["requestParameters"] = {"tableName": ["another"]}


@caught_by(HEAR)
def a_rule_that_hears_nothing_that_happens(templates: Templates) -> None:
    pattern = properties(templates, "BackupFailed", ALARMS)["EventPattern"]
    pattern["detail-type"] = ["Nothing"]


@caught_by("what_was_set_aside_rings")
def a_queue_of_what_failed_that_nobody_watches(templates: Templates) -> None:
    queue = dict(whole(templates, "LostHooks"))
    templates[MAIN]["Resources"]["LostMore"] = queue
    properties(templates, "HookQueue")["RedrivePolicy"]["deadLetterTargetArn"] = arn("LostMore")


# ---------------------------------------------------------------- streams, queues, jobs
@caught_by(TO_THE_END)
def a_chain_that_takes_no_entry(templates: Templates) -> None:
    event(templates, "AuditChain", "Entry")["FilterCriteria"]["Filters"] = [{"Pattern": '{"eventName": ["NEVER"]}'}]


@caught_by(TO_THE_END)
def a_chain_that_begins_late(templates: Templates) -> None:
    event(templates, "AuditChain", "Entry")["StartingPosition"] = "LATEST"


@caught_by(TO_THE_END)
def a_chain_that_gives_up_at_once(templates: Templates) -> None:
    event(templates, "AuditChain", "Entry")["MaximumRetryAttempts"] = 0


@caught_by(TO_THE_END)
def a_stream_whose_failures_are_nobodys(templates: Templates) -> None:
    event(templates, "FirstAccesses", "Entry")["DestinationConfig"]["OnFailure"]["Destination"] = arn("LostHooks")


@caught_by(TO_THE_END)
def hooks_that_are_sent_again_with_what_failed(templates: Templates) -> None:
    del event(templates, "WebHooks", "Hook")["FunctionResponseTypes"]


@caught_by(TO_THE_END)
def a_stream_that_nobody_reads(templates: Templates) -> None:
    del properties(templates, "SubscriptionEvents")["Events"]


@caught_by("schedules_never_end")
def a_retention_that_has_ended(templates: Templates) -> None:
    event(templates, "Retention", "Now")["EndDate"] = "2026-01-01T00:00:00Z"


@caught_by("schedules_never_end")
def a_retention_once_a_year(templates: Templates) -> None:
    event(templates, "Retention", "Now")["ScheduleExpression"] = "rate(365 days)"


@caught_by(AGAIN)
def uploads_that_are_forgotten_in_a_minute(templates: Templates) -> None:
    properties(templates, "UploadQueue")["MessageRetentionPeriod"] = 60


@caught_by(AGAIN)
def uploads_that_are_tried_a_thousand_times(templates: Templates) -> None:
    properties(templates, "UploadQueue")["RedrivePolicy"]["maxReceiveCount"] = 1000


@caught_by(AGAIN)
def uploads_that_are_taken_twice_at_once(templates: Templates) -> None:
    properties(templates, "UploadQueue")["VisibilityTimeout"] = 30


@caught_by("failed_runs_are_set_aside")
def runs_that_fail_in_silence(templates: Templates) -> None:
    del templates[MAIN]["Globals"]["Function"]["DeadLetterQueue"]

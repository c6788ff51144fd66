"""Dangerous edits of what goes by itself, and of limits: life cycles, backups, presets, what browsers are told."""

from functools import partial
from typing import Any

from tests.planted import MAIN, Edit, Json, Templates, arn, planted, properties

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
EDGE, FIREWALL = "infra/edge.yaml", "infra/firewall.yaml"
DELETE = "stores_delete_what_they_did"
NUMBERS = "numbers_keep_their_bounds"
CHOICES = "choices_stay_as_narrow"
GIVEN = "variables_say_what_the_operator_gave"


def former_versions(templates: Templates) -> Json:
    """The rule by which deleted documents are gone in the end."""
    found: Json = properties(templates, "DocumentsBucket")["LifecycleConfiguration"]["Rules"][0]
    return found


def parameter(templates: Templates, name: str, path: str = MAIN) -> Json:
    """The declaration of one parameter."""
    found: Json = templates[path]["Parameters"][name]
    return found


# ---------------------------------------------------------------- what goes by itself
@caught_by(DELETE)
def former_versions_that_stay(templates: Templates) -> None:
    former_versions(templates)["Status"] = "Disabled"


@caught_by(DELETE)
def former_versions_of_which_a_hundred_stay(templates: Templates) -> None:
    former_versions(templates)["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = 100


@caught_by(DELETE)
def former_versions_that_go_if_they_are_tagged(templates: Templates) -> None:
    former_versions(templates)["TagFilters"] = [{"Key": "x", "Value": "y"}]


@caught_by(DELETE)
def documents_that_take_a_day_to_read(templates: Templates) -> None:
    former_versions(templates)["Transitions"] = [{"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 1}]


@caught_by(DELETE)
def records_that_end_by_their_date(templates: Templates) -> None:
    properties(templates, "RecordsTable")["TimeToLiveSpecification"]["AttributeName"] = "ls_updated"


@caught_by("backups_are_made_daily")
def a_backup_in_leap_years(templates: Templates) -> None:
    properties(templates, "BackupPlan")["BackupPlan"]["BackupPlanRule"][0]["ScheduleExpression"] = "cron(0 3 29 2 ? *)"


@caught_by("backups_are_made_daily")
def a_backup_that_may_begin_in_a_month(templates: Templates) -> None:
    properties(templates, "BackupPlan")["BackupPlan"]["BackupPlanRule"][0]["StartWindowMinutes"] = 60_000


@caught_by("keys_stay_in_their_region")
def a_key_of_every_region(templates: Templates) -> None:
    properties(templates, "DataKey")["MultiRegion"] = True


@caught_by("logs_are_encrypted_and_end")
def a_log_under_the_key_of_backups(templates: Templates) -> None:
    properties(templates, "RecordsLogs")["KmsKeyId"] = arn("BackupKey")


# ---------------------------------------------------------------- limits
@caught_by(NUMBERS)
def an_authorisation_of_a_century(templates: Templates) -> None:
    parameter(templates, "AuthorisationMonths").update(Default=1200, MaxValue=1200)


@caught_by(NUMBERS)
def an_api_that_takes_a_hundred_thousand_requests_a_second(templates: Templates) -> None:
    parameter(templates, "ThrottlingRate")["Default"] = 100_000


@caught_by(NUMBERS)
def a_firewall_that_takes_any_number_of_requests(templates: Templates) -> None:
    parameter(templates, "RequestsPerAddress", FIREWALL)["Default"] = 2_000_000_000


@caught_by("a_firewall_blocks")
def a_firewall_that_believes_a_header(templates: Templates) -> None:
    counted = properties(templates, "WebAcl", FIREWALL)["Rules"][0]["Statement"]["RateBasedStatement"]
    counted["AggregateKeyType"] = "FORWARDED_IP"
    counted["ForwardedIPConfig"] = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH"}


@caught_by("routes_are_throttled")
def a_route_that_takes_more(templates: Templates) -> None:
    more = {"ThrottlingRateLimit": 100_000, "ThrottlingBurstLimit": 100_000}
    properties(templates, "Api")["RouteSettings"]["ANY /fhir/Patient"] = more


@caught_by("functions_of_the_application_are_bounded")
def a_function_that_takes_all_concurrency(templates: Templates) -> None:
    properties(templates, "Records")["ReservedConcurrentExecutions"] = {"Ref": "AWS::NoValue"}


@caught_by(CHOICES)
def a_reader_of_everything_in_any_account(templates: Templates) -> None:
    del parameter(templates, "OperatorsRoleArn")["AllowedPattern"]


@caught_by(CHOICES)
def logs_of_everything(templates: Templates) -> None:
    parameter(templates, "LogLevel")["AllowedValues"].append("DEBUG")


@caught_by(CHOICES)
def seals_once_a_month(templates: Templates) -> None:
    parameter(templates, "SealSchedule")["Default"] = "rate(30 days)"


@caught_by(GIVEN)
def an_erasure_after_a_year(templates: Templates) -> None:
    templates[MAIN]["Globals"]["Function"]["Environment"]["Variables"]["ERASURE_DELAY_DAYS"] = "400"


@caught_by(GIVEN)
def documents_that_are_not_scanned(templates: Templates) -> None:
    templates[MAIN]["Globals"]["Function"]["Environment"]["Variables"]["MALWARE_SCAN"] = "off"


@caught_by("browsers_are_told_the_same")
def answers_that_any_page_reads(templates: Templates) -> None:
    told = properties(templates, "ResponseHeaders", EDGE)["ResponseHeadersPolicyConfig"]
    anything: Any = {"Items": ["*"]}
    told["CorsConfig"] = {"AccessControlAllowOrigins": anything, "AccessControlAllowHeaders": anything}


@caught_by("browsers_are_told_the_same")
def answers_that_say_nothing_to_browsers(templates: Templates) -> None:
    properties(templates, "ResponseHeaders", EDGE)["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"] = {}


@caught_by("other_sites_are_named")
def documents_that_pages_delete(templates: Templates) -> None:
    rule = properties(templates, "DocumentsBucket")["CorsConfiguration"]["CorsRules"][0]
    rule["AllowedMethods"].append("DELETE")

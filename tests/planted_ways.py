"""Dangerous edits by which data leave, doors stand open, and what keeps or watches them is off."""

from functools import partial
from typing import Any

from tests.planted import Edit, Json, Templates, planted, properties

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
EDGE, FIREWALL, ALARMS = "infra/edge.yaml", "infra/firewall.yaml", "infra/alarms.yaml"
COPIES = "copies_go_where_the_operator_says"
OTHERS = "nothing_of_other_accounts_is_named"
PASSES = "the_edge_only_passes_on"
RESOLVED = "secrets_are_resolved_in_two_places"
PRESET = "trust_and_copies_are_the_operators_to_give"
ON = "alarms_and_jobs_are_on"
STRANGER = "999999999999"


def behaviour(templates: Templates) -> Json:
    """How the edge treats every request."""
    found: Json = distribution(templates)["DefaultCacheBehavior"]
    return found


def distribution(templates: Templates) -> Json:
    """The settings of CloudFront."""
    found: Json = properties(templates, "Distribution", EDGE)["DistributionConfig"]
    return found


def functions(templates: Templates) -> Json:
    """What all functions have in common."""
    found: Json = templates["template.yaml"]["Globals"]["Function"]
    return found


# ---------------------------------------------------------------- ways out
@caught_by(COPIES)
def documents_copied_to_a_stranger(templates: Templates) -> None:
    [_, replication, _] = properties(templates, "DocumentsBucket")["ReplicationConfiguration"]["Fn::If"]
    replication["Rules"][0]["Destination"] = {"Bucket": "arn:aws:s3:::stranger", "Account": STRANGER}


@caught_by(COPIES)
def documents_copied_into_the_hands_of_another_owner(templates: Templates) -> None:
    [_, replication, _] = properties(templates, "DocumentsBucket")["ReplicationConfiguration"]["Fn::If"]
    replication["Rules"][0]["Destination"]["AccessControlTranslation"] = {"Owner": "Destination"}


@caught_by(COPIES)
def backups_copied_to_a_stranger(templates: Templates) -> None:
    [rule] = properties(templates, "BackupPlan")["BackupPlan"]["BackupPlanRule"]
    rule["CopyActions"] = [{"DestinationBackupVaultArn": {"Ref": "ReplicaBucket"}, "Lifecycle": {"DeleteAfterDays": 1}}]


@caught_by("types_and_properties_are_known")
def records_streamed_to_a_stranger(templates: Templates) -> None:
    stream = f"arn:aws:kinesis:eu-west-3:{STRANGER}:stream/x"
    properties(templates, "RecordsTable")["KinesisStreamSpecification"] = {"StreamArn": stream}


@caught_by("types_and_properties_are_known")
def code_of_a_stranger_in_every_function(templates: Templates) -> None:
    functions(templates)["Layers"] = [f"arn:aws:lambda:eu-west-3:{STRANGER}:layer:evil:1"]


@caught_by(OTHERS)
def a_layer_of_a_stranger(templates: Templates) -> None:
    functions(templates)["Layers"] = [f"arn:aws:lambda:eu-west-3:{STRANGER}:layer:evil:1"]


@caught_by(OTHERS)
def a_bucket_of_a_stranger(templates: Templates) -> None:
    [policy, *_] = properties(templates, "ExportsRole")["Policies"]
    policy["PolicyDocument"]["Statement"][0]["Resource"] = "arn:aws:s3:::stranger/*"


@caught_by("code_and_stacks_are_those_of_this_project")
def a_function_with_the_code_of_a_stranger(templates: Templates) -> None:
    properties(templates, "Records")["CodeUri"] = {"Bucket": "stranger", "Key": "evil.zip"}


@caught_by("code_and_stacks_are_those_of_this_project")
def a_stack_of_a_stranger(templates: Templates) -> None:
    properties(templates, "Dashboard")["TemplateURL"] = "https://stranger.s3.amazonaws.com/evil.yaml"


@caught_by("messages_stay_here")
def notices_of_documents_to_a_stranger(templates: Templates) -> None:
    properties(templates, "DocumentsBucket")["NotificationConfiguration"]["QueueConfigurations"][0]["Queue"] = (
        "stranger"
    )


@caught_by(RESOLVED)
def a_secret_in_an_output(templates: Templates) -> None:
    value = {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:key}}"}
    templates["template.yaml"]["Outputs"]["Planted"] = {"Value": value}


@caught_by(RESOLVED)
def a_secret_in_a_description(templates: Templates) -> None:
    value = {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:key}}"}
    properties(templates, "Records")["Description"] = value


@caught_by("variables_are_settings")
def every_event_in_the_log(templates: Templates) -> None:
    functions(templates)["Environment"]["Variables"]["POWERTOOLS_LOGGER_LOG_EVENT"] = "true"


@caught_by("variables_are_settings")
def a_program_around_a_function(templates: Templates) -> None:
    functions(templates)["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/evil"


# ---------------------------------------------------------------- doors
@caught_by(PASSES)
def an_edge_that_keeps_answers(templates: Templates) -> None:
    behaviour(templates)["CachePolicyId"] = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@caught_by(PASSES)
def an_edge_that_shows_requests_to_a_stranger(templates: Templates) -> None:
    function = f"arn:aws:lambda:us-east-1:{STRANGER}:function:x:1"
    association = {"EventType": "origin-request", "IncludeBody": True, "LambdaFunctionARN": function}
    behaviour(templates)["LambdaFunctionAssociations"] = [association]


@caught_by(PASSES)
def an_edge_that_leads_to_a_stranger(templates: Templates) -> None:
    properties(templates, "Edge")["Parameters"]["OriginDomainName"] = "evil.example.org"


@caught_by(PASSES)
def an_edge_with_another_origin_behind(templates: Templates) -> None:
    another: Any = {**behaviour(templates), "PathPattern": "/fhir/*"}
    distribution(templates)["CacheBehaviors"] = [another]


@caught_by("nobody_goes_round_the_edge")
def a_header_that_the_authorizer_does_not_know(templates: Templates) -> None:
    distribution(templates)["Origins"][0]["OriginCustomHeaders"][0]["HeaderName"] = "x-other"


@caught_by("a_firewall_blocks")
def a_firewall_that_counts(templates: Templates) -> None:
    for rule in properties(templates, "WebAcl", FIREWALL)["Rules"]:
        rule.update({"Action": {"Count": {}}} if "Action" in rule else {"OverrideAction": {"Count": {}}})


@caught_by("a_firewall_blocks")
def a_firewall_without_one_of_its_rules(templates: Templates) -> None:
    [*_, common] = properties(templates, "WebAcl", FIREWALL)["Rules"]
    overrides = common["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    overrides.append({"Name": "GenericLFI_URIPATH", "ActionToUse": {"Count": {}}})


@caught_by("doors_are_as_the_operator_says")
def a_second_door_beside_certificates(templates: Templates) -> None:
    properties(templates, "Api")["DisableExecuteApiEndpoint"] = {"Fn::If": ["HasOnlyOwnName", False, False]}


@caught_by("doors_are_as_the_operator_says")
def a_name_that_asks_for_no_certificate(templates: Templates) -> None:
    nothing = {"Ref": "AWS::NoValue"}
    properties(templates, "ApiDomain")["MutualTlsAuthentication"] = {
        "Fn::If": ["AsksForClientCertificates", nothing, nothing]
    }


@caught_by("doors_are_as_the_operator_says")
def issuers_that_are_not_the_operators(templates: Templates) -> None:
    properties(templates, "Authorizer")["Environment"]["Variables"]["ISSUERS"] = {"Ref": "PortalUrl"}


@caught_by(PRESET)
def an_issuer_of_somebody_else(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["Issuers"]["Default"] = '[{"issuer": "https://evil.example.org"}]'


@caught_by(PRESET)
def a_reader_of_everything_by_default(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["OperatorsRoleArn"]["Default"] = "arn:aws:iam::*:role/*"


@caught_by("other_sites_are_named")
def documents_for_the_pages_of_any_site(templates: Templates) -> None:
    properties(templates, "DocumentsBucket")["CorsConfiguration"]["CorsRules"][0]["AllowedOrigins"] = ["https://*"]


# ---------------------------------------------------------------- what keeps and watches
@caught_by(COPIES)
def seals_locked_for_one_year(templates: Templates) -> None:
    properties(templates, "SealsBucket")["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Years"] = 1


@caught_by(PRESET)
def seals_locked_for_one_year_by_default(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["SealYears"]["Default"] = 1


@caught_by("backups_hold_everything")
def documents_in_no_backup(templates: Templates) -> None:
    selection = properties(templates, "BackupSelection")["BackupSelection"]
    selection["Resources"] = selection["Resources"][:2]


@caught_by("backups_are_nobodys_to_delete")
def backups_without_a_lock(templates: Templates) -> None:
    del properties(templates, "BackupVault")["LockConfiguration"]


@caught_by(ON)
def rules_that_tell_nothing(templates: Templates) -> None:
    for resource in templates[ALARMS]["Resources"].values():
        if resource["Type"] == "AWS::Events::Rule":
            resource["Properties"]["State"] = "DISABLED"


@caught_by(ON)
def an_alarm_that_tells_nobody(templates: Templates) -> None:
    [alarm, *_] = [each for each in templates[ALARMS]["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    alarm["Properties"]["ActionsEnabled"] = False


@caught_by(ON)
def a_job_of_retention_that_never_runs(templates: Templates) -> None:
    properties(templates, "Retention")["Events"]["Now"]["Properties"]["State"] = "DISABLED"


@caught_by("what_unprotects_is_told")
def a_policy_of_a_bucket_that_changes_in_silence(templates: Templates) -> None:
    properties(templates, "BucketUnprotected", ALARMS)["EventPattern"]["detail"]["eventName"].remove("PutBucketPolicy")


@caught_by("names_leave_room_for_another_stack")
def a_queue_with_a_fixed_name(templates: Templates) -> None:
    properties(templates, "HookQueue")["QueueName"] = "hooks"

"""Dangerous edits about what is stored, logged, kept and lost."""

from functools import partial

from tests.planted import Edit, Templates, planted, policy_of, properties, strike, whole

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
EDGE, FIREWALL = "infra/edge.yaml", "infra/firewall.yaml"
LOGS = "access_logs_say_neither_what_nor_who"
TABLES = "tables_are_encrypted_recoverable_and_protected"
LOST = "what_fails_is_set_aside"


@caught_by(LOGS)
def paths_in_the_access_log(templates: Templates) -> None:
    settings = properties(templates, "Api")["AccessLogSettings"]
    settings["Format"] = settings["Format"].replace("$context.routeKey", "$context.path")


@caught_by(LOGS)
def callers_in_the_access_log(templates: Templates) -> None:
    settings = properties(templates, "Api")["AccessLogSettings"]
    settings["Format"] = settings["Format"].replace("$context.requestId", "$context.authorizer.requester")


@caught_by(LOGS)
def no_access_log(templates: Templates) -> None:
    del properties(templates, "Api")["AccessLogSettings"]


@caught_by("logs_of_the_edge_say_no_more")
def queries_in_the_log_of_the_edge(templates: Templates) -> None:
    properties(templates, "AccessLogDelivery", FIREWALL)["RecordFields"].append("cs-uri-query")


@caught_by("logs_of_the_edge_say_no_more")
def queries_in_the_log_of_the_firewall(templates: Templates) -> None:
    fields = properties(templates, "FirewallLogging", FIREWALL)["RedactedFields"]
    fields.remove({"QueryString": {}})


@caught_by("a_firewall_stands_before_each_distribution")
def no_firewall(templates: Templates) -> None:
    del properties(templates, "Distribution", EDGE)["DistributionConfig"]["WebACLId"]


@caught_by("the_edge_speaks_modern_tls_alone")
def old_tls(templates: Templates) -> None:
    certificate = properties(templates, "Distribution", EDGE)["DistributionConfig"]["ViewerCertificate"]
    certificate["MinimumProtocolVersion"] = "TLSv1"


@caught_by("names_of_the_api_speak_modern_tls")
def a_name_of_the_api_with_old_tls(templates: Templates) -> None:
    [configuration] = properties(templates, "ApiDomain")["DomainNameConfigurations"]
    configuration["SecurityPolicy"] = "TLS_1_0"


@caught_by("what_is_stored_outlives_the_stack")
def records_that_go_with_the_stack(templates: Templates) -> None:
    whole(templates, "RecordsTable")["DeletionPolicy"] = "Delete"


@caught_by(TABLES)
def a_table_that_can_be_deleted(templates: Templates) -> None:
    properties(templates, "RecordsTable")["DeletionProtectionEnabled"] = False


@caught_by(TABLES)
def a_table_that_cannot_be_recovered(templates: Templates) -> None:
    properties(templates, "AuditTable")["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = False


@caught_by(TABLES)
def a_table_under_a_key_of_aws(templates: Templates) -> None:
    properties(templates, "RecordsTable")["SSESpecification"] = {"SSEEnabled": True, "SSEType": "KMS"}


@caught_by("the_trace_has_a_key_of_its_own")
def a_trace_under_the_key_of_the_records(templates: Templates) -> None:
    properties(templates, "AuditTable")["SSESpecification"]["KMSMasterKeyId"] = {"Fn::GetAtt": ["DataKey", "Arn"]}


@caught_by("the_trace_never_expires")
def entries_of_the_trace_that_expire(templates: Templates) -> None:
    properties(templates, "AuditTable")["TimeToLiveSpecification"] = {"AttributeName": "expires", "Enabled": True}


@caught_by("documents_never_expire")
def documents_that_expire(templates: Templates) -> None:
    rules = properties(templates, "DocumentsBucket")["LifecycleConfiguration"]["Rules"]
    rules.append({"Id": "planted", "Status": "Enabled", "ExpirationInDays": 3650})


@caught_by("buckets_are_private")
def a_bucket_that_may_become_public(templates: Templates) -> None:
    properties(templates, "DocumentsBucket")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False


@caught_by("buckets_keep_versions")
def a_bucket_without_versions(templates: Templates) -> None:
    properties(templates, "DocumentsBucket")["VersioningConfiguration"]["Status"] = "Suspended"


@caught_by("buckets_are_encrypted")
def a_bucket_under_the_key_of_s3(templates: Templates) -> None:
    rules = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    properties(templates, "DocumentsBucket")["BucketEncryption"] = {"ServerSideEncryptionConfiguration": rules}


@caught_by("buckets_are_encrypted")
def a_bucket_without_access_log(templates: Templates) -> None:
    del properties(templates, "SealsBucket")["LoggingConfiguration"]


@caught_by("buckets_refuse_what_is_not_tls")
def a_bucket_without_tls(templates: Templates) -> None:
    strike(templates, "DocumentsBucketPolicy", "TlsOnly")


@caught_by("buckets_refuse_other_encryption")
def a_bucket_that_takes_any_key(templates: Templates) -> None:
    strike(templates, "DocumentsBucketPolicy", "OwnKeyOnly")


@caught_by("signed_addresses_end")
def signed_addresses_of_any_age(templates: Templates) -> None:
    strike(templates, "DocumentsBucketPolicy", "SignaturesWithinAQuarterOfAnHour")


@caught_by("signed_addresses_end")
def signed_addresses_of_a_week(templates: Templates) -> None:
    for statement in policy_of(templates, "DocumentsBucketPolicy")["Statement"]:
        if statement["Sid"] == "SignaturesWithinAQuarterOfAnHour":
            statement["Condition"]["NumericGreaterThan"]["s3:signatureAge"] = "604800000"


@caught_by("seals_are_locked")
def seals_that_root_deletes(templates: Templates) -> None:
    lock = properties(templates, "SealsBucket")["ObjectLockConfiguration"]["Rule"]
    lock["DefaultRetention"]["Mode"] = "GOVERNANCE"


@caught_by("keys_rotate")
def a_key_that_is_never_renewed(templates: Templates) -> None:
    properties(templates, "DataKey")["EnableKeyRotation"] = False


@caught_by("secrets_have_a_key_and_are_made_here")
def a_secret_in_the_template(templates: Templates) -> None:
    secret = properties(templates, "Secret")
    del secret["GenerateSecretString"]
    secret["SecretString"] = '{"key": "correct-horse-battery-staple"}'  # pragma: allowlist secret


@caught_by("logs_are_encrypted_and_end")
def a_log_without_a_key(templates: Templates) -> None:
    del properties(templates, "RecordsLogs")["KmsKeyId"]


@caught_by("logs_are_encrypted_and_end")
def a_log_that_never_ends(templates: Templates) -> None:
    del properties(templates, "DocumentsLogs")["RetentionInDays"]


@caught_by("functions_log_to_their_own_group")
def a_function_that_logs_elsewhere(templates: Templates) -> None:
    del properties(templates, "Consents")["LoggingConfig"]


@caught_by("functions_of_the_application_are_bounded")
def variables_under_a_key_of_aws(templates: Templates) -> None:
    del templates["template.yaml"]["Globals"]["Function"]["KmsKeyArn"]


@caught_by("queues_are_encrypted")
def a_queue_that_is_not_encrypted(templates: Templates) -> None:
    properties(templates, "HookQueue")["SqsManagedSseEnabled"] = False


@caught_by(LOST)
def a_queue_that_loses_what_fails(templates: Templates) -> None:
    del properties(templates, "UploadQueue")["RedrivePolicy"]


@caught_by(LOST)
def a_stream_that_loses_what_fails(templates: Templates) -> None:
    del properties(templates, "AuditChain")["Events"]["Entry"]["Properties"]["DestinationConfig"]


@caught_by(LOST)
def a_schedule_that_loses_what_fails(templates: Templates) -> None:
    del properties(templates, "Retention")["Events"]["Now"]["Properties"]["DeadLetterConfig"]


@caught_by("what_failed_is_kept_for_two_weeks")
def failures_kept_for_a_day(templates: Templates) -> None:
    properties(templates, "LostEntries")["MessageRetentionPeriod"] = 86400


@caught_by("backups_end")
def backups_of_400_days(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["BackupDays"] |= {"Default": 400, "MaxValue": 400}


@caught_by("backups_are_nobodys_to_delete")
def backups_that_anybody_deletes(templates: Templates) -> None:
    del properties(templates, "BackupVault")["AccessPolicy"]


@caught_by("backups_hold_everything")
def a_trace_without_backup(templates: Templates) -> None:
    chosen = properties(templates, "BackupSelection")["BackupSelection"]["Resources"]
    chosen.remove({"Fn::GetAtt": ["AuditTable", "Arn"]})


@caught_by("an_erasure_ends_in_time")
def deleted_documents_kept_for_a_year(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["NoncurrentVersionDays"] |= {"Default": 365, "MaxValue": 365}


@caught_by("an_erasure_ends_in_time")
def an_erasure_that_begins_after_three_months(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["ErasureDelayDays"]["MaxValue"] = 90


@caught_by("an_erasure_ends_in_time")
def a_job_of_retention_once_a_year(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["RetentionSchedule"]["AllowedValues"].append("rate(365 days)")


@caught_by("archives_end")
def archives_of_a_year(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["ExportDays"]["MaxValue"] = 365


@caught_by("data_stay_in_the_union")
def records_in_the_united_states(templates: Templates) -> None:
    [assertion] = templates["template.yaml"]["Rules"]["HealthDataStaysInTheUnion"]["Assertions"]
    [_, contains] = assertion["Assert"]["Fn::Or"]
    contains["Fn::Contains"][0].append("us-east-1")

"""Dangerous edits that hide: behind a condition, a macro, an exception, another route, or in code of a template."""

from functools import partial
from typing import Any

from tests.planted import MAIN, Edit, Json, Templates, arn, grant, permit, planted, policy_of, properties, statement_of

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
EDGE, FIREWALL, ALARMS = "infra/edge.yaml", "infra/firewall.yaml", "infra/alarms.yaml"
NOTHING = {"Ref": "AWS::NoValue"}
CONDITION = "conditions_are_known"
READ_AS_WRITTEN = "templates_are_what_they_read"
HELD = "stores_are_held_by_few"
STRANGERS = "resources_let_no_stranger_in"
ROUTES = "every_route_but_two_asks_the_authorizer"
REFUSED = "what_is_refused_stays_refused"
GIVEN = "variables_say_what_the_operator_gave"
TOGETHER = "no_secret_is_put_together"


def under(templates: Templates, compared: Any, value: Any) -> str:
    """The name of a new condition, that something is a value."""
    templates[MAIN]["Conditions"]["Planted"] = {"Fn::Equals": [compared, value]}
    return "Planted"


def without(templates: Templates, holder: str, sid: str, condition: str) -> None:
    """Take a statement out of a policy under a condition alone."""
    statements = policy_of(templates, holder)["Statement"]
    denial = statement_of(templates, holder, sid)
    statements[statements.index(denial)] = {"Fn::If": [condition, NOTHING, denial]}


# ---------------------------------------------------------------- conditions
@caught_by(CONDITION)
def a_key_for_everybody_in_one_stage(templates: Templates) -> None:
    condition = under(templates, {"Ref": "Stage"}, "preprod")
    permit(templates, "DataKey", "*", "kms:Decrypt")
    statements = policy_of(templates, "DataKey")["Statement"]
    statements[-1] = {"Fn::If": [condition, statements[-1], NOTHING]}


@caught_by(CONDITION)
def a_key_that_administrators_use_in_one_region(templates: Templates) -> None:
    condition = under(templates, {"Ref": "AWS::Region"}, "eu-central-1")
    without(templates, "DataKey", "NobodyButTheFunctionsReads", condition)


@caught_by(CONDITION)
def documents_that_administrators_read_while_logs_are_short(templates: Templates) -> None:
    condition = under(templates, {"Ref": "LogRetentionDays"}, 90)
    without(templates, "DocumentsBucketPolicy", "NobodyButTheFunctionsReads", condition)


@caught_by(CONDITION)
def a_condition_that_asks_for_something_else(templates: Templates) -> None:
    templates[MAIN]["Conditions"]["BehindEdge"] = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}


@caught_by(GIVEN)
def issuers_of_a_stranger_in_one_stage(templates: Templates) -> None:
    condition = under(templates, {"Ref": "Stage"}, "dev")
    variables = properties(templates, "Authorizer")["Environment"]["Variables"]
    variables["ISSUERS"] = {"Fn::If": [condition, '[{"issuer": "https://evil.example.org"}]', {"Ref": "Issuers"}]}


@caught_by("resources_are_always_there")
def a_policy_of_a_bucket_that_comes_with_the_edge(templates: Templates) -> None:
    templates[MAIN]["Resources"]["DocumentsBucketPolicy"]["Condition"] = "BehindEdge"


@caught_by(REFUSED)
def a_region_that_is_refused_in_no_stage(templates: Templates) -> None:
    never = {"Fn::Equals": [{"Ref": "Stage"}, "never"]}
    templates[MAIN]["Rules"]["HealthDataStaysInTheUnion"]["RuleCondition"] = never


@caught_by(REFUSED)
def an_edge_that_needs_no_firewall(templates: Templates) -> None:
    del templates[MAIN]["Rules"]["AnEdgeHasItsFirewall"]


# ---------------------------------------------------------------- macros and stacks
@caught_by(READ_AS_WRITTEN)
def a_macro_of_a_stranger_on_everything(templates: Templates) -> None:
    templates[MAIN]["Transform"] = ["AWS::Serverless-2016-10-31", "Evil"]


@caught_by(READ_AS_WRITTEN)
def a_piece_of_a_policy_from_elsewhere(templates: Templates) -> None:
    include = {"Name": "AWS::Include", "Parameters": {"Location": "s3://evil/more.yaml"}}
    policy_of(templates, "DocumentsBucketPolicy")["Fn::Transform"] = include


@caught_by(READ_AS_WRITTEN)
def a_name_from_another_stack(templates: Templates) -> None:
    properties(templates, "Records")["Environment"] = {"Variables": {"PORTAL_URL": {"Fn::ImportValue": "evil"}}}


@caught_by(READ_AS_WRITTEN)
def a_hook_of_a_deployment(templates: Templates) -> None:
    templates[EDGE]["Hooks"] = {"Evil": {"Type": "AWS::CodeDeploy::BlueGreen"}}


@caught_by("nested_stacks_are_there")
def no_alarms(templates: Templates) -> None:
    del templates[MAIN]["Resources"]["Alarms"]
    del templates[MAIN]["Outputs"]["Operators"]


@caught_by("nested_stacks_are_there")
def alarms_about_another_queue(templates: Templates) -> None:
    queue = {"Fn::GetAtt": ["LostHooks", "QueueName"]}
    properties(templates, "Alarms")["Parameters"]["LostEntriesQueue"] = queue


@caught_by("code_in_templates_is_known")
def code_at_the_edge_that_shows_tokens(templates: Templates) -> None:
    code = properties(templates, "Challenge", FIREWALL)["Code"]
    code["ZipFile"] = f"import urllib.request\n{code['ZipFile']}"


# ---------------------------------------------------------------- who, and to what
@caught_by("policies_say_whom_they_mean")
def documents_for_all_but_somebody(templates: Templates) -> None:
    statement = exception(templates)
    policy_of(templates, "DocumentsBucketPolicy")["Statement"].append(statement)


@caught_by(STRANGERS)
def a_key_for_all_but_somebody(templates: Templates) -> None:
    policy_of(templates, "DataKey")["Statement"].append(exception(templates) | {"Action": "kms:Decrypt"})


@caught_by("policies_say_whom_they_mean")
def documents_for_all_but_somebody_where_no_choice_leads(templates: Templates) -> None:
    condition = under(templates, {"Ref": "Stage"}, "preprod")
    statements = policy_of(templates, "DocumentsBucketPolicy")["Statement"]
    statements.append({"Fn::If": [condition, exception(templates), NOTHING]})


def exception(_: Templates) -> Json:
    """A statement that permits everybody but the account's root."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    return {"Effect": "Allow", "NotPrincipal": {"AWS": root}, "Action": "s3:GetObject", "Resource": "*"}


@caught_by(STRANGERS)
def a_key_for_one_role_of_the_account(templates: Templates) -> None:
    role = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/intern"}}
    permit(templates, "DataKey", role, "kms:Decrypt")


@caught_by(HELD)
def a_public_function_that_reads_records(templates: Templates) -> None:
    grant(templates, "CapabilityRole", "dynamodb:Query", arn("RecordsTable"))


@caught_by(HELD)
def a_public_function_that_writes_records(templates: Templates) -> None:
    grant(templates, "CapabilityRole", "dynamodb:PutItem", arn("RecordsTable"))


@caught_by(HELD)
def a_public_function_that_holds_a_policy_of_others(templates: Templates) -> None:
    properties(templates, "CapabilityRole")["ManagedPolicyArns"].append({"Ref": "CountQuotas"})


@caught_by(HELD)
def a_function_that_empties_a_queue_of_what_was_lost(templates: Templates) -> None:
    grant(templates, "CapabilityRole", "sqs:DeleteMessage", arn("LostEntries"))


@caught_by(HELD)
def a_function_that_announces_uploads(templates: Templates) -> None:
    grant(templates, "RecordsRole", "sqs:SendMessage", arn("UploadQueue"))


@caught_by(HELD)
def a_function_that_lists_documents(templates: Templates) -> None:
    grant(templates, "CapabilityRole", "s3:ListBucket", arn("DocumentsBucket"))


@caught_by(ROUTES)
def another_method_of_a_public_path(templates: Templates) -> None:
    route = {"ApiId": {"Ref": "Api"}, "Method": "POST", "Path": "/fhir/metadata", "Auth": {"Authorizer": "NONE"}}
    properties(templates, "Records")["Events"]["Planted"] = {"Type": "HttpApi", "Properties": route}


@caught_by(ROUTES)
def a_public_path_of_another_function(templates: Templates) -> None:
    events = properties(templates, "Capability")["Events"]
    properties(templates, "Records")["Events"]["Planted"] = events.pop("Metadata")


@caught_by("functions_go_out_by_tls_alone")
def functions_that_speak_anything_to_anybody(templates: Templates) -> None:
    ways = properties(templates, "FunctionsGroup")["SecurityGroupEgress"]
    ways.append({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"})


# ---------------------------------------------------------------- secrets
@caught_by(TOGETHER)
def a_secret_joined_in_an_output(templates: Templates) -> None:
    pieces = ["{", "{reso", "lve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:key}", "}"]
    templates[MAIN]["Outputs"]["Planted"] = {"Value": {"Fn::Join": ["", pieces]}}


@caught_by(TOGETHER)
def a_secret_put_into_an_output(templates: Templates) -> None:
    given = {"Opening": "{", "Verb": "re", "Id": {"Ref": "Secret"}}
    value = {"Fn::Sub": ["${Opening}${Opening}${Verb}solve:secretsmanager:${Id}:SecretString:key}}", given]}
    templates[MAIN]["Outputs"]["Planted"] = {"Value": value}


@caught_by("secrets_are_resolved_in_two_places")
def a_secret_behind_an_empty_name(templates: Templates) -> None:
    value = {"Fn::Sub": "{${EdgeDomainName}{resolve:secretsmanager:${Secret}:SecretString:key}}"}
    templates[MAIN]["Outputs"]["Planted"] = {"Value": value}

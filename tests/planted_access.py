"""Dangerous edits about who may do what: routes, roles, trust, policies of resources, secrets."""

from functools import partial

from tests.planted import Edit, Templates, arn, grant, permit, planted, policy_of, properties, strike

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
ROUTES = "every_route_but_two_asks_the_authorizer"
TRACE = "nobody_changes_the_trace"
STRANGERS = "resources_let_no_stranger_in"


@caught_by(ROUTES)
def a_route_without_the_authorizer(templates: Templates) -> None:
    properties(templates, "Records")["Events"]["Patient"]["Properties"]["Auth"] = {"Authorizer": "NONE"}


@caught_by(ROUTES)
def an_authorizer_that_is_another_function(templates: Templates) -> None:
    properties(templates, "Api")["Auth"]["Authorizers"]["Requester"]["FunctionArn"] = arn("Capability")


@caught_by("every_route_stands_in_one_definition")
def a_route_beside_the_definition_of_the_api(templates: Templates) -> None:
    route = {"ApiId": {"Ref": "Api"}, "RouteKey": "GET /fhir/anything", "AuthorizationType": "NONE"}
    templates["template.yaml"]["Resources"]["Planted"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": route}


@caught_by("the_authorizer_is_asked_on_every_request")
def an_authorizer_whose_answers_are_kept(templates: Templates) -> None:
    identity = {"ReauthorizeEvery": 300, "Headers": ["Authorization"]}
    properties(templates, "Api")["Auth"]["Authorizers"]["Requester"]["Identity"] = identity


@caught_by("routes_are_throttled")
def no_throttling(templates: Templates) -> None:
    del properties(templates, "Api")["DefaultRouteSettings"]


@caught_by("functions_are_invoked_by_this_api_alone")
def a_function_with_an_address(templates: Templates) -> None:
    properties(templates, "Records")["FunctionUrlConfig"] = {"AuthType": "NONE"}


@caught_by("functions_are_invoked_by_this_api_alone")
def a_function_that_another_account_invokes(templates: Templates) -> None:
    permission = {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Records"}, "Principal": "999999999999"}
    templates["template.yaml"]["Resources"]["Planted"] = {"Type": "AWS::Lambda::Permission", "Properties": permission}


@caught_by("other_sites_are_named")
def an_api_for_the_pages_of_any_site(templates: Templates) -> None:
    properties(templates, "Api")["CorsConfiguration"] = {"AllowOrigins": ["*"], "AllowHeaders": ["authorization"]}


@caught_by("permissions_name_action_and_resource")
def a_role_with_any_resource(templates: Templates) -> None:
    grant(templates, "RecordsRole", "s3:GetObject", "*")


@caught_by("permissions_name_action_and_resource")
def a_role_with_every_action_on_a_key(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "kms:*", arn("DataKey"))


@caught_by("permissions_name_action_and_resource")
def a_role_with_every_action_on_a_table(templates: Templates) -> None:
    grant(templates, "ConsentsRole", "dynamodb:*", arn("RecordsTable"))


@caught_by("nobody_scans")
def a_role_that_scans(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "dynamodb:Scan", arn("RecordsTable"))


@caught_by("nobody_scans")
def a_check_of_the_operator_that_scans_the_trace(templates: Templates) -> None:
    grant(templates, "OperationsRole", "dynamodb:Scan", arn("AuditTable"))


@caught_by("roles_hold_no_policy_of_others")
def a_role_of_an_administrator(templates: Templates) -> None:
    policies = properties(templates, "RecordsRole")["ManagedPolicyArns"]
    policies.append("arn:aws:iam::aws:policy/AdministratorAccess")


@caught_by("roles_hold_no_policy_of_others")
def a_function_that_may_what_operators_may(templates: Templates) -> None:
    properties(templates, "RecordsRole")["ManagedPolicyArns"].append({"Ref": "OperatorPolicy"})


@caught_by("dangerous_actions_are_granted_one_by_one")
def an_operator_who_hands_events_to_consumers(templates: Templates) -> None:
    policy_of(templates, "OperatorPolicy")["Statement"][1]["Resource"].append(arn("AuditChain"))


@caught_by("nobody_administers")
def an_operator_who_changes_functions(templates: Templates) -> None:
    statements = policy_of(templates, "OperatorPolicy")["Statement"]
    statements.append({"Effect": "Allow", "Action": "lambda:UpdateFunctionCode", "Resource": arn("Records")})


@caught_by("nobody_administers")
def a_role_that_changes_a_key(templates: Templates) -> None:
    grant(templates, "RetentionRole", "kms:PutKeyPolicy", arn("AuditKey"))


@caught_by("nobody_administers")
def a_role_that_hands_on_other_roles(templates: Templates) -> None:
    grant(templates, "ExportBuilderRole", "iam:PassRole", arn("RetentionRole"))


@caught_by(TRACE)
def a_trace_without_its_denial(templates: Templates) -> None:
    strike(templates, "AuditTable", "NobodyChangesTheTrace")


@caught_by(TRACE)
def a_trace_that_only_some_may_not_change(templates: Templates) -> None:
    [denial] = [
        each for each in policy_of(templates, "AuditTable")["Statement"] if each["Sid"] == "NobodyChangesTheTrace"
    ]
    denial["Action"].remove("dynamodb:DeleteItem")


@caught_by(TRACE)
def a_role_that_deletes_in_the_trace(templates: Templates) -> None:
    grant(templates, "RetentionRole", "dynamodb:DeleteItem", arn("AuditTable"))


@caught_by(TRACE)
def writers_of_the_trace_without_their_denial(templates: Templates) -> None:
    strike(templates, "AppendToTrace", "ChangeNothing")


@caught_by("nobody_deletes_seals")
def a_role_that_deletes_seals(templates: Templates) -> None:
    grant(templates, "AuditSealerRole", "s3:DeleteObjectVersion", {"Fn::Sub": "${SealsBucket.Arn}/*"})


@caught_by("nobody_deletes_seals")
def a_second_role_that_signs_seals(templates: Templates) -> None:
    grant(templates, "RecordsRole", "kms:Sign", arn("SealKey"))


@caught_by("roles_trust_one_service")
def a_role_that_another_account_assumes(templates: Templates) -> None:
    [trust] = properties(templates, "DocumentsRole")["AssumeRolePolicyDocument"]["Statement"]
    trust["Principal"] = {"AWS": "arn:aws:iam::999999999999:root"}


@caught_by(STRANGERS)
def a_public_bucket(templates: Templates) -> None:
    permit(templates, "DocumentsBucketPolicy", "*", "s3:GetObject")


@caught_by(STRANGERS)
def a_key_for_another_account(templates: Templates) -> None:
    permit(templates, "DataKey", {"AWS": "arn:aws:iam::999999999999:root"}, "kms:Decrypt")


@caught_by(STRANGERS)
def a_queue_that_takes_from_buckets_of_others(templates: Templates) -> None:
    [statement] = policy_of(templates, "ExtractionQueuePolicy")["Statement"]
    del statement["Condition"]


@caught_by(STRANGERS)
def a_queue_that_takes_from_any_account(templates: Templates) -> None:
    [statement] = policy_of(templates, "ExtractionQueuePolicy")["Statement"]
    statement["Condition"] = {"StringLike": {"aws:SourceAccount": "*"}}


@caught_by("administrators_read_nothing")
def a_table_that_administrators_read(templates: Templates) -> None:
    strike(templates, "RecordsTable", "NobodyButTheFunctionsReads")


@caught_by("administrators_read_nothing")
def documents_that_administrators_read(templates: Templates) -> None:
    strike(templates, "DocumentsBucketPolicy", "NobodyButTheFunctionsReads")


@caught_by("keys_serve_this_account_alone")
def a_key_that_grants_open_to_others(templates: Templates) -> None:
    strike(templates, "AuditKey", "NobodyFromOutside")


@caught_by("keys_are_administered_by_policies_of_this_account")
def a_key_that_a_service_administers(templates: Templates) -> None:
    permit(templates, "SealKey", {"Service": "lambda.amazonaws.com"}, "kms:*")


@caught_by("functions_have_their_own_role")
def two_functions_with_one_role(templates: Templates) -> None:
    properties(templates, "Lists")["Role"] = arn("SubmissionsRole")


@caught_by("secrets_stay_in_their_store")
def a_secret_as_a_variable(templates: Templates) -> None:
    variables = {"INDEX_SECRET": "correct-horse-battery-staple"}  # pragma: allowlist secret
    properties(templates, "Documents")["Environment"] = {"Variables": variables}


@caught_by("nobody_goes_round_the_edge")
def an_authorizer_that_does_not_ask_for_the_edge(templates: Templates) -> None:
    del properties(templates, "Authorizer")["Environment"]["Variables"]["EDGE_SECRET"]


@caught_by("secrets_are_no_parameters")
def a_secret_as_a_parameter(templates: Templates) -> None:
    templates["template.yaml"]["Parameters"]["MailPassword"] = {"Type": "String", "Default": ""}
    properties(templates, "Notifications")["Environment"]["Variables"]["MAIL_PASSWORD"] = {"Ref": "MailPassword"}


@caught_by("administrators_read_nothing")
def a_secret_of_the_edge_without_its_policy(templates: Templates) -> None:
    templates["template.yaml"]["Conditions"]["Never"] = {"Fn::Equals": ["a", "b"]}
    templates["template.yaml"]["Resources"]["EdgeSecretPolicy"]["Condition"] = "Never"


@caught_by("messages_stay_here")
def alarms_that_a_stranger_hears(templates: Templates) -> None:
    properties(templates, "OperatorsMail", "infra/alarms.yaml")["Endpoint"] = "mallory@evil.example.org"

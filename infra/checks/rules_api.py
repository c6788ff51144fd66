"""What everybody can reach: routes, the authorizer before them, TLS, and what the access logs say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.comparison import differing
from infra.checks.deployments import Deployment, Resource
from infra.checks.policies import names_in
from infra.checks.shapes import THROTTLES

ANY = "x-amazon-apigateway-any-method"
TELLER = "Capability"
"""The function that tells the API's abilities, and has no access to anything."""
PUBLIC = {("/fhir/metadata", ANY, TELLER), ("/fhir/.well-known/{proxy+}", ANY, TELLER)}
AUTHORIZER = "Authorizer"
EXTENSION = "x-amazon-apigateway-authorizer"
LOGGED = re.compile(
    r"requestId|extendedRequestId|requestTime(Epoch)?|routeKey|httpMethod|protocol|stage|status|responseLatency|responseLength"
    r"|integration(Latency|Status|ErrorMessage)|integration\.(error|integrationStatus|latency|requestId|status)"
    r"|error\.(message|responseType)"
)
UNLOGGED = re.compile(r"uri|query|cookie|referer|authorization|user-agent|forwarded|username")
REDACTED = {"QueryString", "UriPath", "authorization", "cookie"}
INVOKERS = {"apigateway.amazonaws.com"}
TLS = {"TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"}


def _apis(deployment: Deployment) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for api in deployment.resources("AWS::ApiGatewayV2::Api"):
        yield api, api.properties.get("Body", {})


def every_route_but_two_asks_the_authorizer(deployment: Deployment) -> Iterator[str]:
    """Every route but what tells the API's abilities asks the one authorizer, which is the function of that name."""
    public = set()
    for api, body in _apis(deployment):
        schemes = body.get("components", {}).get("securitySchemes", {})
        asked = {
            name
            for name, each in schemes.items()
            if AUTHORIZER in names_in(each.get(EXTENSION, {}).get("authorizerUri"))
        }
        unguarded = {route for route, by in _routes(body) if not by or not by <= asked}
        public |= unguarded
        for path, method, function in sorted(unguarded - PUBLIC):
            yield f"{api}: {path} ({method}, {function}) asks no authorizer"
    if public < PUBLIC:
        yield f"{sorted(PUBLIC - public)}: asks for a token, though clients look there before they have one"


def _routes(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], set[str]]]:
    """Path, method and function of each route, and the names of its authorizers."""
    for path, methods in body.get("paths", {}).items():
        for method, route in methods.items():
            integration = route.get("x-amazon-apigateway-integration", {})
            [*functions] = names_in(integration.get("uri")) - {"AWS::Partition", "AWS::Region"}
            function = ",".join(functions).removesuffix("Aliaslive")
            yield (path, method, function), {name for each in route.get("security", ()) for name in each}


def every_route_stands_in_one_definition(deployment: Deployment) -> Iterator[str]:
    """There is no route beside those that the other rules read."""
    for api, body in _apis(deployment):
        if not body.get("paths"):
            yield f"{api}: no routes to be read"
    for route in deployment.resources("AWS::ApiGatewayV2::Route", "AWS::Serverless::Api", "AWS::ApiGateway::RestApi"):
        yield f"{route}: a route beside the definition of the API"


def the_authorizer_is_asked_on_every_request(deployment: Deployment) -> Iterator[str]:
    """Nothing that the authorizer says is kept, and no request is judged before it."""
    for api, body in _apis(deployment):
        for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
            settings = scheme.get(EXTENSION, {})
            if settings.get("authorizerResultTtlInSeconds") != 0 or settings.get("identitySource"):
                yield f"{api}: {name} keeps answers, or asks for a header first"
            if settings.get("type") != "request" or not settings.get("enableSimpleResponses"):
                yield f"{api}: {name} is not the authorizer of requests with simple answers"


def routes_are_throttled(deployment: Deployment) -> Iterator[str]:
    """Every stage bounds the requests of each route, the public ones at least as much."""
    for stage in deployment.resources("AWS::ApiGatewayV2::Stage"):
        bounds = stage.properties.get("DefaultRouteSettings", {})
        if not bounds.get("ThrottlingRateLimit") or not bounds.get("ThrottlingBurstLimit"):
            yield f"{stage}: takes any number of requests"
    yield from differing(deployment, THROTTLES)


def access_logs_say_neither_what_nor_who(deployment: Deployment) -> Iterator[str]:
    """No access log holds a path, a query, a header or a caller: a record's id is nobody's business there."""
    for stage in deployment.resources("AWS::ApiGatewayV2::Stage"):
        settings = stage.properties.get("AccessLogSettings", {})
        if not names_in(settings.get("DestinationArn")):
            yield f"{stage}: no access log"
        for variable in re.findall(r"\$context\.([\w.]+)", settings.get("Format", "")):
            if not LOGGED.fullmatch(variable):
                yield f"{stage}: logs {variable}"


def logs_of_the_edge_say_no_more(deployment: Deployment) -> Iterator[str]:
    """Nor does a log of CloudFront or of the firewall, or its samples of requests."""
    for delivery in deployment.resources("AWS::Logs::Delivery"):
        fields = delivery.properties.get("RecordFields")
        if not fields or [field for field in fields if UNLOGGED.search(field.lower())]:
            yield f"{delivery}: logs {fields or 'every field'}"
    for distribution in deployment.resources("AWS::CloudFront::Distribution"):
        if "Logging" in distribution.properties["DistributionConfig"]:
            yield f"{distribution}: its own log holds paths and queries"
    for log in deployment.resources("AWS::WAFv2::LoggingConfiguration"):
        hidden = {name for field in log.properties.get("RedactedFields", ()) for name in _redacted(field)}
        if not hidden >= REDACTED:
            yield f"{log}: shows {sorted(REDACTED - hidden)}"


def _redacted(field: Mapping[str, Any]) -> set[str]:
    return {value["Name"] if name == "SingleHeader" else name for name, value in field.items()}


def functions_are_invoked_by_this_api_alone(deployment: Deployment) -> Iterator[str]:
    """No function has an address of its own, and none is invoked but by this API or a resource of this account."""
    for address in deployment.resources("AWS::Lambda::Url"):
        yield f"{address}: an address without the authorizer"
    for permission in deployment.resources("AWS::Lambda::Permission"):
        given = permission.properties
        source = names_in(given.get("SourceArn"))
        own_resource = bool(source - {"AWS::Partition", "AWS::Region", "AWS::AccountId"})
        if "FunctionUrlAuthType" in given or "PrincipalOrgID" in given or given["Action"] != "lambda:InvokeFunction":
            yield f"{permission}: more than an invocation"
        if given["Principal"] not in INVOKERS or not own_resource:
            yield f"{permission}: {given['Principal']} from {given.get('SourceArn', 'anywhere')}"


def functions_go_out_by_tls_alone(deployment: Deployment) -> Iterator[str]:
    """In a network, functions speak TLS to whom they call, and nobody calls them."""
    for group in deployment.resources("AWS::EC2::SecurityGroup"):
        for way in group.properties.get("SecurityGroupEgress", [{}]):
            if (way.get("IpProtocol"), way.get("FromPort"), way.get("ToPort")) != ("tcp", 443, 443):
                yield f"{group}: lets out {way}"


RULES = (
    every_route_but_two_asks_the_authorizer,
    every_route_stands_in_one_definition,
    the_authorizer_is_asked_on_every_request,
    routes_are_throttled,
    access_logs_say_neither_what_nor_who,
    logs_of_the_edge_say_no_more,
    functions_are_invoked_by_this_api_alone,
    functions_go_out_by_tls_alone,
)

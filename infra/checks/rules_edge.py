"""What stands before the API: the edge, its firewall, the names it answers by, and the pages that may call it."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.comparison import differing
from infra.checks.deployments import Deployment, Resource
from infra.checks.policies import listed, names_in
from infra.checks.rules_secrets import FROM_THE_STORE
from infra.checks.shapes import BLOCKS, DOORS, EDGE_HEADER, EDGES, HEADERS, PAGES

TLS = {"TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"}
GROUPS = {
    "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
}  # fmt: skip
COUNTED = {
    "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "NoUserAgent_HEADER",
    "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING",
}  # fmt: skip
"""Rules of AWS that honest callers break: documents of 6 MB, texts with markup, searches of 16 KiB."""
RULE = "AWS::WAFv2::WebACL"


def the_edge_only_passes_on(deployment: Deployment) -> Iterator[str]:
    """CloudFront keeps no answer, sends everything to the API alone, and runs no code but what names a header."""
    yield from differing(deployment, EDGES)


def nobody_goes_round_the_edge(deployment: Deployment) -> Iterator[str]:
    """CloudFront says a secret with each request, and behind it the authorizer asks for that."""
    for distribution in deployment.resources("AWS::CloudFront::Distribution"):
        for origin in distribution.properties["DistributionConfig"]["Origins"]:
            headers = origin.get("OriginCustomHeaders", [])
            names = [each["HeaderName"] for each in headers]
            if names != [EDGE_HEADER] or not all(FROM_THE_STORE in str(each["HeaderValue"]) for each in headers):
                yield f"{distribution}: says {names or 'no secret'}, or a written one"
    if deployment.main.content["Resources"].get("Edge"):
        authorizer = deployment.main.resource("Authorizer")
        known = authorizer.properties.get("Environment", {}).get("Variables", {}).get("EDGE_SECRET")
        if FROM_THE_STORE not in str(known) or "EdgeSecret" not in names_in(known):
            yield f"{authorizer}: asks for no secret of the edge"


def doors_are_as_the_operator_says(deployment: Deployment) -> Iterator[str]:
    """AWS's own name answers where it is the only one or the edge's, names ask for certificates where they shall,
    and the authorizer trusts the issuers that the operator gives."""
    yield from differing(deployment, DOORS)


def a_firewall_stands_before_each_distribution(deployment: Deployment) -> Iterator[str]:
    """Each distribution has its firewall, and each firewall a log, and no samples of requests."""
    for distribution in deployment.resources("AWS::CloudFront::Distribution"):
        if not distribution.properties["DistributionConfig"].get("WebACLId"):
            yield f"{distribution}: no firewall"
    logged = [
        set(names_in(each.properties["ResourceArn"]))
        for each in deployment.resources("AWS::WAFv2::LoggingConfiguration")
    ]
    for firewall in deployment.resources(RULE):
        rules = firewall.properties.get("Rules", [])
        if {firewall.id} not in logged:
            yield f"{firewall}: writes no log"
        if [each for each in (firewall.properties, *rules) if each["VisibilityConfig"]["SampledRequestsEnabled"]]:
            yield f"{firewall}: keeps samples of requests"


def a_firewall_blocks(deployment: Deployment) -> Iterator[str]:
    """It blocks too many requests and what AWS's groups of rules find, but for the few that honest callers break."""
    yield from differing(deployment, BLOCKS)
    for firewall in deployment.resources(RULE):
        rules = firewall.properties.get("Rules", [])
        if not any("RateBasedStatement" in each["Statement"] for each in rules):
            yield f"{firewall}: any number of requests from one address"
        groups = {
            each["Statement"]["ManagedRuleGroupStatement"]["Name"]
            for each in rules
            if "ManagedRuleGroupStatement" in each["Statement"]
        }
        if not groups >= GROUPS:
            yield f"{firewall}: without {sorted(GROUPS - groups)}"
        for rule in rules:
            yield from _lets_through(firewall, rule)


def _lets_through(firewall: Resource, rule: Mapping[str, Any]) -> Iterator[str]:
    group = rule["Statement"].get("ManagedRuleGroupStatement")
    acts: tuple[str, Any] = ("OverrideAction", {"None": {}}) if group else ("Action", {"Block": {}})
    if rule.get(acts[0]) != acts[1]:
        yield f"{firewall}: {rule['Name']} does not block"
    statement = group or rule["Statement"].get("RateBasedStatement", {})
    others = set(statement) & {"ExcludedRules", "ScopeDownStatement"}
    counted = {each["Name"] for each in statement.get("RuleActionOverrides", ())}
    if others or not counted <= COUNTED:
        yield f"{firewall}: {rule['Name']} leaves out {sorted(counted - COUNTED) or sorted(others)}"


def names_of_the_api_speak_modern_tls(deployment: Deployment) -> Iterator[str]:
    """Every name of the API speaks TLS 1.2 at least."""
    for domain in deployment.resources("AWS::ApiGatewayV2::DomainName"):
        for configuration in domain.properties["DomainNameConfigurations"]:
            if configuration.get("SecurityPolicy") not in {"TLS_1_2", "TLS_1_3"}:
                yield f"{domain}: {configuration.get('SecurityPolicy')}"


def the_edge_speaks_modern_tls_alone(deployment: Deployment) -> Iterator[str]:
    """CloudFront speaks TLS 1.2 at least to callers and to the API, and nothing else."""
    for distribution in deployment.resources("AWS::CloudFront::Distribution"):
        configuration = distribution.properties["DistributionConfig"]
        if configuration.get("ViewerCertificate", {}).get("MinimumProtocolVersion") not in TLS:
            yield f"{distribution}: old TLS"
        for behaviour in (configuration["DefaultCacheBehavior"], *configuration.get("CacheBehaviors", ())):
            if behaviour["ViewerProtocolPolicy"] != "https-only":
                yield f"{distribution}: {behaviour['ViewerProtocolPolicy']}"
        for origin in configuration["Origins"]:
            own = origin.get("CustomOriginConfig", {})
            if (own.get("OriginProtocolPolicy"), own.get("OriginSSLProtocols")) != ("https-only", ["TLSv1.2"]):
                yield f"{distribution}: speaks to its origin without TLS 1.2"


def other_sites_are_named(deployment: Deployment) -> Iterator[str]:
    """No page but the portal's reads through the browser of whoever is signed in, and none calls the API."""
    yield from differing(deployment, PAGES)
    for api in deployment.resources("AWS::ApiGatewayV2::Api"):
        rules = [
            api.properties.get("CorsConfiguration"),
            api.properties.get("Body", {}).get("x-amazon-apigateway-cors"),
        ]
        for each in rules:
            if wild := [origin for origin in listed((each or {}).get("allowOrigins", [])) if "*" in str(origin)]:
                yield f"{api}: any site: {wild}"


def browsers_are_told_the_same(deployment: Deployment) -> Iterator[str]:
    """CloudFront tells browsers to keep to TLS, and neither to frame, guess, store nor share what they get."""
    yield from differing(deployment, HEADERS)


RULES = (
    the_edge_only_passes_on,
    nobody_goes_round_the_edge,
    doors_are_as_the_operator_says,
    a_firewall_stands_before_each_distribution,
    a_firewall_blocks,
    names_of_the_api_speak_modern_tls,
    the_edge_speaks_modern_tls_alone,
    other_sites_are_named,
    browsers_are_told_the_same,
)

"""What single properties are to be, word for word: doors, origins, copies, what is told to whom."""

from dataclasses import dataclass
from typing import Any

from infra.checks.expected import EDGE, FIREWALL, MAIN, arn, has, ref, sub, where


@dataclass(frozen=True)
class Shape:
    """What stands at a path in the properties of one resource, where that is deployed; None is nothing."""

    stack: str
    resource: str
    path: tuple[str | int, ...]
    value: Any


_ORIGIN = {
    "Fn::Join": [
        "/",
        [
            {"Fn::Select": [0, {"Fn::Split": ["/", ref("PortalUrl")]}]},
            "",
            {"Fn::Select": [2, {"Fn::Split": ["/", ref("PortalUrl")]}]},
        ],
    ]
}
PAGES = (
    Shape(
        MAIN,
        "DocumentsBucket",
        ("CorsConfiguration",),
        {
            "CorsRules": [
                {
                    "AllowedOrigins": [_ORIGIN],
                    "AllowedMethods": ["GET", "HEAD", "PUT"],
                    "AllowedHeaders": [
                        "content-type",
                        "range",
                        "x-amz-checksum-sha1",
                        "x-amz-server-side-encryption",
                        "x-amz-server-side-encryption-aws-kms-key-id",
                    ],
                    "ExposedHeaders": ["accept-ranges", "content-disposition", "content-range", "etag"],
                    "MaxAge": 600,
                }
            ]
        },
    ),
    Shape(MAIN, "SealsBucket", ("CorsConfiguration",), None),
    Shape(MAIN, "LogBucket", ("CorsConfiguration",), None),
)

_DOOR = ("Body", "servers", 0, "x-amazon-apigateway-endpoint-configuration", "disableExecuteApiEndpoint")
_ONLY_OWN_NAME = {"Fn::And": [has("DomainName"), {"Fn::Not": [has("EdgeDomainName")]}]}
DOORS = (
    Shape(MAIN, "Api", _DOOR, {"Fn::If": [_ONLY_OWN_NAME, True, False]}),
    Shape(
        MAIN,
        "ApiDomain",
        ("MutualTlsAuthentication",),
        where(has("MutualTlsTrustStore"), {"TruststoreUri": ref("MutualTlsTrustStore")}),
    ),
    Shape(MAIN, "Authorizer", ("Environment", "Variables", "ISSUERS"), ref("Issuers")),
    Shape(MAIN, "Authorizer", ("Environment", "Variables", "REVOKED_KEYS"), ref("RevokedKeys")),
)

_CONFIGURATION = "DistributionConfig"
EDGES = (
    Shape(
        EDGE,
        "Distribution",
        (_CONFIGURATION, "DefaultCacheBehavior"),
        {
            "TargetOriginId": "api",
            "ViewerProtocolPolicy": "https-only",
            "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
            "Compress": False,
            # of AWS: CachingDisabled, AllViewerExceptHostHeader
            "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "ResponseHeadersPolicyId": ref("ResponseHeaders"),
            "LambdaFunctionAssociations": where(
                has("ChallengeFunctionArn"),
                [{"EventType": "origin-response", "LambdaFunctionARN": ref("ChallengeFunctionArn")}],
            ),
        },
    ),
    *(
        Shape(EDGE, "Distribution", (_CONFIGURATION, name), None)
        for name in ("CacheBehaviors", "OriginGroups", "CustomErrorResponses", "DefaultRootObject")
    ),
    Shape(EDGE, "Distribution", (_CONFIGURATION, "Origins", 1), None),
    Shape(EDGE, "Distribution", (_CONFIGURATION, "Origins", 0, "DomainName"), ref("OriginDomainName")),
    Shape(EDGE, "Distribution", (_CONFIGURATION, "Origins", 0, "Id"), "api"),
    Shape(EDGE, "Distribution", (_CONFIGURATION, "WebACLId"), ref("WebAclArn")),
    Shape(
        MAIN,
        "Edge",
        ("Parameters", "OriginDomainName"),
        sub("${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"),
    ),
    Shape(MAIN, "Edge", ("Parameters", "WebAclArn"), ref("WebAclArn")),
    Shape(MAIN, "Edge", ("Parameters", "ChallengeFunctionArn"), ref("EdgeChallengeFunctionArn")),
    Shape(MAIN, "Edge", ("Parameters", "SecretArn"), ref("EdgeSecret")),
)
EDGE_HEADER = "x-dmp-edge"
"""By which the authorizer knows what came through the edge."""

_REPLICA_KEY = sub("arn:${AWS::Partition}:kms:${ReplicaRegion}:${AWS::AccountId}:key/${ReplicaKeyId}")
REPLICAS = {"DocumentsBucket": "ReplicaBucket", "SealsBucket": "SealsReplicaBucket"}
"""The parameter that says where a bucket is copied to."""


def replica(parameter: str) -> dict[str, Any]:
    """Where the objects of a bucket are copied to: the operator's bucket, of this account, under the operator's key."""
    return {
        "Bucket": sub(f"arn:${{AWS::Partition}}:s3:::${{{parameter}}}"),
        "EncryptionConfiguration": {"ReplicaKmsKeyID": _REPLICA_KEY},
    }


COPIES = (
    *(
        Shape(MAIN, bucket, ("ReplicationConfiguration", "Role"), where(has(parameter), arn("ReplicationRole")))
        for bucket, parameter in REPLICAS.items()
    ),
    Shape(MAIN, "LogBucket", ("ReplicationConfiguration",), None),
    Shape(
        MAIN,
        "Secret",
        ("ReplicaRegions",),
        where(
            {"Fn::Or": [has("ReplicaBucket"), has("SealsReplicaBucket")]},
            [{"Region": ref("ReplicaRegion"), "KmsKeyId": _REPLICA_KEY}],
        ),
    ),
    Shape(MAIN, "EdgeSecret", ("ReplicaRegions",), None),
    Shape(MAIN, "SealsBucket", ("ObjectLockConfiguration", "Rule", "DefaultRetention", "Years"), ref("SealYears")),
)

_PUBLIC = {
    "ThrottlingRateLimit": ref("PublicThrottlingRate"),
    "ThrottlingBurstLimit": ref("PublicThrottlingRate"),
    "DetailedMetricsEnabled": True,
}
THROTTLES = (
    Shape(
        MAIN,
        "ApiApiGatewayDefaultStage",
        ("DefaultRouteSettings",),
        {
            "ThrottlingRateLimit": ref("ThrottlingRate"),
            "ThrottlingBurstLimit": ref("ThrottlingBurst"),
            "DetailedMetricsEnabled": True,
        },
    ),
    Shape(
        MAIN,
        "ApiApiGatewayDefaultStage",
        ("RouteSettings",),
        {"ANY /fhir/metadata": _PUBLIC, "ANY /fhir/.well-known/{proxy+}": _PUBLIC},
    ),
)
BLOCKS = (
    Shape(
        FIREWALL,
        "WebAcl",
        ("Rules", 0, "Statement"),
        {
            "RateBasedStatement": {
                "AggregateKeyType": "IP",
                "Limit": ref("RequestsPerAddress"),
                "EvaluationWindowSec": 300,
            }
        },
    ),
)
"""By the address that a request comes from: what a header says of it, anybody may write."""
HEADERS = (
    Shape(
        EDGE,
        "ResponseHeaders",
        ("ResponseHeadersPolicyConfig", "SecurityHeadersConfig"),
        {
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": 63072000,
                "IncludeSubdomains": True,
                "Override": True,
            },
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"FrameOption": "DENY", "Override": True},
            "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": True},
            "ContentSecurityPolicy": {
                "ContentSecurityPolicy": "default-src 'none'; frame-ancestors 'none'; sandbox",
                "Override": False,
            },
        },
    ),
    Shape(
        EDGE,
        "ResponseHeaders",
        ("ResponseHeadersPolicyConfig", "CustomHeadersConfig"),
        {"Items": [{"Header": "Cache-Control", "Value": "no-store", "Override": False}]},
    ),
    Shape(
        EDGE,
        "ResponseHeaders",
        ("ResponseHeadersPolicyConfig", "RemoveHeadersConfig"),
        {"Items": [{"Header": "Server"}]},
    ),
    Shape(EDGE, "ResponseHeaders", ("ResponseHeadersPolicyConfig", "CorsConfig"), None),
)

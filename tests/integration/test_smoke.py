"""The check of a deployed account: what is as declared passes, and every weakening of it is found by name."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from infra.admin.installation import Stack
from infra.local import moto_repairs
from infra.local.process import LocalProcess
from infra.local.resources import ACCOUNT, REGION
from infra.local.template import SECRETS, Template
from infra.smoke import __main__ as smoke
from infra.smoke import backups, buckets, permissions, storage, tried, watch
from infra.smoke.account import Account
from infra.smoke.result import Result, State
from tests.aws_stack import NOWHERE

type Json = dict[str, Any]
type Group = Callable[[Account], Iterator[Result]]

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Days: { Type: Number, Default: 7 }
  Years: { Type: Number, Default: 1 }
  OperatorsRoleArn: { Type: String, Default: "" }
Conditions:
  HasOperators: !Not [!Equals [!Ref OperatorsRoleArn, ""]]
Resources:
  DataKey:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Sid: Roles
            Effect: Allow
            Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" }
            Action: "kms:*"
            Resource: "*"
          - Sid: NobodyFromOutside
            Effect: Deny
            Principal: "*"
            Action: "kms:*"
            Resource: "*"
            Condition:
              StringNotEquals: { kms:CallerAccount: !Ref AWS::AccountId }
              Bool: { aws:PrincipalIsAWSService: "false" }
          - Sid: NobodyElseReads
            Effect: Deny
            Principal: "*"
            Action: ["kms:Decrypt", "kms:ReEncryptFrom"]
            Resource: "*"
            Condition:
              ArnNotLike:
                aws:PrincipalArn:
                  - !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-*"
                  - !If
                    - HasOperators
                    - !Ref OperatorsRoleArn
                    - !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-*"
  AuditTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt DataKey.Arn }
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      ResourcePolicy:
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
            - Sid: Nobody
              Effect: Deny
              Principal: "*"
              Action: ["dynamodb:UpdateItem", "dynamodb:DeleteItem"]
              Resource: "*"
  DocumentsBucket:
    Type: AWS::S3::Bucket
    Properties:
      ObjectLockEnabled: true
      ObjectLockConfiguration:
        ObjectLockEnabled: Enabled
        Rule: { DefaultRetention: { Mode: COMPLIANCE, Years: !Ref Years } }
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: { SSEAlgorithm: aws:kms, KMSMasterKeyID: !GetAtt DataKey.Arn }
      VersioningConfiguration: { Status: Enabled }
      LifecycleConfiguration:
        Rules:
          - { Id: former, Status: Enabled, NoncurrentVersionExpiration: { NoncurrentDays: !Ref Days } }
          - { Id: archives, Status: Enabled, Prefix: exports/, ExpirationInDays: 7 }
  DocumentsBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref DocumentsBucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: TlsOnly
            Effect: Deny
            Principal: "*"
            Action: "s3:*"
            Resource: [!GetAtt DocumentsBucket.Arn, !Sub "${DocumentsBucket.Arn}/*"]
            Condition: { Bool: { aws:SecureTransport: "false" } }
  Lost:
    Type: AWS::SQS::Queue
    Properties: { SqsManagedSseEnabled: true }
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: true
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Lost.Arn, maxReceiveCount: 5 }
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: Tells
            Effect: Allow
            Principal: { Service: s3.amazonaws.com }
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: { StringEquals: { aws:SourceAccount: !Ref AWS::AccountId } }
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: { Description: work }
  SecretPolicy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Secret
      ResourcePolicy:
        Version: "2012-10-17"
        Statement:
          - { Sid: Nobody, Effect: Deny, Principal: "*", Action: "secretsmanager:GetSecretValue", Resource: "*" }
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Sid: Read, Effect: Allow, Action: ["dynamodb:GetItem"], Resource: !GetAtt AuditTable.Arn }]
  WorkRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
      ManagedPolicyArns: [!Ref Shared]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: Write
                Effect: Allow
                Action: ["dynamodb:PutItem"]
                Resource: !GetAtt AuditTable.Arn
                Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "R#*" } }
              - { Sid: ChangeNothing, Effect: Deny, Action: "dynamodb:UpdateItem", Resource: !GetAtt AuditTable.Arn }
  OperatorPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Sid: Tables, Effect: Allow, Action: "dynamodb:DescribeTable", Resource: !GetAtt AuditTable.Arn }]
  BackupPlan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: !Sub "${AWS::StackName}-daily"
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: vault
            ScheduleExpression: cron(0 1 * * ? *)
            Lifecycle: { DeleteAfterDays: !Ref Days }
            CopyActions: [{ DestinationBackupVaultArn: VAULT, Lifecycle: { DeleteAfterDays: !Ref Days } }]
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: { RetentionInDays: 30, LogGroupName: work-UNIQUE }
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: alarms-UNIQUE }
"""
VAULT = "arn:aws:backup:eu-central-1:123456789012:backup-vault:copies"
# more than the template says by default: it is what the stack was given that counts
GIVEN = [{"ParameterKey": "Days", "ParameterValue": "30"}, {"ParameterKey": "Years", "ParameterValue": "10"}]
# moto's CloudFormation does not know them
NOT_MADE = {
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
    backups.PLAN,
    SECRETS,
}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@dataclass
class Deployed:
    """A stack of moto's CloudFormation, as if it were deployed."""

    name: str
    is_local: bool = False

    def client(self, service: str) -> Any:
        made: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
        return made


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A small stack that is as its template says, what moto's CloudFormation overlooks put in."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    moto_repairs.apply()
    file = tmp_path / "template.yaml"
    # other tests of the same process share moto with this one
    unique = uuid4().hex
    file.write_text(TEMPLATE.replace("UNIQUE", unique).replace("VAULT", VAULT), encoding="utf-8")
    template = Template(file)
    with mock_aws():
        deployed: Any = Deployed(f"dmp-{unique}")
        resources = {
            name: each for name, each in template._content["Resources"].items() if each["Type"] not in NOT_MADE
        }
        content = json.dumps(template._content | {"Resources": resources})
        deployed.client("cloudformation").create_stack(StackName=deployed.name, TemplateBody=content, Parameters=GIVEN)
        account = Account(deployed, template)
        complete(account)
        yield account


def complete(account: Account) -> None:
    from moto.kms.models import kms_backends
    from moto.logs.models import logs_backends

    key: Any = kms_backends[ACCOUNT][REGION].keys[account.physical("DataKey")]
    table, bucket = account.physical("AuditTable"), account.physical("DocumentsBucket")
    database, store = account.client("dynamodb"), account.client("s3")
    encrypt(account, key.arn)
    recovery = {"PointInTimeRecoveryEnabled": True}
    database.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    ttl = {"AttributeName": "expires", "Enabled": True}
    database.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    arn = database.describe_table(TableName=table)["Table"]["TableArn"]
    policy = account.declared(storage.TABLE)["AuditTable"]["ResourcePolicy"]["PolicyDocument"]
    database.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCKED)
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    store.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=owned)
    live(account, days=30)
    lock(account, mode="COMPLIANCE", years=10)
    # moto's CloudFormation attaches no policies, and writes a role's own as no JSON
    shared = account.physical("Shared")
    account.client("iam").attach_role_policy(RoleName=account.physical("WorkRole"), PolicyArn=shared)
    role_may(account, {"Action": ["dynamodb:PutItem"], "Resource": arn})
    bucket_refuses(account, {})
    queue_takes(account, "Queue", {})
    secret_refuses(account, "*")
    backed_up(account)
    group: Any = logs_backends[ACCOUNT][REGION].groups[account.physical("Logs")]
    group.kms_key_id = key.arn
    account.client("sns").subscribe(TopicArn=account.physical("Topic"), Protocol="email", Endpoint="a@example.org")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="lost", AlarmActions=[account.physical("Topic")], ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1, MetricName="m", Namespace="n", Period=60, Statistic="Sum", Threshold=0,
    )  # fmt: skip
    # moto's CloudFormation makes no alarms
    account._resources["Alarm"] = (watch.ALARM, "lost")


def role_may(account: Account, changes: Json, *more: Json) -> None:
    """Give the role its own policy, with changes to what it may write, and more statements."""
    table = account.physical("AuditTable")
    arn = account.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    write = {"Sid": "Write", "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arn}
    leading = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["R#*"]}}
    denial = {"Sid": "ChangeNothing", "Effect": "Deny", "Action": "dynamodb:UpdateItem", "Resource": arn}
    statements = [write | {"Condition": leading} | changes, denial, *more]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [each for each in statements if each["Action"] != []]})
    role = account.physical("WorkRole")
    account.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=policy)


def bucket_refuses(account: Account, changes: Json, *more: Json) -> None:
    """Put the bucket's policy, with changes to its denial, and more statements."""
    name = account.physical("DocumentsBucket")
    denial = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"],
        "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
    }
    policy = {"Version": "2012-10-17", "Statement": [denial | changes, *more]}
    account.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def queue_takes(account: Account, queue: str, changes: Json) -> None:
    """Let a queue take what the bucket tells, and no other."""
    own = {
        "Sid": "Tells",
        "Effect": "Allow",
        "Principal": {"Service": ["s3.amazonaws.com"]},
        "Action": ["SQS:SendMessage"],
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{account.physical('Queue').rpartition('/')[2]}",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own | changes]})
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical(queue), Attributes={"Policy": policy})


def secret_refuses(account: Account, principal: Any) -> None:
    """Put a policy on the secret, which is made where there is none."""
    client = account.client("secretsmanager")
    if not account.physical("Secret"):
        arn = client.create_secret(Name=f"secret-{uuid4().hex}", SecretString="a")["ARN"]
        account._resources["Secret"] = (SECRETS, arn)
    denial = {
        "Sid": "Nobody",
        "Effect": "Deny",
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": denial})
    client.put_resource_policy(SecretId=account.physical("Secret"), ResourcePolicy=policy)


def backed_up(account: Account, rule: Json | None = None, copy: Json | None = None) -> None:
    """Take backups as declared, with changes to the rule and to its copies; moto's CloudFormation makes no plans."""
    copies = {"DestinationBackupVaultArn": VAULT, "Lifecycle": {"DeleteAfterDays": 30}} | (copy or {})
    daily = {
        "RuleName": "daily",
        "TargetBackupVaultName": "vault",
        "ScheduleExpression": "cron(0 1 * * ? *)",
        "ScheduleExpressionTimezone": "Etc/UTC",
        "Lifecycle": {"DeleteAfterDays": 30},
        "EnableContinuousBackup": False,
        "CopyActions": [{name: value for name, value in copies.items() if value}],
    }
    client = account.client("backup")
    plan = {"BackupPlanName": f"daily-{uuid4().hex}", "Rules": [daily | (rule or {})]}
    account._resources["BackupPlan"] = (backups.PLAN, client.create_backup_plan(BackupPlan=plan)["BackupPlanId"])


def live(account: Account, days: int, changes: Json | None = None, more: Json | None = None) -> None:
    former = {
        "ID": "former",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }
    archives = {"ID": "archives", "Status": "Enabled", "Filter": {"Prefix": "exports/"}, "Expiration": {"Days": 7}}
    rules = [former | (changes or {}), archives, *([more] if more else [])]
    account.client("s3").put_bucket_lifecycle_configuration(
        Bucket=account.physical("DocumentsBucket"), LifecycleConfiguration={"Rules": rules}
    )


def lock(account: Account, mode: str, years: int) -> None:
    retention = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Years": years}}}
    account.client("s3").put_object_lock_configuration(
        Bucket=account.physical("DocumentsBucket"), ObjectLockConfiguration=retention
    )


def encrypt(account: Account, key: str) -> None:
    """Put a table under a key, which moto does at its creation alone."""
    from moto.dynamodb.models import dynamodb_backends

    table: Any = dynamodb_backends[ACCOUNT][REGION].get_table(account.physical("AuditTable"))
    table.sse_specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}


def failures(account: Account, *groups: Group) -> set[str]:
    return {one.check for group in groups for one in group(account) if one.state is State.FAILED}


ALL: tuple[Group, ...] = (
    *(permissions.keys, permissions.roles, permissions.policies, storage.tables, buckets.buckets, storage.queues),
    *(storage.secrets, watch.logs, watch.alarms, backups.plans),
)


def test_what_is_as_declared_passes(account: Account) -> None:
    results = [one for group in ALL for one in group(account)]

    assert [one for one in results if one.state is not State.OK] == []
    assert len({one.check for one in results}) >= 20


def no_rotation(account: Account) -> None:
    account.client("kms").disable_key_rotation(KeyId=account.physical("DataKey"))


def key_disabled(account: Account) -> None:
    account.client("kms").disable_key(KeyId=account.physical("DataKey"))


def key_to_be_deleted(account: Account) -> None:
    account.client("kms").schedule_key_deletion(KeyId=account.physical("DataKey"), PendingWindowInDays=7)


def other_key_policy(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Any", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
    }
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def no_recovery(account: Account) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    account.client("dynamodb").update_continuous_backups(
        TableName=account.physical("AuditTable"), PointInTimeRecoverySpecification=off
    )


def no_protection(account: Account) -> None:
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), DeletionProtectionEnabled=False)


def other_table_key(account: Account) -> None:
    encrypt(account, "arn:aws:kms:eu-west-3:123456789012:key/other")


def no_stream(account: Account) -> None:
    off = {"StreamEnabled": False}
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), StreamSpecification=off)


def weaker_table_policy(account: Account) -> None:
    client = account.client("dynamodb")
    arn = client.describe_table(TableName=account.physical("AuditTable"))["Table"]["TableArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": ["dynamodb:DeleteItem"], "Resource": "*"}
        ],
    }
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))


def public_bucket(account: Account) -> None:
    weaker = BLOCKED | {"RestrictPublicBuckets": False}
    account.client("s3").put_public_access_block(
        Bucket=account.physical("DocumentsBucket"), PublicAccessBlockConfiguration=weaker
    )


def no_block_at_all(account: Account) -> None:
    account.client("s3").delete_public_access_block(Bucket=account.physical("DocumentsBucket"))


def other_bucket_key(account: Account) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    account.client("s3").put_bucket_encryption(
        Bucket=account.physical("DocumentsBucket"), ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def no_versions(account: Account) -> None:
    off = {"Status": "Suspended"}
    account.client("s3").put_bucket_versioning(Bucket=account.physical("DocumentsBucket"), VersioningConfiguration=off)


def no_life_cycle(account: Account) -> None:
    account.client("s3").delete_bucket_lifecycle(Bucket=account.physical("DocumentsBucket"))


def looser_lock(account: Account) -> None:
    lock(account, mode="GOVERNANCE", years=10)


def shorter_lock(account: Account) -> None:
    lock(account, mode="COMPLIANCE", years=9)


def longer_life(account: Account) -> None:
    live(account, days=31)


def key_policy_that_says_less(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Roles", "Effect": "Allow", "Action": "kms:Decrypt"}]}
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def owners_of_objects(account: Account) -> None:
    account.client("s3").delete_bucket_ownership_controls(Bucket=account.physical("DocumentsBucket"))


def plain_queue(account: Account) -> None:
    off = {"SqsManagedSseEnabled": "false"}
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Lost"), Attributes=off)


def no_redrive(account: Account) -> None:
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Queue"), Attributes={"RedrivePolicy": ""})
    # with it moto forgets the policy
    queue_takes(account, "Queue", {})


def wider_role(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}}
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="more", PolicyDocument=json.dumps(policy)
    )


def role_over_everything(account: Account) -> None:
    role_may(account, {"Resource": "*"})


def role_over_every_service(account: Account) -> None:
    role_may(account, {"Resource": "arn:aws:*:*:*:*"})


def role_over_every_key(account: Account) -> None:
    role_may(account, {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "*"}}})


def role_without_condition(account: Account) -> None:
    role_may(account, {"Condition": {}})


def role_for_all_but_one(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="more", PolicyDocument=json.dumps(policy)
    )


def role_that_is_denied_nothing(account: Account) -> None:
    client, role = account.client("iam"), account.physical("WorkRole")
    told = client.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    left = {**told, "Statement": [each for each in told["Statement"] if each["Effect"] == "Allow"]}
    client.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(left))


def role_for_a_foreign_account(account: Account) -> None:
    client, role = account.client("iam"), account.physical("WorkRole")
    trust = client.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    foreign = {"Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "sts:AssumeRole"}
    trust["Statement"].append(foreign)
    client.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


def wider_operators(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Tables", "Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    account.client("iam").create_policy_version(
        PolicyArn=account.physical("OperatorPolicy"), PolicyDocument=json.dumps(policy), SetAsDefault=True
    )


def foreign_policy(account: Account) -> None:
    client = account.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-3:123456789012:key/a"}
        ],
    }
    arn = client.create_policy(PolicyName="foreign", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    client.attach_role_policy(RoleName=account.physical("WorkRole"), PolicyArn=arn)


def key_policy(account: Account, changes: Mapping[str, Json], *more: Json) -> None:
    """Change statements of the key's policy by their names, and add more."""
    client, key = account.client("kms"), account.physical("DataKey")
    told = json.loads(client.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    told["Statement"] = [each | changes.get(each["Sid"], {}) for each in told["Statement"]] + list(more)
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(told))


def denial_that_exempts_everybody(account: Account) -> None:
    key_policy(account, {"NobodyElseReads": {"Condition": {"ArnNotLike": {"aws:PrincipalArn": ["*"]}}}})


def denial_that_exempts_one_more(account: Account) -> None:
    stack = account._stack.name
    exempt = [f"arn:aws:iam::123456789012:role/{stack}-*", "arn:aws:iam::123456789012:role/other"]
    key_policy(account, {"NobodyElseReads": {"Condition": {"ArnNotLike": {"aws:PrincipalArn": exempt}}}})


def denial_under_one_more_condition(account: Account) -> None:
    own = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{account._stack.name}-*"}}
    more = {"IpAddress": {"aws:SourceIp": "192.0.2.1/32"}}
    key_policy(account, {"NobodyElseReads": {"Condition": own | more}})


def denial_for_one_role_alone(account: Account) -> None:
    key_policy(account, {"NobodyElseReads": {"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}})


def denial_of_a_foreign_account(account: Account) -> None:
    outside = {"StringNotEquals": {"kms:CallerAccount": "210987654321"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    key_policy(account, {"NobodyFromOutside": {"Condition": outside}})


def key_for_anybody(account: Account) -> None:
    key_policy(account, {}, {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"})


def key_for_a_foreign_account(account: Account) -> None:
    foreign = {"AWS": "arn:aws:iam::210987654321:root"}
    key_policy(
        account, {}, {"Sid": "More", "Effect": "Allow", "Principal": foreign, "Action": "kms:Decrypt", "Resource": "*"}
    )


def key_for_a_role_that_is_gone(account: Account) -> None:
    key_policy(account, {"Roles": {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}})


def denial_of_a_part_of_the_bucket(account: Account) -> None:
    bucket_refuses(account, {"Resource": f"arn:aws:s3:::{account.physical('DocumentsBucket')}/other/*"})


def denial_of_reading_alone(account: Account) -> None:
    bucket_refuses(account, {"Action": "s3:GetObject"})


def bucket_for_a_foreign_account(account: Account) -> None:
    arn = f"arn:aws:s3:::{account.physical('DocumentsBucket')}/*"
    foreign = {"AWS": "arn:aws:iam::210987654321:root"}
    bucket_refuses(account, {}, {"Effect": "Allow", "Principal": foreign, "Action": "s3:GetObject", "Resource": arn})


def no_bucket_policy(account: Account) -> None:
    account.client("s3").delete_bucket_policy(Bucket=account.physical("DocumentsBucket"))


def queue_for_a_foreign_account(account: Account) -> None:
    queue_takes(account, "Queue", {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}})


def queue_that_nobody_tells_of(account: Account) -> None:
    queue_takes(account, "Lost", {})


def secret_for_all_but_one(account: Account) -> None:
    secret_refuses(account, {"AWS": "arn:aws:iam::123456789012:role/other"})


def rule_that_deletes_everything(account: Account) -> None:
    all_of_it = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    live(account, days=30, more=all_of_it)


def rule_that_deletes_more(account: Account) -> None:
    live(account, days=30, changes={"Expiration": {"Days": 1}})


def rule_that_moves_too(account: Account) -> None:
    live(account, days=30, changes={"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]})


def rule_for_one_prefix(account: Account) -> None:
    live(account, days=30, changes={"Filter": {"Prefix": "exports/"}})


def rule_for_one_tag(account: Account) -> None:
    live(account, days=30, changes={"Filter": {"Tag": {"Key": "a", "Value": "b"}}})


def rule_switched_off(account: Account) -> None:
    live(account, days=30, changes={"Status": "Disabled"})


def copies_for_ever(account: Account) -> None:
    backed_up(account, copy={"Lifecycle": None})


def copies_for_long(account: Account) -> None:
    backed_up(account, copy={"Lifecycle": {"DeleteAfterDays": 365}})


def backups_for_ever(account: Account) -> None:
    backed_up(account, rule={"Lifecycle": {}})


def copies_elsewhere(account: Account) -> None:
    backed_up(account, copy={"DestinationBackupVaultArn": VAULT.replace("123456789012", "210987654321")})


def backups_elsewhere(account: Account) -> None:
    backed_up(account, rule={"TargetBackupVaultName": "other"})


def backups_once_a_year(account: Account) -> None:
    backed_up(account, rule={"ScheduleExpression": "cron(0 1 1 1 ? *)"})


def backups_for_less(account: Account) -> None:
    backed_up(account, rule={"Lifecycle": {"DeleteAfterDays": 1}})


def logs_for_ever(account: Account) -> None:
    account.client("logs").delete_retention_policy(logGroupName=account.physical("Logs"))


def silent_alarm(account: Account) -> None:
    account.client("cloudwatch").disable_alarm_actions(AlarmNames=["lost"])


def unheard_alarm(account: Account) -> None:
    client = account.client("sns")
    for one in client.list_subscriptions_by_topic(TopicArn=account.physical("Topic"))["Subscriptions"]:
        client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


PLANTED: list[tuple[Callable[[Account], None], str | set[str]]] = [
    (no_rotation, "key.rotation"), (key_disabled, "key.state"), (key_to_be_deleted, "key.state"),
    (other_key_policy, "key.policy"), (no_recovery, "table.recovery"), (no_protection, "table.protection"),
    (other_table_key, "table.encryption"), (no_stream, "table.stream"), (weaker_table_policy, "table.policy"),
    (public_bucket, "bucket.public"), (no_block_at_all, "bucket.public"), (other_bucket_key, "bucket.encryption"),
    (no_versions, "bucket.versions"), (no_life_cycle, "bucket.life"), (looser_lock, "bucket.lock"),
    (shorter_lock, "bucket.lock"), (longer_life, "bucket.life"), (key_policy_that_says_less, "key.policy"),
    (owners_of_objects, "bucket.ownership"), (plain_queue, "queue.encryption"), (no_redrive, "queue.redrive"),
    (wider_role, "role.policy"), (role_over_everything, "role.policy"), (foreign_policy, "role.policy"),
    (role_over_every_service, "role.policy"), (role_over_every_key, "role.policy"),
    (role_without_condition, "role.policy"), (role_for_all_but_one, "role.policy"),
    (role_that_is_denied_nothing, "role.policy"), (role_for_a_foreign_account, "role.trust"),
    (wider_operators, "policy"), (denial_that_exempts_everybody, "key.policy"),
    (denial_that_exempts_one_more, "key.policy"), (denial_under_one_more_condition, "key.policy"),
    (denial_for_one_role_alone, "key.policy"), (denial_of_a_foreign_account, "key.policy"),
    (key_for_anybody, "key.policy"), (key_for_a_foreign_account, "key.policy"),
    (key_for_a_role_that_is_gone, "key.policy"), (denial_of_a_part_of_the_bucket, "bucket.policy"),
    (denial_of_reading_alone, "bucket.policy"), (bucket_for_a_foreign_account, "bucket.policy"),
    (no_bucket_policy, "bucket.policy"), (queue_for_a_foreign_account, "queue.policy"),
    (queue_that_nobody_tells_of, "queue.closed"), (secret_for_all_but_one, "secret.policy"),
    (rule_that_deletes_everything, "bucket.life"),
    (rule_that_deletes_more, "bucket.life"), (rule_that_moves_too, "bucket.life"),
    (rule_for_one_prefix, "bucket.life"), (rule_for_one_tag, "bucket.life"), (rule_switched_off, "bucket.life"),
    (copies_for_ever, {"backup.days", "backup.rules"}), (copies_for_long, {"backup.days", "backup.rules"}),
    (backups_for_ever, {"backup.days", "backup.rules"}), (copies_elsewhere, "backup.rules"),
    (backups_elsewhere, "backup.rules"), (backups_once_a_year, "backup.rules"), (backups_for_less, "backup.rules"),
    (logs_for_ever, "log.retention"), (silent_alarm, "alarm.tells"), (unheard_alarm, "alarm.heard"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_every_weakening_is_found(account: Account, plant: Callable[[Account], None], check: str | set[str]) -> None:
    plant(account)

    assert failures(account, *ALL) == ({check} if isinstance(check, str) else check)


def test_what_is_refused_beside_the_template_is_no_failure(account: Account) -> None:
    denial = {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    key_policy(account, {}, denial)
    bucket_refuses(account, {}, denial)
    role_may(account, {}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})

    found = failures(account, *ALL)

    assert found == set()


def test_a_rule_that_is_off_is_no_rule(account: Account) -> None:
    live(account, days=30, more={"ID": "x", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}})

    found = failures(account, buckets.buckets)

    assert found == set()


def test_a_role_that_the_main_template_does_not_declare_is_said_to_be_unchecked(account: Account) -> None:
    account._resources["Within/DeliveryRole"] = (permissions.ROLE, account.physical("WorkRole"))

    told = [one for one in permissions.roles(account) if one.target == "Within/DeliveryRole"]

    assert [one.state for one in told] == [State.UNCHECKED]


def test_what_failed_is_told_by_name_and_without_values(account: Account) -> None:
    denial_that_exempts_one_more(account)
    key_for_a_foreign_account(account)

    [told] = [one.why for one in permissions.keys(account) if one.state is State.FAILED]

    assert "NobodyElseReads: another Condition ArnNotLike aws:principalarn" in told
    assert "more: More allows kms:decrypt" in told
    assert "role/other" not in told
    assert "210987654321" not in told


def test_what_the_caller_may_not_ask_is_not_called_a_failure(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    client = account.client("kms")

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeKey")

    monkeypatch.setattr(client, "describe_key", denied)
    monkeypatch.setattr(account, "client", lambda _: client)

    [result] = list(permissions.keys(account))

    assert (result.state, "DescribeKey" in result.why) == (State.UNCHECKED, True)


@pytest.fixture
def unlocked(account: Account) -> Account:
    """The same with a bucket whose objects can be deleted, and that refuses nothing."""
    client, name = account.client("s3"), f"unlocked-{uuid4().hex}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    account._resources["DocumentsBucket"] = (buckets.BUCKET, name)
    return account


def test_a_bucket_that_takes_anything_is_found(unlocked: Account) -> None:
    found = {one.check for one in tried.bucket(unlocked) if one.state is State.FAILED}

    assert found >= {"bucket.tls", "bucket.key"}


def test_nothing_that_was_tried_is_left(unlocked: Account) -> None:
    list(tried.bucket(unlocked))

    assert (
        unlocked.client("s3").list_object_versions(Bucket=unlocked.physical("DocumentsBucket")).get("Versions", [])
        == []
    )


# --- the local stack


@pytest.fixture(scope="module")
def local() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


def test_addresses_that_take_anything_are_found(local: LocalProcess) -> None:
    here = Account(Stack("", None, local=local.url))

    found = {one.check for one in tried.bucket(here) if one.state is State.FAILED}

    # moto takes what the address was not made for; that it takes what it was made for came first
    assert found >= {"signed.length", "signed.type", "signed.expired"}


def test_addresses_prove_nothing_where_what_they_are_for_is_refused(unlocked: Account) -> None:
    told = tried.signed(
        unlocked.client("s3"),
        unlocked.physical("DocumentsBucket"),
        "arn:aws:kms:eu-west-3:1:key/x",
        "http://127.0.0.1:9",
    )

    assert {one.state for one in told} == {State.UNCHECKED}


def test_the_local_stack_fails_in_nothing_and_says_what_it_cannot_show(
    local: LocalProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    code = smoke.main(["--local", local.url, "--output", "json"])

    results = json.loads(capsys.readouterr().out)
    assert [one for one in results if one["state"] == "failed"] == []
    assert code == 0
    ok = {one["check"] for one in results if one["state"] == "ok"}
    assert ok >= {
        "api.token",
        "api.metadata",
        "table.protection",
        "table.stream",
        "bucket.versions",
        "queue.encryption",
    }
    assert ok.isdisjoint(smoke.NOT_LOCAL)


@pytest.mark.parametrize(
    ("path", "outputs", "states"),
    [
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.FAILED]),
        ("/local/closed", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.OK]),
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com", "Edge": "arn"}, []),
        ("/fhir", {}, []),
    ],
)
def test_beside_a_name_of_its_own_the_api_answers_by_no_other(
    local: LocalProcess, account: Account, path: str, outputs: dict[str, str], states: list[State]
) -> None:
    account.outputs = {"Base": f"{local.url}{path}"} | outputs

    results = list(tried.other_name(account))

    assert [one.state for one in results] == states


def test_a_stack_that_does_not_answer_ends_with_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(["--local", "http://127.0.0.1:9"]) == 4
    assert "cannot be asked" in capsys.readouterr().err

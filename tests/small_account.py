"""A small stack of moto's CloudFormation as an account that smoke looks at, and what sets its parts as one likes."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
from moto import mock_aws

from infra.local import moto_repairs
from infra.local.resources import ACCOUNT, REGION
from infra.local.template import SECRETS, Template
from infra.smoke import alarms, backups, storage, watch
from infra.smoke.account import STACK, Account
from tests.aws_stack import NOWHERE

type Json = dict[str, Any]

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
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: !Ref Days }
      SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt DataKey.Arn }
      StreamSpecification:
        StreamViewType: NEW_AND_OLD_IMAGES
        ResourcePolicy:
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{ Sid: Nobody, Effect: Deny, Principal: "*", Action: "dynamodb:GetRecords", Resource: "*" }]
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
  TraceTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt DataKey.Arn }
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
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
            TargetBackupVault: !Ref BackupVault
            StartWindowMinutes: 60
            CompletionWindowMinutes: 720
            ScheduleExpression: cron(0 1 * * ? *)
            Lifecycle: { DeleteAfterDays: !Ref Days }
            CopyActions: [{ DestinationBackupVaultArn: VAULT, Lifecycle: { DeleteAfterDays: !Ref Days } }]
  BackupSelection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref BackupPlan
      BackupSelection:
        SelectionName: everything
        IamRoleArn: !GetAtt WorkRole.Arn
        Resources: [!GetAtt AuditTable.Arn, !GetAtt DocumentsBucket.Arn]
  BackupVault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: vault
      EncryptionKeyArn: !GetAtt DataKey.Arn
      LockConfiguration: { MinRetentionDays: 1, MaxRetentionDays: 35, ChangeableForDays: 3 }
      AccessPolicy:
        Version: "2012-10-17"
        Statement:
          - { Sid: Nobody, Effect: Deny, Principal: "*", Action: "backup:DeleteRecoveryPoint", Resource: "*" }
  Work:
    Type: AWS::Serverless::Function
    Properties: { Handler: work.handler, CodeUri: work/, Timeout: 3, MemorySize: 128 }
  WorkLogs:
    Type: AWS::Logs::LogGroup
    Properties: { RetentionInDays: !Ref Days, LogGroupName: work-UNIQUE, KmsKeyId: !GetAtt DataKey.Arn }
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: n
      MetricName: m
      Dimensions: [{ Name: QueueName, Value: !GetAtt Lost.QueueName }]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      AlarmActions: [!Ref Topic]
  Within:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: within.yaml, Parameters: { Limit: 5 } }
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: alarms-UNIQUE }
"""
WITHIN = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Limit: { Type: Number, Default: 0 }
Resources:
  Heard:
    Type: AWS::SNS::Topic
    Properties: { TopicName: heard-UNIQUE }
  Rings:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: rings
      Namespace: n
      MetricName: m
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: !Ref Limit
      AlarmActions: [!Ref Heard]
"""
VAULT = "arn:aws:backup:eu-central-1:123456789012:backup-vault:copies"
# more than the template says by default: it is what the stack was given that counts
GIVEN = [{"ParameterKey": "Days", "ParameterValue": "30"}, {"ParameterKey": "Years", "ParameterValue": "10"}]
# moto's CloudFormation does not know them
NOT_MADE = {
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
    *(backups.PLAN, backups.SELECTION, backups.VAULT),
    *(alarms.ALARM, STACK, "AWS::Serverless::Function"),
    SECRETS,
}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@dataclass
class Deployed:
    """A stack of moto's CloudFormation, as if it were deployed."""

    name: str
    is_local: bool = False
    told: dict[tuple[str, str], Callable[..., Any]] = field(default_factory=dict)
    """What moto has no operation for, or forgets: an answer by service and operation."""

    def client(self, service: str) -> Any:
        made: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
        for (of, operation), answer in self.told.items():
            if of == service:
                setattr(made, operation, partial(answer, getattr(made, operation)))
        return made


def tells(account: Account, service: str, operation: str, answer: Callable[..., Any]) -> None:
    """Let an operation answer that moto does not have."""
    deployed: Any = account._stack
    deployed.told[service, operation] = answer


@contextmanager
def small_account(folder: Path) -> Iterator[Account]:
    """A small stack that is as its template says, what moto's CloudFormation overlooks put in."""
    moto_repairs.apply()
    file = folder / "template.yaml"
    # other tests of the same process share moto with this one
    unique = uuid4().hex
    file.write_text(TEMPLATE.replace("UNIQUE", unique).replace("VAULT", VAULT), encoding="utf-8")
    template = Template(file)
    with patch.dict(os.environ, NOWHERE), mock_aws():
        deployed: Any = Deployed(f"dmp-{unique}")
        resources = {
            name: each for name, each in template._content["Resources"].items() if each["Type"] not in NOT_MADE
        }
        content = json.dumps({n: e for n, e in template._content.items() if n != "Globals"} | {"Resources": resources})
        deployed.client("cloudformation").create_stack(StackName=deployed.name, TemplateBody=content, Parameters=GIVEN)
        account = Account(deployed, template)
        add_within(account, folder, unique)
        complete(account)
        yield account


def add_within(account: Account, folder: Path, unique: str) -> None:
    """Make the stack within, which moto makes of files in buckets alone."""
    file = folder / "within.yaml"
    file.write_text(WITHIN.replace("UNIQUE", unique), encoding="utf-8")
    content = Template(file)._content
    made = {name: each for name, each in content["Resources"].items() if each["Type"] not in NOT_MADE}
    told = account.client("cloudformation").create_stack(
        StackName=f"within-{unique}", TemplateBody=json.dumps(content | {"Resources": made}),
        Parameters=[{"ParameterKey": "Limit", "ParameterValue": "5"}],
    )  # fmt: skip
    account._resources["Within"] = (STACK, told["StackId"])
    within = dict(account._listed(told["StackId"], "Within/"))
    account._resources.update(within)


def complete(account: Account) -> None:
    from moto.kms.models import kms_backends
    from moto.logs.models import logs_backends

    key: Any = kms_backends[ACCOUNT][REGION].keys[account.physical("DataKey")]
    table, bucket = account.physical("AuditTable"), account.physical("DocumentsBucket")
    database, store = account.client("dynamodb"), account.client("s3")
    for name, days in ("AuditTable", 30), ("TraceTable", 35):
        encrypt(account, key.arn, name)
        recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
        database.update_continuous_backups(TableName=account.physical(name), PointInTimeRecoverySpecification=recovery)
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
    group: Any = logs_backends[ACCOUNT][REGION].groups[account.physical("WorkLogs")]
    group.kms_key_id = key.arn
    account.client("logs").put_retention_policy(logGroupName=account.physical("WorkLogs"), retentionInDays=30)
    for topic in "Topic", "Within/Heard":
        account.client("sns").subscribe(TopicArn=account.physical(topic), Protocol="email", Endpoint="a@example.org")
    # moto's CloudFormation makes no alarms
    account._resources["Alarm"] = (alarms.ALARM, "lost")
    account._resources["Within/Rings"] = (alarms.ALARM, "rings")
    rings(account, "lost", AlarmActions=[account.physical("Topic")])
    rings(account, "rings", AlarmActions=[account.physical("Within/Heard")], Threshold=5, Dimensions=[])
    keep_backups(account, key.arn)
    run(account, key.arn)


def rings(account: Account, name: str, **changes: Any) -> None:
    """Put an alarm, with changes to it."""
    own = {"AlarmActions": [account.physical("Topic")], "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0}
    own |= {"Dimensions": [{"Name": "QueueName", "Value": "lost"}], "MetricName": "m", "Namespace": "n", "Period": 60}
    own |= {"Statistic": "Sum", "EvaluationPeriods": 1}
    account.client("cloudwatch").put_metric_alarm(AlarmName=name, **(own | changes))


def keep_backups(account: Account, key: str) -> None:
    """Make the vault, and let AWS Backup tell what moto does not: the vault's policy and the selections."""
    from moto.backup.models import backup_backends

    name = f"vault-{uuid4().hex}"
    client = account.client("backup")
    client.create_backup_vault(BackupVaultName=name, EncryptionKeyArn=key)
    client.put_backup_vault_lock_configuration(
        BackupVaultName=name, MinRetentionDays=1, MaxRetentionDays=35, ChangeableForDays=3
    )
    assert backup_backends[ACCOUNT][REGION].vaults[name].lock_date
    account._resources["BackupVault"] = (backups.VAULT, name)
    account._resources["BackupSelection"] = (backups.SELECTION, "selection")
    vault_refuses(account, "backup:DeleteRecoveryPoint")
    stream_refuses(account, "dynamodb:GetRecords")
    listed = {"BackupSelectionsList": [{"SelectionId": "1", "SelectionName": "everything"}]}
    tells(account, "backup", "list_backup_selections", lambda _, **__: listed)
    backed_up(account)
    choose(account, {})


def choose(account: Account, changes: Json) -> None:
    """Take backups of what is declared, with changes to the selection."""
    role = account.physical("WorkRole")
    table = account.physical("AuditTable")
    chosen = {
        "SelectionName": "everything",
        "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        "Resources": [
            f"arn:aws:s3:::{account.physical('DocumentsBucket')}",
            f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}",
        ],
        "NotResources": [],
        "ListOfTags": [],
        "Conditions": {"StringEquals": []},
    }
    tells(account, "backup", "get_backup_selection", lambda _, **__: {"BackupSelection": chosen | changes})


def vault_refuses(account: Account, action: str) -> None:
    """Put a policy on the vault, which moto's do not have."""
    denial = {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": denial})
    tells(account, "backup", "get_backup_vault_access_policy", lambda _, **__: {"Policy": policy})


def stream_refuses(account: Account, action: str) -> None:
    """Put a policy on the stream of a table, which moto's do not have."""
    denial = {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": denial})}

    def told(own: Callable[..., Any], ResourceArn: str) -> Any:  # noqa: N803 - the name of AWS
        return policy if "/stream/" in ResourceArn else own(ResourceArn=ResourceArn)

    tells(account, "dynamodb", "get_resource_policy", told)


def run(account: Account, key: str) -> None:
    """Make the function, its schedule and the API, whose authorizer remembers nothing."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{account.physical('WorkRole')}"
    name = f"work-{uuid4().hex}"
    account.client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="work.handler",
        Code={"ZipFile": b"PK"},
        KMSKeyArn=key,
    )
    account._resources["Work"] = ("AWS::Lambda::Function", name)
    logs_to(account, account.physical("WorkLogs"))
    target = {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}", "RoleArn": role}
    account.client("scheduler").create_schedule(
        Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    account._resources["WorkEvery"] = (watch.SCHEDULE, name)
    account._resources["Api"] = ("AWS::ApiGatewayV2::Api", "api")
    remembers(account, 0)


def logs_to(account: Account, group: str) -> None:
    """Where the function logs to, which moto forgets."""
    told = {"LoggingConfig": {"LogGroup": group}}
    tells(account, "lambda", "get_function_configuration", lambda own, **request: own(**request) | told)


def remembers(account: Account, seconds: int) -> None:
    """How long the API remembers what its authorizer said, which moto does not list."""
    told = {"Items": [{"AuthorizerResultTtlInSeconds": seconds}]}
    tells(account, "apigatewayv2", "get_authorizers", lambda _, **__: told)


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
        "TargetBackupVaultName": account.physical("BackupVault"),
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 720,
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


def encrypt(account: Account, key: str, name: str = "AuditTable") -> None:
    """Put a table under a key, which moto does at its creation alone."""
    from moto.dynamodb.models import dynamodb_backends

    table: Any = dynamodb_backends[ACCOUNT][REGION].get_table(account.physical(name))
    table.sse_specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}

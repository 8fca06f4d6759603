"""Rules for every resource of the template, also for future ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template.conftest import ROOT, of_type

HTTP_LIMIT_SECONDS = 29
FIXED_NAMES = {
    "BucketName",
    "FunctionName",
    "TableName",
    "TopicName",
    "QueueName",
    "RoleName",
    "AlarmName",
    "DashboardName",
}


def test_functions__run__on_python_3_13_for_a_chosen_architecture_with_tracing(functions, document):
    assert functions
    for name, properties in functions.items():
        assert properties["Runtime"] == "python3.13", name
        assert properties["Architectures"] == [{"Ref": "Architecture"}], name
        assert properties["Tracing"] == "Active", name
    assert document["Parameters"]["Architecture"]["Default"] == "arm64"
    assert document["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]


def test_functions__log__json_to_a_group_of_their_own(functions, resources):
    groups = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in functions.values()]
    assert len(set(groups)) == len(groups)
    for name, properties in functions.items():
        assert properties["LoggingConfig"]["LogFormat"] == "JSON", name
        assert resources[properties["LoggingConfig"]["LogGroup"]["Ref"]]["Type"] == "AWS::Logs::LogGroup", name


def test_log_groups__keep__for_a_limited_time(resources):
    for name, properties in of_type(resources, "AWS::Logs::LogGroup").items():
        assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_functions_of_the_api__time_out__before_the_gateway_does(functions):
    for name, properties in functions.items():
        if any(event["Type"] == "HttpApi" for event in properties["Events"].values()):
            assert properties["Timeout"] <= HTTP_LIMIT_SECONDS, name


def test_asynchronous_paths__fail__into_a_dead_letter_queue(functions, resources):
    queues = of_type(resources, "AWS::SQS::Queue")
    schedules = 0
    for name, properties in functions.items():
        kinds = {event["Type"] for event in properties["Events"].values()}
        assert kinds <= {"HttpApi", "ScheduleV2", "SQS"}, f"{name}: say here what becomes of its failures"
        if kinds == {"SQS"}:
            for event in properties["Events"].values():
                queue = queues[_queue(event["Properties"]["Queue"])]
                assert _queue(queue["RedrivePolicy"]["deadLetterTargetArn"]) in queues, name
                assert queue["VisibilityTimeout"] >= 6 * properties["Timeout"], name
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
            continue
        if kinds == {"HttpApi"}:
            continue
        target = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert target["Type"] == "SQS", name
        assert _queue(target["Destination"]) in queues, name
        for event in properties["Events"].values():
            schedules += 1
            assert _queue(event["Properties"]["DeadLetterConfig"]["Arn"]) in queues, name
            assert event["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
    assert schedules


def _queue(arn: dict[str, Any]) -> str:
    logical_id, attribute = arn["Fn::GetAtt"]
    assert attribute == "Arn"
    return logical_id


def test_queues__keep__encrypted_for_two_weeks(resources):
    for name, properties in of_type(resources, "AWS::SQS::Queue").items():
        assert properties["SqsManagedSseEnabled"] is True, name
        assert properties["MessageRetentionPeriod"] == 14 * 24 * 60 * 60, name


def test_topics__about_customers__are_encrypted(resources):
    for name, properties in of_type(resources, "AWS::SNS::Topic").items():
        assert ("KmsMasterKeyId" in properties) == (name != "OperationsTopic"), name


def test_tables__outlive__mistakes(resources):
    tables = of_type(resources, "AWS::DynamoDB::Table")
    assert tables
    for name, properties in tables.items():
        assert resources[name]["DeletionPolicy"] == "Retain", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name
        assert properties["DeletionProtectionEnabled"] is True, name
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert properties["SSESpecification"]["SSEEnabled"] is True, name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name


def test_buckets__outlive__the_stack_and_keep_no_version_that_would_outlive_an_erasure(resources):
    buckets = of_type(resources, "AWS::S3::Bucket")
    assert buckets
    for name, properties in buckets.items():
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain", name
        assert not {"VersioningConfiguration", "ReplicationConfiguration", "ObjectLockEnabled"} & {*properties}, name


def test_buckets__are__encrypted_and_closed_to_the_public(resources):
    for name, properties in of_type(resources, "AWS::S3::Bucket").items():
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, name
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
        blocked = properties["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}, name
        assert len(blocked) == len(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        )


def test_buckets__refuse__whoever_comes_without_tls(resources):
    policies = of_type(resources, "AWS::S3::BucketPolicy").values()
    policy_of = {policy["Bucket"]["Ref"]: policy["PolicyDocument"]["Statement"] for policy in policies}
    for name in of_type(resources, "AWS::S3::Bucket"):
        (deny,) = policy_of[name]
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*"), name
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name
        whole = [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]
        assert deny["Resource"] == whole, name


def test_dataset__expires__by_folder_and_leaves_no_half_upload(resources):
    rules = resources["DatasetBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    expires = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    kept = {"Ref": "DatasetDays"}
    assert expires == {"account_nights/": kept, "book/": kept, "staging/": 1, "exports/": 1}
    (aborted,) = [rule for rule in rules if "Prefix" not in rule]
    assert aborted["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_tables__declare__exactly_the_attributes_of_their_keys(resources):
    for name, properties in of_type(resources, "AWS::DynamoDB::Table").items():
        keys = [properties["KeySchema"]]
        keys += [index["KeySchema"] for index in properties.get("GlobalSecondaryIndexes", [])]
        used = {part["AttributeName"] for schema in keys for part in schema}
        assert {given["AttributeName"] for given in properties["AttributeDefinitions"]} == used, name


def test_resources__have__no_name_that_another_stack_could_hold(resources):
    for name, resource in resources.items():
        properties = resource["Properties"]
        assert not FIXED_NAMES & properties.keys(), name
        for field in ("LogGroupName", "LayerName"):
            if field in properties:
                assert "${AWS::StackName}" in properties[field]["Fn::Sub"], name
        for event in properties.get("Events", {}).values():
            assert event["Type"] != "ScheduleV2" or event["Properties"]["OmitName"] is True, name


def test_parameters__have__defaults_and_say_what_they_are(document):
    for name, parameter in document["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].endswith("."), name


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("AlertEmail", ["", "team@example.com"], ["team", "a b@example.com", "team@example"]),
        ("OperatorEmail", ["", "ops@example.com"], ["ops", "a b@example.com"]),
        ("AlertPhone", ["", "+491701234567"], ["01701234567", "+0170", "+49 170 1234567"]),
        ("AppUrl", ["", "https://app.example.com/customers"], ["app.example.com", "https://a b"]),
        ("AllowedOrigins", ["", "*", "https://a.example,http://localhost:3000"], ["a.example", "https://a, https://b"]),
        ("Timezone", ["UTC", "Europe/Berlin", "America/Port-au-Prince", "Etc/GMT+3"], ["", "Europe Berlin"]),
    ],
)
def test_parameters__accept__only_what_can_work(document, parameter, good, bad):
    pattern = document["Parameters"][parameter]["AllowedPattern"]
    assert [value for value in good if not re.search(pattern, value)] == []
    assert [value for value in bad if re.search(pattern, value)] == []


def test_guide__explains__every_parameter_and_resource(document):
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    names = [*document["Parameters"], *document["Resources"], *document["Outputs"]]
    assert [name for name in names if f"`{name}`" not in guide] == []


def test_api__takes__no_more_requests_than_the_parameters_say(resources, document):
    (api,) = of_type(resources, "AWS::Serverless::HttpApi").values()
    throttle = {"ThrottlingRateLimit": "RequestsPerSecond", "ThrottlingBurstLimit": "RequestBurst"}
    assert api["DefaultRouteSettings"] == {limit: {"Ref": parameter} for limit, parameter in throttle.items()}
    for parameter, default in (("RequestsPerSecond", 100), ("RequestBurst", 200)):
        described = document["Parameters"][parameter]
        assert (described["Type"], described["Default"], described["MinValue"]) == ("Number", default, 1)
    assert "RouteSettings" not in api, "a route of its own limit would be outside the stage's"


def test_api__closes__its_own_address_where_a_parameter_says_so(resources, document):
    (api,) = of_type(resources, "AWS::Serverless::HttpApi").values()
    condition, closed, otherwise = api["DisableExecuteApiEndpoint"]["Fn::If"]
    assert (closed, otherwise) == (True, False)
    assert document["Conditions"][condition] == {"Fn::Equals": [{"Ref": "DisableExecuteApiEndpoint"}, "true"]}
    assert document["Parameters"]["DisableExecuteApiEndpoint"]["Default"] == "false"


def test_api__lets_browsers_in__from_the_pages_of_the_parameter_alone(resources, document):
    (api,) = of_type(resources, "AWS::Serverless::HttpApi").values()
    condition, allowed, otherwise = api["CorsConfiguration"]["Fn::If"]
    assert document["Conditions"][condition] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedOrigins"}, document["Parameters"]["AllowedOrigins"]["Default"]]}]
    }
    assert allowed["AllowOrigins"] == {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}
    # What the vendors' clients send, which tests/browser/test_vendors_clients.py runs.
    assert {"authorization", "content-type", "x-retry-count", "anonymousid", "sentat"} <= set(allowed["AllowHeaders"])
    assert "*" not in allowed["AllowHeaders"]
    assert "AllowCredentials" not in allowed
    assert otherwise == {"Ref": "AWS::NoValue"}

"""Deploys the template, as SAM transforms it, into an emulation of CloudFormation, and runs the product there.

The emulation resolves names, ARNs and attributes with code that is independent of the local stack: a function with the
wrong table, or a policy for another one, fails here. `NOT_COVERED` lists the resources that it cannot create.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

from healthscore import process
from healthscore.http.api_keys import Scope
from tests.template.conftest import ROOT
from tests.template.sam_cli import NEEDS_SAM, SAM, run, translation
from tools import keys
from tools.local.gateway import Gateway
from tools.local.lambdas import Lambdas
from tools.local.web import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.local.template import Stack

pytestmark = NEEDS_SAM

STACK = "healthscore"
NOT_COVERED = {
    "AWS::ApiGatewayV2::Api": "routes, CORS and throttling: test_functions.py and test_sam.py read them",
    "AWS::ApiGatewayV2::Stage": "goes with the API, as do the permissions to be invoked by it",
    "AWS::CloudWatch::Alarm": "test_operations.py reads them; the dashboard, which names them, goes with them",
    "AWS::Glue::Database": "made only where the parameter asks for it, as is its table: test_athena.py reads both",
    "AWS::Glue::Table": "goes with its database",
    "AWS::Lambda::EventInvokeConfig": "retries and the failure destination: test_rules.py reads them",
    "AWS::S3::BucketPolicy": "test_rules.py reads it",
    "AWS::SNS::Subscription": "needs a person who confirms it",
    "AWS::SNS::TopicPolicy": "test_operations.py reads it",
    "AWS::Scheduler::Schedule": "test_sam.py reads what SAM makes of the schedules",
    "AWS::SecretsManager::Secret": "created by the test, since functions get its ARN",
}
"""Types that the emulation cannot create. It creates but does not enforce policies, log settings and encryption."""


@pytest.fixture(scope="module")
def transformed() -> dict[str, Any]:
    if not (SAM / "sam").exists():
        run("make", "validate")
    return translation("OperatorEmail=ops@example.com")


@pytest.fixture
def deployed(transformed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The physical names of the deployed resources, by logical id."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")  # moto answers the calls to AWS in this process
    with mock_aws(config={"lambda": {"use_docker": False}}):
        _upload(boto3.client("s3"))
        client = boto3.client("cloudformation")
        secrets = _secrets(transformed["Resources"])
        body = json.dumps(_without(_with_values(transformed, secrets), set(NOT_COVERED)))
        client.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        resources = client.describe_stack_resources(StackName=STACK)["StackResources"]
        yield {made["LogicalResourceId"]: made.get("PhysicalResourceId", "") for made in resources}
        process.forget()


def _upload(s3: Any) -> None:
    """Upload a placeholder for the functions' code; the test runs the handlers of this checkout."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", "")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=packed.getvalue())


def _secrets(resources: dict[str, Any]) -> dict[str, str]:
    """Create the template's secrets; returns their ARNs by logical id."""
    client = boto3.client("secretsmanager")
    secrets = {name: found["Properties"] for name, found in resources.items() if found["Type"].endswith("::Secret")}
    return {
        name: client.create_secret(Name=f"by-hand-{number}", SecretString=properties["SecretString"])["ARN"]
        for number, (name, properties) in enumerate(secrets.items())
    }


def _with_values(part: Any, values: dict[str, str]) -> Any:
    """A part of a template with references to some resources replaced."""
    match part:
        case {"Ref": str(name)} if name in values:
            return values[name]
        case dict():
            return {key: _with_values(value, values) for key, value in part.items()}
        case list():
            return [_with_values(value, values) for value in part]
    return part


def _without(document: dict[str, Any], types: set[str]) -> dict[str, Any]:
    """A template without resources of some types, and without references to them."""
    resources = dict(document["Resources"])
    gone = {name for name, resource in resources.items() if resource["Type"] in types}
    while gone:
        for name in gone:
            del resources[name]
        missing = set(document["Resources"]) - set(resources)
        gone = {name for name, resource in resources.items() if _names(resource) & missing}
    outputs = {name: output for name, output in document["Outputs"].items() if not _names(output) & missing}
    return {**document, "Resources": resources, "Outputs": outputs}


def _names(part: object) -> set[str]:
    return set(re.findall(r"\w+", json.dumps(part)))


def test_emulation__cannot_make__what_is_named_here_and_no_more(transformed):
    types = {resource["Type"] for resource in transformed["Resources"].values()}
    assert types - set(get_model_map()) == set(NOT_COVERED)


def test_deployment__makes__every_table_bucket_queue_topic_role_and_function(deployed, resources):
    kinds = {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::IAM::Role", "AWS::Logs::LogGroup"}
    kinds |= {"AWS::S3::Bucket", "AWS::Serverless::Function"}
    expected = {name for name, resource in resources.items() if resource["Type"] in kinds}
    assert expected <= set(deployed)
    assert (
        boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    )


def test_deployment__of_roles__names_the_deployed_tables_and_buckets_alone(deployed, stack, resources):
    iam = boto3.client("iam")
    arns = re.compile(r"arn:aws:(?:dynamodb:us-east-1:123456789012:table/|s3:::)([\w-]+)")
    kinds = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    kept = {deployed[name] for name, resource in resources.items() if resource["Type"] in kinds}
    named = set()
    for function in stack.functions:
        role, _ = resources[function]["Properties"]["Role"]["Fn::GetAtt"]
        policy = iam.get_role_policy(RoleName=deployed[role], PolicyName="code")["PolicyDocument"]
        named |= set(arns.findall(json.dumps(policy)))
    assert named == kept


@pytest.fixture
def functions(deployed: dict[str, str], stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Lambdas:
    """The handlers of this checkout, with the names and variables of the deployed functions."""
    client = boto3.client("lambda")
    found = {}
    for name, function in stack.functions.items():
        made = client.get_function_configuration(FunctionName=deployed[name])
        assert (made["Timeout"], made["MemorySize"]) == (function.timeout, function.memory)
        # The emulation passes parameters of type Number as numbers; Lambda passes text.
        variables = {variable: str(value) for variable, value in made["Environment"]["Variables"].items()}
        found[name] = replace(function, name=made["FunctionName"], arn=made["FunctionArn"], environment=variables)
    lambdas = Lambdas(found, ROOT)
    for name, value in lambdas.environment.items():
        monkeypatch.setenv(name, value)
    return lambdas


def test_deployment__that_is_used__stores_an_event_scores_it_and_ends_a_night(functions, stack):
    keys.add("admin", Scope.ADMIN, "test", datetime.now(UTC))
    gateway = Gateway(stack.routes, None, functions.invoke)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    def ask(method: str, target: str, body: object = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = (("authorization", "Bearer admin"), ("content-type", "application/json"))
        answer = gateway.answer(Request(method, target, headers, sent))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    event = {"account_id": "acme", "name": "account_created", "user_id": "ada", "timestamp": yesterday}
    assert ask("POST", "/v1/events", {"events": [event]})["accepted"] == 1
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    night = json.loads(functions.invoke("NightlyFunction", "{}"))
    assert (night["scored"], night["failed"], night["left"]) == (1, 0, [])
    assert ask("GET", "/v1/accounts/acme/health")["components"]["milestones"]["score"] == 50
    assert ask("GET", "/v1/accounts/acme")["latest"]["score"] == night_score(ask)


def night_score(ask: Any) -> int:
    """The score of the night's snapshot."""
    (kept,) = ask("GET", "/v1/accounts/acme/history")["snapshots"]
    return kept["score"]

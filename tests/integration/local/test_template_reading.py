"""The local stack understands the template as CloudFormation does."""

from pathlib import Path

import pytest

from tools.local import cloudformation, template
from tools.local.lambdas import Lambdas
from tools.local.routes import Route

SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Level: { Type: String, Default: INFO }
  Origins: { Type: String, Default: "https://a.example,https://b.example" }
Conditions:
  Wanted: !Not [!Equals [!Ref Origins, ""]]
  Never: !Equals [a, b]
Globals:
  Function:
    Handler: handler.handler
    Timeout: 29
    Environment:
      Variables: { LOG_LEVEL: !Ref Level, STRICT: true }
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: !If
        - Wanted
        - { AllowOrigins: !Split [",", !Ref Origins], AllowMethods: [GET], AllowHeaders: [authorization], MaxAge: 60 }
        - !Ref AWS::NoValue
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reader/
      Timeout: 900
      Environment:
        Variables:
          TABLE: !Ref Things
          TABLE_ARN: !GetAtt Things.Arn
          TOPIC_ARN: !Ref Topic
          PAGE: !Sub "https://${AWS::Region}.example/${Things}/${!literal}"
          GONE: !If [Never, x, !Ref AWS::NoValue]
      Events:
        One: { Type: HttpApi, Properties: { Path: "/things/{id}", Method: get } }
        Rest: { Type: HttpApi }
        Night: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 day) } }
        Work: { Type: SQS, Properties: { Queue: !GetAtt Work.Arn } }
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      BillingMode: PAY_PER_REQUEST
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
      SSESpecification: { SSEEnabled: true }
  Unwanted:
    Type: AWS::DynamoDB::Table
    Condition: Never
    Properties: { AttributeDefinitions: [], KeySchema: [] }
  Topic: { Type: AWS::SNS::Topic }
  Work: { Type: AWS::SQS::Queue }
  Files: { Type: AWS::S3::Bucket }
"""


def read(tmp_path: Path, text: str = SMALL, **parameters: str) -> template.Stack:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return template.read(path, stack="s", parameters=parameters)


def test_environment__globals_and_references__resolved_to_local_names(tmp_path):
    assert read(tmp_path).functions["Reader"].environment == {
        "LOG_LEVEL": "INFO",
        "STRICT": "true",
        "TABLE": "s-Things",
        "TABLE_ARN": f"arn:aws:dynamodb:{cloudformation.REGION}:{cloudformation.ACCOUNT}:table/s-Things",
        "TOPIC_ARN": f"arn:aws:sns:{cloudformation.REGION}:{cloudformation.ACCOUNT}:s-Topic",
        "PAGE": f"https://{cloudformation.REGION}.example/s-Things/${{literal}}",
    }


def test_function__own_property__wins_over_globals(tmp_path):
    function = read(tmp_path).functions["Reader"]
    assert (function.handler, function.timeout, function.code) == ("handler.handler", 900, "functions/reader/")


def test_parameter__given__wins_over_default(tmp_path):
    assert read(tmp_path, Level="WARN").functions["Reader"].environment["LOG_LEVEL"] == "WARN"


def test_routes__http_api_events__read_with_catch_all(tmp_path):
    assert read(tmp_path).routes == (Route("GET", "/things/{id}", "Reader"), Route("ANY", "$default", "Reader"))


def test_tables__existing_ones__read_without_what_only_aws_needs(tmp_path):
    assert read(tmp_path).tables == (
        template.Table(
            name="s-Things",
            definition={
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
            ttl_attribute="ttl",
        ),
    )


def test_buckets__unnamed__read_under_a_name_that_s3_takes(tmp_path):
    assert read(tmp_path).buckets == ("s-files",)


def test_queues__of_functions__read_with_the_function_that_takes_their_messages(tmp_path):
    assert read(tmp_path).takers == {"s-Work": "Reader"}


def test_cors__conditional_block__follows_the_parameter(tmp_path):
    assert read(tmp_path).cors == template.Cors(
        origins=("https://a.example", "https://b.example"), methods=("GET",), headers=("authorization",), max_age=60
    )
    assert read(tmp_path, Origins="").cors is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("!Ref Nothing", "neither a parameter nor a resource Nothing"),
        ("!GetAtt Nothing.Arn", "no resource Nothing"),
        ("!ImportValue x", "cannot resolve Fn::ImportValue"),
        ("!If [Nothing, a, b]", "no condition Nothing"),
    ],
)
def test_environment__unknown_name_or_function__says_which(tmp_path, value, reason):
    text = SMALL.replace("TABLE: !Ref Things", f"TABLE: {value}")
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, text)


def test_environment__functions_disagree__refused(tmp_path):
    other = SMALL[SMALL.index("  Reader:") : SMALL.index("  Things:")].replace("  Reader:", "  Other:")
    text = SMALL + other.replace("TABLE: !Ref Things", "TABLE: elsewhere")
    with pytest.raises(ValueError, match="TABLE differs between functions"):
        Lambdas(read(tmp_path, text).functions, tmp_path)

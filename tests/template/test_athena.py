"""The Glue table over the dataset's files: the columns of the code, and partitions that nobody registers."""

from __future__ import annotations

from datetime import date, timedelta

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import COLUMNS, Type

TYPES = {
    Type.TEXT: "string",
    Type.WHOLE: "bigint",
    Type.NUMBER: "double",
    Type.FLAG: "boolean",
    Type.DAY: "date",
    Type.INSTANT: "timestamp",
}
NIGHT = date(2026, 11, 29)


def test_glue__without_the_parameter__is_not_made(document, resources):
    assert document["Parameters"]["Athena"]["Default"] == ""
    made = {name for name, resource in resources.items() if resource["Type"].startswith("AWS::Glue::")}
    assert made == {"DatasetDatabase", "DatasetTable"}
    assert {resources[name]["Condition"] for name in made} == {"HasAthena"}


def test_table__has__the_columns_of_the_code_and_the_night_as_its_partition(resources):
    described = resources["DatasetTable"]["Properties"]["TableInput"]
    columns = {column["Name"]: column["Type"] for column in described["StorageDescriptor"]["Columns"]}
    assert columns == {column.name: TYPES[column.type] for column in COLUMNS if column.name != "night"}
    assert described["PartitionKeys"] == [{"Name": "night", "Type": "date"}]


def test_table__of_a_night__leads_to_the_files_of_that_night_alone(resources):
    parameters = resources["DatasetTable"]["Properties"]["TableInput"]["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.night.format"] == "yyyy-MM-dd"
    first, last = parameters["projection.night.range"].split(",")
    assert date.fromisoformat(first) <= NIGHT - timedelta(days=3650)
    assert last == "NOW+1DAYS"  # a zone may be a day ahead of UTC
    template = parameters["storage.location.template"]["Fn::Sub"]
    location = template.replace("${DatasetBucket}", "bucket").replace("${!night}", NIGHT.isoformat())
    assert location == f"s3://bucket/{layout.night_prefix(NIGHT)}"

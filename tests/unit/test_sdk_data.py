"""Cutting botocore's data down leaves all that a client of the chosen services reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from sdk_data import cut_down

ALL = Path(botocore.__file__).parent / "data"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Some services of botocore's data, and all that belongs to none."""
    for path in ALL.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    for service in ("s3", "sns", "sqs"):
        shutil.copytree(ALL / service, tmp_path / service)
    return tmp_path


def loader(folder: Path) -> Loader:
    return Loader(extra_search_paths=[str(folder)], include_default_search_paths=False)


def without_manual(value: Any) -> Any:
    return json.loads(
        json.dumps(value),
        object_pairs_hook=lambda pairs: {
            name: it for name, it in pairs if name != "documentation" or not isinstance(it, str)
        },
    )


def test_cut_down__of_a_chosen_service__leaves_its_description_without_the_manual(data):
    cut_down(data, frozenset({"sns"}))
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        there = loader(data).load_service_model("sns", kind)
        assert there == without_manual(loader(ALL).load_service_model("sns", kind))
    assert "documentation" not in (data / "sns" / "2010-03-31" / "service-2.json").read_text()


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("s3", "put_object", {"Bucket": "dataset", "Key": "nights/2026-11.parquet"}),
        ("sns", "publish", {"Message": "It fell."}),
        ("sqs", "send_message", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/work", "MessageBody": "{}"}),
    ],
)
def test_cut_down__of_a_chosen_service__leaves_what_a_call_needs(data, service, method, arguments):
    """A call reads more than the client's making does: S3's the texts of settings that a client may have."""

    def url_of_a_call(folder: Path) -> str:
        session = botocore.session.Session()
        session.register_component("data_loader", loader(folder))
        client = session.create_client(service, "eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret")
        url = client.generate_presigned_url(method, arguments)
        client.close()
        return url.partition("?")[0]

    expected = url_of_a_call(ALL)
    cut_down(data, frozenset({service}))
    assert url_of_a_call(data) == expected


def test_cut_down__of_other_services__leaves_nothing(data):
    cut_down(data, frozenset({"sns"}))
    assert [path.name for path in data.iterdir() if path.is_dir()] == ["sns"]
    for partition in loader(data).load_data("endpoints")["partitions"]:
        assert set(partition["services"]) <= {"sns"}


def test_cut_down__of_what_no_service_owns__changes_nothing_but_texts(data):
    cut_down(data, frozenset())
    for name in ("partitions", "_retry", "sdk-default-configuration"):
        assert loader(data).load_data(name) == without_manual(loader(ALL).load_data(name))
    before, after = (loader(folder).load_data("endpoints")["partitions"] for folder in (ALL, data))
    assert [{**partition, "services": {}} for partition in before] == after


def test_cut_down__of_a_member_called_documentation__leaves_it(data):
    model = {"shapes": {"Page": {"members": {"documentation": {"shape": "Text"}}, "documentation": "<p>A page.</p>"}}}
    (data / "sns" / "page-1.json").write_text(json.dumps(model))
    cut_down(data, frozenset({"sns"}))
    kept = json.loads((data / "sns" / "page-1.json").read_text())
    assert kept == {"shapes": {"Page": {"members": {"documentation": {"shape": "Text"}}}}}

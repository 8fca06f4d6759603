"""What `make sam-local` makes of the built template. The containers themselves need Docker, and are no part of this."""

from __future__ import annotations

import pytest

from tools import ROOT
from tools.local import template
from tools.sam_local import adapt

HERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4000", "AWS_ACCESS_KEY_ID": "local"}


@pytest.fixture(scope="module")
def functions():
    return template.read(ROOT / "template.yaml", stack="test").functions


def variables(functions, here):
    document = adapt((ROOT / "template.yaml").read_text(encoding="utf-8"), functions, here, "x86_64")
    assert "Environment" not in document["Globals"]["Function"]
    return {name: document["Resources"][name]["Properties"]["Environment"]["Variables"] for name in functions}


def test_adapt__every_function__gets_its_variables_as_plain_text(functions):
    for name, given in variables(functions, HERE).items():
        assert all(isinstance(value, str) for value in given.values()), name
        assert functions[name].environment.items() <= given.items(), name


def test_adapt__endpoint_on_this_machine__is_called_by_the_name_that_containers_know(functions):
    for given in variables(functions, HERE).values():
        assert given["AWS_ENDPOINT_URL"] == "http://host.docker.internal:4000"


def test_adapt__endpoint_elsewhere__stays_as_it_is(functions):
    here = HERE | {"AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example:8000"}
    for given in variables(functions, here).values():
        assert given["AWS_ENDPOINT_URL_DYNAMODB"] == "http://dynamodb.example:8000"


def test_adapt__credentials__are_left_to_the_sam_cli(functions):
    assert all("AWS_ACCESS_KEY_ID" not in given for given in variables(functions, HERE).values())

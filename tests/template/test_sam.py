"""SAM accepts the template, and builds what the functions need and nothing else.

Needs Python 3.13 and the SAM CLI, which `make validate` installs; skipped without it unless REQUIRE_SAM=1.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from healthscore.api import docs_page
from tests.template.conftest import ROOT
from tests.template.sam_cli import NEEDS_SAM, run, translated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [*NEEDS_SAM, pytest.mark.slow]

# The field of an ELF file that names its machine, and its values.
MACHINE_AT = slice(18, 20)
MACHINES = {"arm64": ("aarch64", b"\xb7\x00"), "x86_64": ("x86_64", b"\x3e\x00")}
MAGIC_OF_PYTHON_3_13 = b"\xf3\r\r\n"
MTIME_OF_GZIP = slice(4, 8)
LARGEST_FUNCTION = 250 << 20
"""Lambda's limit for a function with its layers, unpacked."""
UNCHECKED_HASH = b"\x01\x00\x00\x00"


@pytest.fixture(scope="module")
def sam() -> None:
    """The SAM CLI; the template passes its checks."""
    run("make", "validate")


@pytest.fixture(scope="module", params=MACHINES)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


FUNCTIONS = ("Api", "CrmRefresh", "CrmSync", "CrmWebhook", "EraseDataset", "Ingest", "Insights", "Nightly", "Score")


@pytest.fixture(scope="module")
def build(sam: None, architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of `make build` for an architecture."""
    folder = tmp_path_factory.mktemp(architecture) / "build"
    run("make", "build", f"ARCHITECTURE={architecture}", f"BUILD={folder}")
    return folder


@pytest.fixture(scope="module")
def library(build: Path) -> Path:
    return build / "HealthscoreLayer" / "python"


@pytest.fixture(scope="module")
def duckdb(build: Path) -> Path:
    return build / "DuckdbLayer" / "python"


def test_build__of_a_function__holds_its_handler_and_nothing_else(build):
    folders = sorted(path.name for path in build.iterdir() if path.name.endswith("Function"))
    assert folders == [f"{name}Function" for name in FUNCTIONS]
    for folder in folders:
        assert files(build / folder) == {"handler.py"}


def test_build__of_the_layer__holds_the_library_as_it_is_in_the_checkout(build, library):
    assert files(build / "HealthscoreLayer") == {f"python/{name}" for name in files(library)}
    shipped = {name for name in files(library / "healthscore") if not name.endswith(".pyc")}
    source = ROOT / "shared" / "healthscore"
    page = {f"api/docs_page/{name}" for name in ("docs.html", "page.js", "page.css")}
    served = {"api/openapi.json.gz", *page}
    assert shipped == {str(path.relative_to(source)) for path in source.rglob("*.py")} | served


def test_build__of_the_layer__holds_what_the_lock_file_names_and_nothing_else(library):
    """No tests, scripts or type stubs, which no function loads."""
    locked = re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "shared" / "requirements.txt").read_text(), re.MULTILINE)
    described = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in locked}
    packages = {name.replace("-", "_") for name, _ in locked} - {"python_dateutil", "six", "typing_extensions"}
    modules = {"dateutil", "six.py", "typing_extensions.py", "__pycache__", "healthscore"}
    expected = packages | described | modules
    assert {path.name for path in library.iterdir()} == expected
    assert {path.name for folder in described for path in (library / folder).iterdir()} == {"METADATA"}
    assert [name for name in files(library) if re.search(r"(^|/)(tests?|testing)/|\.pyi$|(^|/)py\.typed$", name)] == []


def test_build__of_the_layer__has_the_page_s_files_ready_to_be_answered(library):
    names = {"swagger-ui-bundle.min.js", "swagger-ui.min.css"}
    page = library / "aws_lambda_powertools" / "event_handler" / "openapi" / "swagger_ui"
    assert {path.name for path in page.glob("swagger-ui*")} == {f"{name}.gz" for name in names}
    for name in names:
        packed = (page / f"{name}.gz").read_bytes()
        assert packed[MTIME_OF_GZIP] == bytes(4), "every build gives the same bytes"
        assert gzip.decompress(packed) == docs_page.static_file(name, "", "").body
        answer = f"docs_page.static_file({name!r}, 'gzip', '').body"
        alone = f"import sys; sys.path.insert(0, {str(library)!r}); from healthscore.api import docs_page"
        assert run(sys.executable, "-S", "-c", f"{alone}; print({answer})").strip() == repr(packed)


def test_build__of_the_layer__describes_the_services_that_are_used_and_no_others(library):
    """The layer has the data of the services in use, and leaves out the others to shorten cold starts."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared" / "healthscore").rglob("*.py"))
    used = set(re.findall(r'boto3\.client\(\s*"(\w+)"', code))
    data = library / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == used
    assert not [name for name in files(data) if name.endswith(".gz") or "examples" in name]
    endpoints = "import boto3; " + "; ".join(
        f"print(boto3.client({service!r}, region_name={region!r}).meta.endpoint_url)"
        for service in sorted(used)
        for region in ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")
    )
    in_the_layer = f"import sys; sys.path.insert(0, {str(library)!r}); {endpoints}"
    assert run(sys.executable, "-c", in_the_layer) == run(sys.executable, "-c", endpoints)


def test_build__of_the_layer__knows_the_time_zones(library):
    """The runtime does not promise to have them."""
    assert (library / "tzdata" / "zoneinfo" / "Europe" / "Berlin").is_file()


def test_build__of_the_layer__is_for_the_chosen_machine(library, architecture):
    machine, code = MACHINES[architecture]
    binaries = [path for path in library.rglob("*") if path.suffix == ".so"]
    assert [path.name for path in binaries] == [f"_pydantic_core.cpython-313-{machine}-linux-gnu.so"]
    assert binaries[0].read_bytes()[MACHINE_AT] == code


@pytest.mark.parametrize("layer", ["HealthscoreLayer", "DuckdbLayer"])
def test_build__of_a_layer__is_compiled_for_the_runtime(build, layer):
    """Python uses the bytecode without checking the source, and its tracebacks show the path in the function."""
    folder = build / layer / "python"
    sources = list(folder.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        compiled = bytecode.read_bytes()
        assert compiled[:8] == MAGIC_OF_PYTHON_3_13 + UNCHECKED_HASH, bytecode
        assert f"/opt/python/{source.relative_to(folder)}".encode() in compiled, bytecode
        assert str(build).encode() not in compiled, bytecode


def test_build__of_duckdb_s_layer__holds_what_its_lock_names_for_the_chosen_machine(build, duckdb, architecture):
    assert files(build / "DuckdbLayer") == {f"python/{name}" for name in files(duckdb)}
    ((name, version),) = re.findall(
        r"^([a-z0-9-]+)==(\S+)", (ROOT / "shared" / "requirements-duckdb.txt").read_text(), re.MULTILINE
    )
    described = f"{name}-{version}.dist-info"
    assert {path.name for path in duckdb.iterdir()} == {"duckdb", "adbc_driver_duckdb", "_duckdb.abi3.so", described}
    assert {path.name for path in (duckdb / described).iterdir()} == {"METADATA"}
    assert (duckdb / "_duckdb.abi3.so").read_bytes()[MACHINE_AT] == MACHINES[architecture][1]


def test_build__of_both_layers__is_within_what_a_function_may_have(build):
    layers = [build / "HealthscoreLayer", build / "DuckdbLayer"]
    assert sum((layer / name).stat().st_size for layer in layers for name in files(layer)) < LARGEST_FUNCTION


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("sam")
def test_translation__of_cors__keeps_its_headers_and_hangs_on_the_condition():
    """Where only the origins are an intrinsic function, SAM keeps only the origins of the block."""
    body = translated("AllowedOrigins=https://a.example,https://b.example")["Api"]["Properties"]["Body"]
    condition, allowed, otherwise = body["x-amazon-apigateway-cors"]["Fn::If"]
    assert condition == "HasBrowserClients"
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert {"authorization", "content-type", "x-retry-count", "anonymousid"} <= {*allowed["allowHeaders"]}
    assert allowed["allowOrigins"] == {"Fn::Split": [",", "https://a.example,https://b.example"]}


@pytest.mark.usefixtures("sam")
def test_translation__of_functions__gives_all_the_library_and_duckdb_to_those_alone_that_use_the_dataset():
    layers = {
        name: [re.sub("[0-9a-f]{10}$", "", layer["Ref"]) for layer in found["Properties"]["Layers"]]
        for name, found in translated().items()
        if found["Type"] == "AWS::Lambda::Function"
    }
    with_duckdb = {name for name, given in layers.items() if given == ["HealthscoreLayer", "DuckdbLayer"]}
    assert with_duckdb == {"EraseDatasetFunction", "InsightsFunction", "NightlyFunction"}
    assert all(given == ["HealthscoreLayer"] for name, given in layers.items() if name not in with_duckdb)


@pytest.mark.usefixtures("sam")
def test_translation__of_roles__adds_none_but_those_of_the_schedules(resources):
    added = {
        name: found["Properties"]
        for name, found in translated().items()
        if found["Type"] == "AWS::IAM::Role" and name not in resources
    }
    assert added
    for name, role in added.items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": ["scheduler.amazonaws.com"]}, name
        assert "ManagedPolicyArns" not in role, name
        statements = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
        assert "*" not in json.dumps([statement["Resource"] for statement in statements]), name


@pytest.mark.usefixtures("sam")
def test_translation__of_schedules__gives_them_no_name_and_a_dead_letter_queue():
    schedules = [found for found in translated().values() if found["Type"] == "AWS::Scheduler::Schedule"]
    assert len(schedules) == 4
    for schedule in schedules:
        assert "Name" not in schedule["Properties"]
        assert schedule["Properties"]["Target"]["DeadLetterConfig"]

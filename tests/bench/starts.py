"""The cost of a cold start: the CPU time of a fresh process until a function is ready for its first request."""

from __future__ import annotations

import compileall
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode
from statistics import median
from typing import TYPE_CHECKING

from sdk_data import cut_down
from tests.bench import engine
from tests.bench.measuring import Section, Table, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FUNCTIONS = ("ingest", "score", "api", "insights", "nightly", "crm_webhook", "crm_refresh", "crm_sync", "erase_dataset")
TARGETS = {"ingest": 0.50, "score": 0.50}
"""As parts of the CPU time of the usual stack."""
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
_LIBRARIES = ("aws_lambda_powertools", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_SERVICES = re.compile(r"^SERVICES := (.*)$", re.MULTILINE)
_PROGRAM = Path(__file__).with_name("starting.py")


def measure(*, functions: Sequence[str] = FUNCTIONS, rounds: int = 21, instructions: bool = False) -> Section:
    """Start each function and the usual stack in turn, `rounds` times, in processes of their own."""
    with tempfile.TemporaryDirectory() as home:
        built = _build(Path(home))
        taken: dict[str, list[float]] = {what: [] for what in (*functions, *_NAMES)}
        for _ in range(rounds):
            for what, times in taken.items():
                times.append(float(_run([sys.executable, str(_PROGRAM), str(built), what]).stdout))
        cpu = {what: min(times) for what, times in taken.items()}
        counted = _instructions(built, [*TARGETS, "stack"]) if instructions else _NOT_COUNTED
    rows = []
    for what in taken:
        ratio = cpu[what] / cpu["stack"]
        row = [_NAMES.get(what, what), f"{cpu[what]:.0f}", f"{ratio:.2f}"]
        row.append(f"{TARGETS[what]:.2f}, {verdict(ratio, TARGETS[what])}" if what in TARGETS else "")
        if isinstance(counted, dict):
            row += (
                ["", ""]
                if what not in counted
                else [f"{counted[what] / 1e6:,.0f}", f"{counted[what] / counted['stack']:.2f}"]
            )
        rows.append(row)
    floor = _ABOUT_FLOOR.format(
        floor=cpu["client"] / cpu["stack"], own=cpu["layer's client"] / cpu["stack"], rest=_rest(cpu)
    )
    headings = ["function", "CPU ms", "of the usual stack", "target"]
    if isinstance(counted, dict):
        headings += ["million instructions", "of the usual stack's"]
        counted = _ABOUT_INSTRUCTIONS
    python = ".".join(map(str, sys.version_info[:2]))
    figures = {f"start {what}": cpu[what] for what in functions}
    return Section(
        "A cold start", [_ABOUT.format(rounds=rounds, python=python), Table(headings, rows), floor, counted], figures
    )


_NAMES = {
    "layer's client": "*`boto3.client` alone, from our layer*",
    "client": "*`boto3.client` alone, as pip installs it*",
    "stack": "*the usual stack*",
}
_ABOUT_FLOOR = """`boto3.client` alone, as pip installs it, is {floor:.2f} of the stack, nearly as much as the target
for a whole function. In our layer it is {own:.2f}, because the build ships boto3 and reduces its data to the services
in use ([`sdk_data.py`](../shared/sdk_data.py)). Powertools' Logger and our own modules add {rest:.0f} ms at the
median."""
_ABOUT_INSTRUCTIONS = """Instructions are counted by valgrind's cachegrind, without those of an interpreter that starts
and does nothing. They are the same in every run; the ratios of CPU time differ by some hundredths between runs on a
shared machine."""
_NOT_COUNTED = """`make bench ARGS=--instructions` counts instructions as well, which needs valgrind and some minutes
more."""
_ABOUT = """CPU time of a fresh Python {python} from its start to a function that is ready for its first request:
handler imported, AWS client created, bytecode compiled beforehand as in the layer. Each figure is the lowest of
{rounds} alternating runs: a start is the same work every time, and a busy machine only adds to it. The interpreter's
own start is not counted. *The usual stack* is `boto3.resource`, pydantic with one model, Powertools' Logger, Metrics
and Tracer, and its `APIGatewayHttpResolver` with validation and one route, without code that uses them, all as pip
installs it, with bytecode."""


def _rest(cpu: Mapping[str, float]) -> float:
    """The median CPU time of the functions without the client."""
    return median(cpu[function] for function in cpu if function not in _NAMES) - cpu["layer's client"]


def _build(home: Path) -> Path:
    """The layer and the functions with their bytecode, as a build lays them out; without pydantic."""
    without = shutil.ignore_patterns("__pycache__")
    layer, shared = home / "python", engine.ROOT / "shared"
    shutil.copytree(shared / "healthscore", layer / "healthscore", ignore=without)
    for library in _LIBRARIES:
        origin = Path(str(importlib.util.find_spec(library).origin))
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, layer / library, ignore=without)
        else:
            shutil.copy(origin, layer)
    services = _SERVICES.search((shared / "Makefile").read_text())[1].split()
    cut_down(layer / "botocore" / "data", frozenset(services))
    shutil.copytree(engine.ROOT / "functions", home / "functions", ignore=without)
    compileall.compile_dir(home, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return home


def _instructions(built: Path, starts: Sequence[str]) -> dict[str, int] | str:
    if shutil.which("valgrind") is None:
        return "Instructions are left out: valgrind is not installed here."
    counts = {}
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    for what in ("nothing", *starts):
        done = _run([*valgrind, sys.executable, str(_PROGRAM), str(built), what])
        if (found := _COUNTED.search(done.stderr)) is None:
            return "Instructions are left out: valgrind did not count them."
        counts[what] = int(found[1].replace(",", ""))
    return {what: counts[what] - counts["nothing"] for what in starts}


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    variables |= {"AWS_XRAY_SDK_ENABLED": "true", "POWERTOOLS_SERVICE_NAME": "bench"}
    variables.pop("PYTHONPATH", None)
    return subprocess.run(command, check=True, capture_output=True, text=True, env=variables)

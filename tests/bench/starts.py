"""What a cold start costs: what a fresh process does until a function is ready for its first request."""

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

FUNCTIONS = ("ingest", "score", "api", "nightly", "crm_webhook", "crm_refresh", "crm_sync")
TARGETS = {"ingest": 0.50, "score": 0.50}
"""Of the CPU time of the usual stack."""
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
_LIBRARIES = ("aws_lambda_powertools", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_SERVICES = re.compile(r"^SERVICES := (.*)$", re.MULTILINE)
_PROGRAM = Path(__file__).with_name("starting.py")


def measure(*, functions: Sequence[str] = FUNCTIONS, rounds: int = 21, instructions: bool = False) -> Section:
    """Start each function and the usual stack in turn, again and again, in processes of their own."""
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
_ABOUT_FLOOR = """`boto3.client` alone, as it comes, is {floor:.2f} of the stack: half of what a whole function may
take here. In our layer it is {own:.2f}, because the build ships boto3 and cuts its data down to the services that are
used ([`sdk_data.py`](../shared/sdk_data.py)). What a function adds to that, {rest:.0f} ms at the median, is
Powertools' Logger and our own modules."""
_ABOUT_INSTRUCTIONS = """Instructions are those of valgrind's cachegrind, less an interpreter that starts and does
nothing. They are the same in every run, where the ratios of CPU time differ by some hundredths from one run to the next
on a machine that others use."""
_NOT_COUNTED = """`make bench ARGS=--instructions` counts instructions as well, for which it takes valgrind and some
minutes more."""
_ABOUT = """CPU time of a fresh Python {python} from its start to a function that is ready for its first request:
handler imported, AWS client made; bytecode compiled beforehand as the layer's build does it. It is the least of
{rounds}, all in turn: a start is the same work every time, to which a busy machine only adds. The interpreter's own
start is the runtime's affair, and left out. *The usual stack* is `boto3.resource`, pydantic with one model, Powertools'
Logger, Metrics and Tracer, and its `APIGatewayHttpResolver` with validation and one route, without any code that would
do something with them, all as pip installs it and with its bytecode."""


def _rest(cpu: Mapping[str, float]) -> float:
    """What functions take beside the client."""
    return median(cpu[function] for function in cpu if function not in _NAMES) - cpu["layer's client"]


def _build(home: Path) -> Path:
    """The layer and the functions with their bytecode, as a build lays them out; what only schemas need is left out."""
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

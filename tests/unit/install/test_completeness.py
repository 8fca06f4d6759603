"""The locks are complete. Nothing resolves them at installation, so that a missing package would stay missing.

The installed packages say what each requires; releases for other systems only are skipped.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.install.locks import read_lock

ROOT = Path(__file__).parents[3]
LAYER, DUCKDB = "shared/requirements", "shared/requirements-duckdb"
RUN, DEV = "requirements-run", "requirements-dev"
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
SYSTEMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))
SYSTEMS += (("darwin", "Darwin", "x86_64"),)
ENVIRONMENTS = {
    f"{python}-{system}-{machine}": {
        **default_environment(),
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": name,
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": system,
    }
    for python in PYTHONS
    for system, name, machine in SYSTEMS
}


class Pin(NamedTuple):
    name: str
    version: str
    marker: Marker | None


@cache
def pins(lock: str) -> tuple[Pin, ...]:
    found = []
    for pin in read_lock(ROOT / f"{lock}.txt").pins:
        requirement, _, marker = pin.rpartition(" ")[0].partition(" ; ")
        name, _, release = requirement.partition("==")
        found.append(Pin(name, release, Marker(marker) if marker else None))
    return tuple(found)


@cache
def asked(lock: str) -> tuple[Requirement, ...]:
    path = ROOT / f"{lock}.in"
    lines = [re.sub(r"(^| )#.*", "", line).strip() for line in path.read_text().splitlines()]
    included = [line[3:] for line in lines if line.startswith("-r ")]
    more = [found for name in included for found in asked(str((path.parent / name).relative_to(ROOT).with_suffix("")))]
    return (*(Requirement(line) for line in lines if line and not line.startswith("-")), *more)


@cache
def required(name: str, release: str) -> tuple[Requirement, ...] | None:
    """The requirements of a release; None where another release is installed."""
    try:
        return tuple(map(Requirement, requires(name) or ())) if version(name) == release else None
    except PackageNotFoundError:
        return None


def applies(requirement: Requirement, environment: dict[str, str], extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})


def gaps(lock: str, environment: dict[str, str]) -> tuple[set[str], set[str]]:
    """Follow the requirements of a lock's input, with their extras, through all packages.

    Returns:
        The packages that the lock lacks, and all names that were reached.
    """
    here = {pin.name: pin.version for pin in pins(lock) if pin.marker is None or pin.marker.evaluate(environment)}
    missing: set[str] = set()
    reached: set[tuple[str, str]] = set()
    waiting = [requirement for requirement in asked(lock) if applies(requirement, environment, "")]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if not requirement.specifier.contains(here.get(name, ""), prereleases=True) if name in here else True:
            missing.add(str(requirement))
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) not in reached:
                reached.add((name, extra))
                waiting += [more for more in required(name, here[name]) or () if applies(more, environment, extra)]
    return missing, {name for name, _ in reached}


@pytest.mark.parametrize("lock", [LAYER, DUCKDB, RUN, DEV])
@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_lock__everywhere__has_all_that_is_required_and_one_release_of_each(lock, environment):
    missing, _ = gaps(lock, environment)
    assert missing == set()
    names = [pin.name for pin in pins(lock) if pin.marker is None or pin.marker.evaluate(environment)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", [LAYER, DUCKDB, RUN, DEV])
def test_lock__everywhere__has_nothing_that_nobody_requires(lock):
    reached = set().union(*(gaps(lock, environment)[1] for environment in ENVIRONMENTS.values()))
    for_windows = {"colorama", "pywin32"}
    assert {pin.name for pin in pins(lock)} - reached <= for_windows


@pytest.mark.parametrize("left_out", ["werkzeug", "pydantic-core", "pywin32"])
def test_gaps__of_a_lock_with_a_hole__finds_it_where_it_is_required(monkeypatch, left_out):
    whole = pins(RUN)
    monkeypatch.setitem(globals(), "pins", lambda _lock: [pin for pin in whole if pin.name != left_out])
    missing, _ = gaps(RUN, ENVIRONMENTS["3.11-linux-x86_64"])
    assert bool(missing) is (left_out != "pywin32")


@pytest.mark.parametrize(("smaller", "larger"), [(LAYER, RUN), (DUCKDB, RUN), (RUN, DEV)])
def test_lock__of_more__has_the_same_releases_and_files(smaller, larger):
    assert read_lock(ROOT / f"{smaller}.txt").pins <= read_lock(ROOT / f"{larger}.txt").pins


def test_environment__of_these_tests__is_the_lock():
    here = default_environment()
    other = [
        pin for pin in pins(DEV) if (pin.marker is None or pin.marker.evaluate(here)) and required(*pin[:2]) is None
    ]
    assert other == [], "not installed as locked: make setup"


def test_run__beside_dev__installs_no_tool_of_development():
    tools = {"coverage", "hypothesis", "mypy", "pytest", "ruff", "schemathesis", "sympy", "boto3-stubs", "cfn-lint"}
    assert tools.isdisjoint(pin.name for pin in pins(RUN))
    assert tools <= {pin.name for pin in pins(DEV)}

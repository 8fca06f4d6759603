"""CI repeats failed tests alone, and lists those that then pass as flaky."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools import ROOT

LUCK = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range({unlucky}))
def test_unlucky(number):
    been = Path(f"been-{{number}}")
    first = not been.exists()
    been.touch()
    assert not first

def test_fine():
    pass

def test_faulty():
    assert {faulty} == 0
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p xdist\n")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        quickly = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=quickly, capture_output=True, text=True, check=False
        )

    def lucky(*, unlucky: int = 0, faulty: int = 0) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_luck.py").write_text(LUCK.format(unlucky=unlucky, faulty=faulty))
        run("-m", "pytest", "-n0")
        return run(str(ROOT / ".ci" / "again.py"))

    return lucky


def test_again__few_unlucky_tests__passes_and_lists_them_last(project):
    ended = project(unlucky=3)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.splitlines()[-3:] == [f"FLAKY test_luck.py::test_unlucky[{number}]" for number in range(3)]
    assert "3 passed" in ended.stdout


def test_again__many_unlucky_tests__fails(project):
    ended = project(unlucky=4)
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "4 flaky tests are more than 3: mend them."


def test_again__a_test_that_fails_again__fails(project):
    ended = project(unlucky=1, faulty=1)
    assert ended.returncode == 1
    assert "1 failed, 1 passed" in ended.stdout
    assert "FLAKY" not in ended.stdout


def test_again__what_failed_was_no_test__fails(project):
    ended = project()
    assert ended.returncode == 1
    assert "it was no test" in ended.stdout

"""A broken environment is recognised, and an intact one is not taken for broken."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.install import environment
from tools.install.locks import SetupError, read_lock

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "thing==1.0 \\\n    --hash=sha256:aa\n"


@pytest.fixture
def home(tmp_path):
    """An environment with a package in it, stamped."""
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    packages = next(home.glob("lib/*/site-packages"))
    (packages / "thing.py").write_text("abcd")
    (packages / "thing-1.0.dist-info").mkdir()
    (packages / "thing-1.0.dist-info" / "RECORD").write_text("thing.py,,4\n")
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK)
    environment.write_stamp(home, read_lock(lock))
    return home


def lose_the_stamp(home: Path) -> None:
    environment.remove_stamp(home)


def spoil_the_stamp(home: Path) -> None:
    (home / "installed.json").write_text('{"place": "')


def write_a_stamp_of_another_form(home: Path) -> None:
    (home / "installed.json").write_text("{}")


def truncate_a_module(home: Path) -> None:
    os.truncate(next(home.glob("lib/*/site-packages/thing.py")), 3)


def lose_a_module(home: Path) -> None:
    next(home.glob("lib/*/site-packages/thing.py")).unlink()


def lose_the_interpreter(home: Path) -> None:
    python = home / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")


def take_an_interpreter_that_does_not_run(home: Path) -> None:
    python = home / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)


def test_read_stamp__of_a_whole_environment__is_what_was_written(home):
    stamp = environment.read_stamp(home, None)
    assert stamp is not None
    assert stamp.distributions == [str(next(home.glob("lib/*/site-packages/*.dist-info")).relative_to(home))]
    assert environment.read_stamp(home, environment.identity(sys.executable)) == stamp


@pytest.mark.parametrize(
    "breaking",
    [
        lose_the_stamp,
        spoil_the_stamp,
        write_a_stamp_of_another_form,
        truncate_a_module,
        lose_a_module,
        lose_the_interpreter,
        take_an_interpreter_that_does_not_run,
    ],
)
def test_read_stamp__of_a_broken_environment__is_none(home, breaking):
    breaking(home)
    assert environment.read_stamp(home, None) is None


def test_read_stamp__of_an_environment_that_was_moved__is_none(home):
    """The environment's scripts contain its path."""
    assert environment.read_stamp(home.rename(home.with_name("moved")), None) is None


def test_read_stamp__where_another_python_is_named__is_none(home):
    assert environment.read_stamp(home, "cpython-399 x86_64 /opt/python") is None


def test_write_stamp__where_pip_put_packages_elsewhere__refuses(home, tmp_path):
    lock = tmp_path / "more.txt"
    lock.write_text(LOCK + LOCK.replace("thing", "other"))
    with pytest.raises(SetupError, match=r"other==1\.0 somewhere else"):
        environment.write_stamp(home, read_lock(lock))


def test_refuse_unfit_python__of_an_older_one__says_which_is_needed(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(environment.shutil, "which", lambda _name: None)
    with pytest.raises(
        SetupError, match=r"3\.11 or newer is needed, and this is 3\.9: add PYTHON=/path/to/python3\.11"
    ):
        environment.refuse_unfit_python()


def test_refuse_unfit_python__without_ensurepip__says_what_to_install(monkeypatch):
    monkeypatch.setattr(environment, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SetupError, match=rf"apt install python3\.{sys.version_info.minor}-venv"):
        environment.refuse_unfit_python()

"""Creates a virtual environment, checks it, and writes a stamp once it is complete."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tools.install.locks import SetupError, Stamp

if TYPE_CHECKING:
    from pathlib import Path

    from tools.install.locks import Lock

OLDEST, NEWEST_MINOR = (3, 11), 15
_STAMP = "installed.json"
_IDENTITY = (
    "import os, sys; print(sys.implementation.cache_tag, os.uname().machine, os.path.realpath(sys.base_prefix), end='')"
)


def read_stamp(home: Path, python: str | None) -> Stamp | None:
    """Read the stamp of an environment.

    Args:
        home: the environment.
        python: the required interpreter, as `identity` names it; None for any.

    Returns:
        None where there is no stamp, where the environment is broken or was moved, or where its interpreter is another.
    """
    try:
        stamp = Stamp(**json.loads((home / _STAMP).read_text(encoding="utf-8")))
        running = identity(python_of(home))
    except (OSError, ValueError, TypeError, subprocess.CalledProcessError):
        return None
    if stamp.place != str(home.resolve()) or stamp.python != running or python not in (None, running):
        return None
    return stamp if all(intact(home / distribution) for distribution in stamp.distributions) else None


def write_stamp(home: Path, lock: Lock) -> None:
    """Write the stamp, as the last step, once every package of a lock is installed.

    Raises:
        SetupError: A package is missing.
    """
    distributions = _distributions(home, lock)
    stamp = Stamp(str(home.resolve()), identity(python_of(home)), lock.path.name, sorted(lock.pins), distributions)
    draft = home / f"{_STAMP}.draft"
    draft.write_text(json.dumps(asdict(stamp), indent=1), encoding="utf-8")
    draft.replace(home / _STAMP)


def remove_stamp(home: Path) -> None:
    """Remove the stamp before the environment changes, so that an interrupted change is noticed."""
    (home / _STAMP).unlink(missing_ok=True)


def refuse_unfit_python() -> None:
    """Check that this Python is new enough for the product and can create virtual environments.

    Raises:
        SetupError: It is too old, or lacks `venv` or `ensurepip`.
    """
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"Python 3.11 or newer is needed, and this is {version}: add PYTHON={_better()} to the command."
        )
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        raise SetupError(f"This Python cannot make virtual environments (on Debian and Ubuntu: apt install {package}).")


def make(home: Path, alone: int) -> None:
    """Create an empty environment with pip, replacing an existing one.

    Args:
        home: the environment.
        alone: the descriptor of the folder's lock, which the child process inherits.

    Raises:
        SetupError: The environment cannot be created.
    """
    remove_stamp(home)
    # The base interpreter, since the interpreter of an activated environment may lie in the folder that is cleared.
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-I", "-m", "venv", "--clear", str(home)]
    made = subprocess.run(  # noqa: S603
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[alone]
    )
    if made.returncode:
        reason = (made.stdout.strip() or "no reason is given").splitlines()[-1]
        raise SetupError(f"The virtual environment {home} cannot be made: {reason}")


def python_of(home: Path) -> str:
    """The path of an environment's interpreter."""
    return str(home / "bin" / "python")


def identity(python: str) -> str:
    """A text that identifies an interpreter: its minor version, its processor and its folder."""
    command = [python, "-I", "-S", "-c", _IDENTITY]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def has_pip(home: Path) -> bool:
    """Whether pip runs in an environment."""
    command = [python_of(home), "-I", "-m", "pip", "--version"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603


def intact(distribution: Path) -> bool:
    """Whether every file of an installed package exists and has at least its recorded size."""
    try:
        with (distribution / "RECORD").open(encoding="utf-8") as record:
            for line in record:
                quoted, _, size = line.rstrip("\n").rsplit(",", 2)
                name = quoted.strip('"')
                # os.stat is the fastest way, and there are ten thousand files.
                if size and os.stat(f"{distribution.parent}/{name}").st_size < int(size):  # noqa: PTH116
                    return False
    except (OSError, ValueError):
        return False
    return True


def _better() -> str:
    """Find a Python that is new enough. Each is started, since a pyenv shim may exist without its interpreter."""
    for minor in range(NEWEST_MINOR, OLDEST[1] - 1, -1):
        python = shutil.which(f"python3.{minor}")
        if python and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:  # noqa: S603
            return python
    return "/path/to/python3.11"


def _distributions(home: Path, lock: Lock) -> list[str]:
    there = {}
    for folder in home.glob("lib/*/site-packages/*.dist-info"):
        name, _, version = folder.name[: -len(".dist-info")].rpartition("-")
        there[f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"] = str(folder.relative_to(home))
    if missing := sorted(lock.everywhere - there.keys()):
        raise SetupError(f"pip has put {missing[0]} somewhere else than into {home}: look at its configuration.")
    locked = {pin.split()[0] for pin in lock.pins}
    return sorted(path for pin, path in there.items() if pin in locked)

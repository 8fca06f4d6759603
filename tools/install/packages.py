"""Runs pip on a lock, shows its progress, and explains its errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tools.install import environment
from tools.install.locks import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tools.install.locks import Lock

_LOG = "install.log"
_AGAIN = "run the same command again"
_PACKAGE = re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)|Processing \S*/([^-/]+)-")
_REASONS = {
    "DO NOT MATCH THE HASHES": (
        "A package that was downloaded is not the one that is locked: its hash differs, so do not trust that index"
    ),
    "No space left on device": f"The disk is full: make room for some 600 MB, and {_AGAIN}",
    "CERTIFICATE_VERIFY_FAILED": (
        "Packages cannot be downloaded, since pip does not trust the index's certificate: set PIP_CERT to a file of"
        f" certificates that it can trust, and {_AGAIN}"
    ),
    (
        r"Retrying \(Retry\(|NewConnectionError|Max retries exceeded|Could not fetch URL|Name or service not known"
        r"|name resolution|[Tt]imed out|Connection refused|Network is unreachable|ProxyError"
    ): (
        "Packages cannot be downloaded: connect to the internet, or set PIP_INDEX_URL to a mirror of PyPI, and"
        f" {_AGAIN}"
    ),
    r"No matching distribution found for (\S+)": (
        "Packages cannot be downloaded, because the index that pip uses (PIP_INDEX_URL, PIP_NO_INDEX, pip.conf)"
        f" has no {{}}: use PyPI or a mirror of it, and {_AGAIN}"
    ),
    "subprocess-exited-with-error|metadata-generation-failed|Failed building wheel": (
        "A package has no file that is ready for this Python on this machine, and cannot be compiled here: take a"
        f" Python from 3.{environment.OLDEST[1]} to 3.{environment.NEWEST_MINOR}, with PYTHON=/path/to/python"
    ),
}
"""Patterns of pip's output, tried in this order, and their meaning for the user."""


def install(lock: Lock, home: Path, setup_lock: int) -> None:
    """Install exactly the packages of a lock into an environment.

    Args:
        lock: the packages.
        home: the environment.
        setup_lock: the file descriptor of the folder's lock, which pip inherits.

    Raises:
        SetupError: pip failed; the message has the reason and the path of pip's log.
    """
    # --no-deps, since the lock is complete. A resolver would some day find a newer release that the lock lacks.
    command = [environment.python_of(home), "-Iu", "-m", "pip", "install", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r", str(lock.path)]
    with (home / _LOG).open("w+", encoding="utf-8") as log:
        with _running(command, setup_lock) as pip:
            assert pip.stdout is not None  # noqa: S101  (for the type checker)
            _follow(pip.stdout, log, lock.count)
        if pip.returncode:
            log.seek(0)
            raise SetupError(f"{why_pip_failed(log.read())}; pip's output is in {home / _LOG}.")


def why_pip_failed(log: str) -> str:
    """The reason for a failure of pip, from its whole output, as a sentence without full stop."""
    for sign, reason in _REASONS.items():
        if found := re.search(sign, log):
            return reason.format(*found.groups())
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    return f"Packages cannot be installed: {errors[-1][7:] if errors else 'pip was stopped'}"


@contextmanager
def _running(command: Sequence[str], setup_lock: int) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_pip_environment(),
        pass_fds=[setup_lock],
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _pip_environment() -> dict[str, str]:
    """The shell's variables, without those that make pip install elsewhere or other packages."""
    overriding = {
        f"PIP_{name}" for name in ("TARGET", "PREFIX", "ROOT", "PYTHON", "DRY_RUN", "QUIET", "NO_DEPS", "UPGRADE")
    }
    kept = {name: value for name, value in os.environ.items() if name not in overriding}
    # These also override pip.conf.
    return {**kept, "PIP_USER": "0", "PIP_CONSTRAINT": os.devnull}


def _follow(output: IO[str], log: IO[str], count: int) -> None:
    """Copy pip's output into a log, and show the progress."""
    live, done = sys.stdout.isatty(), 0
    for line in output:
        log.write(line)
        if found := _PACKAGE.match(line):
            done += 1
            _show(f"{done} of {count}: {found[1] or found[2]}", live=live, now=done % max(count // 4, 1) == 0)
        elif "Retrying (Retry(" in line:
            _show("no answer from the index; trying again …", live=live, now=False)
        elif line.startswith("Installing collected packages"):
            _show("unpacking …", live=live, now=True)
    if live:
        print("\r\033[K", end="", flush=True)


def _show(text: str, *, live: bool, now: bool) -> None:
    if live:
        print(f"\r\033[K  {text}", end="", flush=True)
    elif now:
        print(f"  {text}", flush=True)

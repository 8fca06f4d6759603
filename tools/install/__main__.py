"""`python3 -m tools.install requirements-run.txt`."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.install import environment, packages
from tools.install.locks import SetupError, read_lock, what_to_do

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.install.locks import Lock


def main(arguments: Sequence[str] | None = None) -> int:
    """Install the packages that are missing.

    Returns:
        The exit status: 0 when the environment is complete, 1 with a sentence on standard error when it cannot be.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.install", description="Install a lock, once.")
    parser.add_argument("lock", type=Path, help="the lock, such as requirements-run.txt")
    parser.add_argument("--into", type=Path, default=Path(".venv"), help="the virtual environment (.venv)")
    parser.add_argument("--this-python", action="store_true", help="recreate it where it has another Python than this")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        python = environment.identity(sys.executable) if options.this_python else None
        lock = read_lock(options.lock)
        if what_to_do(environment.read_stamp(options.into, python), lock) == "nothing":
            return 0
        with _alone(options.into.absolute().parent) as alone:
            _set_up(options.into, lock, python, alone)
    except (SetupError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command starts over.", file=sys.stderr)
        return 130
    return 0


def _set_up(home: Path, lock: Lock, python: str | None, alone: int) -> None:
    task = what_to_do(environment.read_stamp(home, python), lock)
    if task == "nothing":  # the command that held the lock has done it
        return
    if task == "recreate" or not environment.has_pip(home):
        task = "recreate"
        environment.refuse_unfit_python()
    started = time.monotonic()
    print(f"Installing {lock.count} packages into {home}, once …", flush=True)
    if task == "recreate":
        environment.make(home, alone)
    else:
        environment.remove_stamp(home)
    packages.install(lock, home, alone)
    environment.write_stamp(home, lock)
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Lock a folder, so that only this process sets up an environment in it.

    Yields the descriptor that holds the lock. Child processes inherit it: if this process is killed, the lock lasts
    until they end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command is installing packages here; waiting for it …", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())

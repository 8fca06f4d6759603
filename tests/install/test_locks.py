"""The oldest pip of Python 3.11 installs exactly the locked releases, even where an index has newer ones.

The packages are downloaded from PyPI once. The tests install from an index of their own, which offers a newer release
of every project that cannot be installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Timer
from urllib.request import urlopen

import pytest

from tests.support import package_index
from tools.install import environment, packages
from tools.install.locks import read_lock

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "locked"
RUN, DEV = ROOT / "requirements-run.txt", ROOT / "requirements-dev.txt"
OLDEST_PIP = "22.3"
TIMEOUT_SECONDS = 180


def unavailable(reason: str) -> None:
    if os.environ.get("REQUIRE_INSTALL") == "1":
        pytest.fail(reason)
    pytest.skip(f"{reason} (with REQUIRE_INSTALL=1 this is an error)")


def python311() -> str:
    """Find a Python 3.11. Each candidate is started, since a pyenv shim may exist without its interpreter."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in [sys.executable, "python3.11", *pyenv.glob("versions/3.11*/bin/python3.11")]:
        command = [
            shutil.which(python) or python,
            "-c",
            "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))",
        ]
        try:
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                return command[0]
        except OSError:
            continue
    unavailable("there is no Python 3.11")
    raise AssertionError


def pip(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [environment.python_of(home), "-I", "-m", "pip", "--disable-pip-version-check", *arguments]
    variables = {**os.environ, **variables}
    return subprocess.run(command, check=False, env=variables, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An environment of Python 3.11 with the oldest pip."""
    home = tmp_path_factory.mktemp("oldest") / "venv"
    subprocess.run([python311(), "-m", "venv", str(home)], check=True)
    done = pip(home, "install", f"pip=={OLDEST_PIP}")
    if done.returncode:
        unavailable(f"pip {OLDEST_PIP} cannot be had: {done.stderr.strip().splitlines()[-1]}")
    return home


@pytest.fixture(scope="module")
def files(home):
    """The files of all locked packages; the larger lock has all of them."""
    folder = CACHE / hashlib.sha256(DEV.read_bytes()).hexdigest()[:16]
    if not (folder / "complete").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        done = pip(home, "download", "--no-deps", "--require-hashes", "--dest", str(folder), "-r", str(DEV))
        if done.returncode:
            unavailable(f"the locked packages cannot be had: {done.stderr.strip().splitlines()[-1]}")
        (folder / "complete").touch()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "complete"}


@pytest.fixture(scope="module")
def names():
    return sorted({pin.partition("==")[0] for pin in read_lock(DEV).pins})


@pytest.fixture
def index(files, names, monkeypatch):
    """The only index, which has newer releases of every project."""
    with package_index.serving({**files, **package_index.newer(names)}) as index:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_NO_COMPILE", "1")  # hardly a module of a hundred packages is imported here
        yield index


def install(path: Path, home: Path) -> dict[str, str]:
    lock = read_lock(path)
    with path.open() as alone:
        packages.install(lock, home, alone.fileno())
    environment.write_stamp(home, lock)
    listed = pip(home, "list", "--format", "freeze").stdout
    return dict(line.split("==") for line in listed.split())


def resolved(names: list[str], home: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Install a part of the lock with pip's resolver, to show what the resolver does."""
    blocks = re.split(r"^(?=[a-z0-9-]+==)", DEV.read_text(), flags=re.MULTILINE)
    part = tmp_path / "part.txt"
    part.write_text("".join(block for block in blocks if block.partition("==")[0] in names))
    return pip(home, "install", "--dry-run", "--require-hashes", "-r", str(part))


def test_install__resolving_as_pip_does_by_itself__fails_on_newer_releases(home, index, tmp_path):
    """A resolver takes a newer release: pytest-cov requires `coverage[toml]`, which pip resolves again."""
    names = ["coverage", "iniconfig", "packaging", "pluggy", "pygments", "pytest", "pytest-cov"]
    failed = resolved(names, home, tmp_path)
    assert failed.returncode != 0
    assert "all requirements must have their versions pinned" in failed.stderr
    assert "coverage[toml]" in failed.stderr


def test_install__of_what_runs__by_the_oldest_pip_among_newer_releases__starts_the_product(home, index):
    there = install(RUN, home)
    assert there["pip"] == OLDEST_PIP
    assert there.keys().isdisjoint({"pytest", "mypy", "ruff", "coverage", "sympy"})
    assert package_index.NEWER not in there.values()
    assert pip(home, "check").returncode == 0
    for crm in ("", "hubspot"):
        start_and_ask(home, crm)


def start_and_ask(home: Path, crm: str) -> None:
    command = [environment.python_of(home), "-m", "tools.local", "--port", "0"]
    variables = {**os.environ, "SEED": "demo", "CRM": crm}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=pipe, stderr=subprocess.STDOUT, text=True) as stack:
        timeout = Timer(TIMEOUT_SECONDS, stack.kill)
        timeout.start()
        try:
            shown = []
            for line in stack.stdout:
                shown.append(line)
                if "Ctrl-C" in line:
                    break
            text = "".join(shown)
            assert "Ctrl-C" in text, text
            url = re.search(r"http://127\.0\.0\.1:\d+", text)[0]
            with urlopen(f"{url}/v1/openapi.json", timeout=TIMEOUT_SECONDS) as answer:
                assert answer.status == 200
        finally:
            timeout.cancel()
            stack.terminate()


def test_install__of_what_develops__by_the_oldest_pip_among_newer_releases__brings_exactly_the_lock(home, index):
    there = install(DEV, home)
    assert package_index.NEWER not in there.values()
    assert pip(home, "check").returncode == 0
    assert {name.lower().replace("_", "-").replace(".", "-") for name in there} >= {
        pin.partition("==")[0] for pin in read_lock(DEV).everywhere
    }

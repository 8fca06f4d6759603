"""An environment is set up once; a broken or half-finished one is created again. The packages are made here."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import package_index

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 60
BIG, SMALL = package_index.wheel("big-thing", "1.0"), package_index.wheel("small", "1.0")
NEXT = package_index.wheel("small", "2.0")


class Checkout:
    """A checkout's environment, and the command that sets it up."""

    def __init__(self, folder: Path, index: package_index.Index) -> None:
        self.home = folder / "a venv"
        self.lock = folder / "lock.txt"
        self.index = index
        self.write(BIG, SMALL)

    def write(self, *files: tuple[str, bytes]) -> None:
        self.lock.write_text(package_index.locked(dict(files)))

    def command(self, lock: Path | None = None) -> list[str]:
        return [sys.executable, "-Es", "-m", "tools.install", str(lock or self.lock), "--into", str(self.home)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        here = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": self.index.url, "PIP_NO_CACHE_DIR": "1"}
        return {**kept, **here, "PIP_RETRIES": "1", **more}

    def run(self, lock: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(lock),
            check=False,
            cwd=ROOT,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def start(self) -> subprocess.Popen[str]:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in tests that a shell started with &
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(), cwd=ROOT, env=self.environment(), stdout=pipe, stderr=pipe, text=True)

    def ready(self) -> None:
        done = self.run()
        assert (done.returncode, done.stderr) == (0, "")

    def versions(self) -> list[str]:
        script = "import importlib.util as u, runpy\nfor m in ('big_thing', 'small'):\n s = u.find_spec(m)\n"
        script += " print(s and runpy.run_path(s.origin)['VERSION'])"
        python = str(self.home / "bin" / "python")
        return subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    def packages(self) -> Path:
        return next(self.home.glob("lib/*/site-packages"))


@pytest.fixture(scope="module")
def index():
    with package_index.serving(dict([BIG, SMALL, NEXT])) as index:
        yield index


@pytest.fixture(scope="module")
def complete(tmp_path_factory, index):
    """A checkout with a complete environment, and a copy of that, since creating one takes seconds."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), index)
    checkout.ready()
    return checkout, shutil.copytree(checkout.home, tmp_path_factory.mktemp("copy") / "venv", symlinks=True)


@pytest.fixture
def checkout(complete):
    """A complete environment, whatever the test before has done to it."""
    checkout, copy = complete
    checkout.write(BIG, SMALL)
    shutil.rmtree(checkout.home, ignore_errors=True)
    shutil.copytree(copy, checkout.home, symlinks=True)
    return checkout


def test_install__again__does_nothing(checkout):
    again = checkout.run()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def lose_the_stamp(checkout: Checkout) -> None:
    (checkout.home / "installed.json").unlink()


def need_more(checkout: Checkout) -> None:
    """Leave the environment as of a smaller lock, so that a package is added and nothing is created again."""
    shutil.rmtree(next(checkout.packages().glob("small-*.dist-info")))
    (checkout.packages() / "small.py").unlink()
    path = checkout.home / "installed.json"
    stamp = json.loads(path.read_text())
    for part in ("pins", "distributions"):
        stamp[part] = [one for one in stamp[part] if "small" not in one]
    path.write_text(json.dumps(stamp))


def test_install__of_a_broken_environment__makes_it_again(checkout):
    """As after a system upgrade that removed the old Python, with half of the packages missing."""
    for path in sorted(checkout.packages().iterdir())[::2]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    python = checkout.home / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    redone = checkout.run()
    assert (redone.returncode, redone.stderr) == (0, "")
    assert "Installing 2 packages" in redone.stdout
    assert checkout.versions() == ["1.0", "1.0"]


def test_install__of_a_changed_lock__brings_exactly_what_it_says(checkout):
    checkout.write(NEXT)
    assert "Installed" in checkout.run().stdout
    assert checkout.versions() == ["None", "2.0"]


def test_install__of_a_lock_and_of_a_larger_one__adds_to_what_is_there_and_then_serves_both(checkout, tmp_path):
    need_more(checkout)
    checkout.write(BIG)
    assert checkout.run().stdout == ""
    kept = checkout.packages() / "of-the-first-lock"
    kept.touch()
    larger = tmp_path / "larger.txt"
    larger.write_text(package_index.locked(dict([BIG, SMALL])))
    assert "Installed" in checkout.run(larger).stdout
    assert (checkout.versions(), kept.exists()) == (["1.0", "1.0"], True)
    assert (checkout.run().stdout, checkout.run(larger).stdout) == ("", "")


@pytest.mark.parametrize(
    ("number", "status", "prepare"), [(signal.SIGKILL, -9, need_more), (signal.SIGINT, 130, lose_the_stamp)]
)
def test_install__interrupted_half_way__is_redone_by_the_next_call(checkout, number, status, prepare):
    prepare(checkout)
    checkout.index.asked.clear()
    checkout.index.open.clear()
    with checkout.start() as first:
        assert checkout.index.asked.wait(timeout=TIMEOUT_SECONDS)
        first.send_signal(number)
        _, stderr = first.communicate(timeout=TIMEOUT_SECONDS)
    checkout.index.open.set()
    assert first.returncode == status
    assert "Traceback" not in stderr
    assert not (checkout.home / "installed.json").exists()
    second = checkout.run()
    assert (second.returncode, second.stderr, checkout.versions()) == (0, "", ["1.0", "1.0"])


def test_install__twice_at_once__waits_for_the_other_and_does_nothing_more(checkout):
    need_more(checkout)
    checkout.index.asked.clear()
    checkout.index.open.clear()
    with checkout.start() as first:
        assert checkout.index.asked.wait(timeout=TIMEOUT_SECONDS)
        with checkout.start() as second:
            assert "waiting" in second.stdout.readline()
            checkout.index.open.set()
            assert (second.wait(timeout=TIMEOUT_SECONDS), second.stdout.read()) == (0, "")
        assert (first.wait(timeout=TIMEOUT_SECONDS), "Installed" in first.stdout.read()) == (0, True)


def test_install__with_variables_that_lead_pip_astray__installs_into_the_environment(checkout, tmp_path):
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("small<1\n")
    need_more(checkout)
    astray = {"PIP_USER": "1", "PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_CONSTRAINT": str(constraints)}
    done = checkout.run(**astray, PIP_REQUIRE_VIRTUALENV="1", PIP_DRY_RUN="1", PIP_QUIET="3", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr, checkout.versions()) == (0, "", ["1.0", "1.0"])


@pytest.mark.parametrize(
    ("without", "advice"),
    [
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}, "connect to the internet, or set PIP_INDEX_URL"),
        ({"PIP_NO_INDEX": "1"}, "PIP_NO_INDEX"),
    ],
)
def test_install__without_a_network__says_what_to_do_in_a_sentence(checkout, without, advice):
    need_more(checkout)
    failed = checkout.run(**without)
    assert (failed.returncode, failed.stderr.count("\n"), failed.stderr.count(". ")) == (1, 1, 0)
    assert advice in failed.stderr
    assert failed.stderr.startswith("Packages cannot be downloaded")
    assert (checkout.home / "install.log").is_file()


def test_install__of_a_file_that_is_not_the_locked_one__refuses_it(checkout):
    need_more(checkout)
    big, small = checkout.lock.read_text().split("small==")
    checkout.lock.write_text(f"{big}small==" + re.sub("[0-9a-f]{64}", "0" * 64, small))
    refused = checkout.run()
    assert (refused.returncode, refused.stderr.count("\n"), "its hash differs" in refused.stderr) == (1, 1, True)

"""Comparing a lock with an environment decides what to install."""

import ast
from pathlib import Path

import pytest

from tools.install.locks import Lock, SetupError, Stamp, read_lock, what_to_do

ROOT = Path(__file__).parents[3]
TEXT = """# Made by a tool.
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
beta==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
gamma==3.0 ; python_full_version < '3.12' \\
    --hash=sha256:dd
gamma==3.1 ; python_full_version >= '3.12' \\
    --hash=sha256:ee
"""


def lock_of(tmp_path: Path, text: str) -> Lock:
    path = tmp_path / "lock.txt"
    path.write_text(text)
    return read_lock(path)


def stamp(lock: str, *pins: str) -> Stamp:
    return Stamp("/somewhere/.venv", "cpython-311 x86_64 /usr", lock, list(pins), [])


def wanted(lock: str, *pins: str) -> Lock:
    return Lock(Path("somewhere") / lock, frozenset(pins), frozenset(), len(pins))


def test_read_lock__with_markers__shows_what_is_installed_everywhere_and_counts_projects_of_this_system(tmp_path):
    lock = lock_of(tmp_path, TEXT)
    assert (lock.everywhere, lock.count) == ({"alpha==1.0"}, 2)
    assert {pin.rpartition(" ")[0] for pin in lock.pins} == {
        "alpha==1.0",
        "beta==2.0 ; sys_platform == 'win32'",
        "gamma==3.0 ; python_full_version < '3.12'",
        "gamma==3.1 ; python_full_version >= '3.12'",
    }


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [("Made by", "Made by the user of", True), ("1.0", "1.1", False), ("sha256:bb", "sha256:ff", False)],
)
def test_read_lock__changed__differs_where_what_is_installed_may_differ(tmp_path, old, new, same):
    assert (lock_of(tmp_path, TEXT).pins == lock_of(tmp_path, TEXT.replace(old, new)).pins) is same


@pytest.mark.parametrize("text", [None, "", "alpha>=1.0\n"])
def test_read_lock__of_no_lock__is_refused(tmp_path, text):
    path = tmp_path / "lock.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SetupError):
        read_lock(path)


@pytest.mark.parametrize(
    ("there", "lock", "task"),
    [
        (None, wanted("run", "a"), "recreate"),
        (stamp("run", "a"), wanted("run", "a"), "nothing"),
        (stamp("dev", "a", "b"), wanted("run", "a"), "nothing"),
        (stamp("run", "a"), wanted("dev", "a", "b"), "add"),
        (stamp("dev", "a", "b"), wanted("dev", "a"), "recreate"),
        (stamp("dev", "a", "b"), wanted("run", "c"), "recreate"),
        (stamp("run", "a"), wanted("dev", "b", "c"), "recreate"),
    ],
)
def test_what_to_do__by_what_is_there__keeps_adds_or_recreates(there, lock, task):
    assert what_to_do(there, lock) == task


@pytest.mark.parametrize(
    "path", [ROOT / "tools" / "__init__.py", *(ROOT / "tools" / "install").glob("*.py")], ids=lambda path: path.name
)
def test_install__on_an_older_python__is_understood_so_that_it_can_be_explained(path):
    ast.parse(path.read_text(), feature_version=(3, 8))

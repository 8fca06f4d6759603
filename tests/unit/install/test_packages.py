"""An error of pip becomes one sentence."""

import pytest

from tools.install.environment import intact
from tools.install.packages import why_pip_failed


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "WARNING: Retrying (Retry(total=4)) after …\nERROR: No matching distribution found for boto3==1.44.5",
            "connect to the internet",
        ),
        ("ERROR: No matching distribution found for boto3==1.44.5", "no boto3==1.44.5: use PyPI"),
        ("Retrying (Retry(total=4)) … SSLError(… CERTIFICATE_VERIFY_FAILED …)", "PIP_CERT"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash differs"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("error: subprocess-exited-with-error", "take a Python from 3.11 to 3.15"),
        ("ERROR: first\nERROR: second\nnote", "Packages cannot be installed: second"),
        ("", "pip was stopped"),
    ],
)
def test_why_pip_failed__by_what_it_wrote__says_what_to_do(log, words):
    reason = why_pip_failed(log)
    assert words in reason
    assert "\n" not in reason


RECORD = 'thing.py,sha256=x,4\n"odd,name.py",sha256=x,2\nthing-1.dist-info/RECORD,,\n__pycache__/thing.pyc,,\n'


@pytest.fixture
def distribution(tmp_path):
    (tmp_path / "thing.py").write_text("abcd")
    (tmp_path / "odd,name.py").write_text("ab")
    folder = tmp_path / "thing-1.dist-info"
    folder.mkdir()
    (folder / "RECORD").write_text(RECORD)
    return folder


def test_intact__of_a_whole_package__is_true_also_when_a_file_grew(distribution):
    (distribution.parent / "thing.py").write_text("abcd, and what somebody tries out")
    assert intact(distribution)


@pytest.mark.parametrize("damage", ["missing", "truncated", "no record", "half a record"])
def test_intact__of_a_broken_package__is_false(distribution, damage):
    module, record = distribution.parent / "odd,name.py", distribution / "RECORD"
    match damage:
        case "missing":
            module.unlink()
        case "truncated":
            module.write_text("")
        case "no record":
            record.unlink()
        case _:
            record.write_text("thing")
    assert not intact(distribution)

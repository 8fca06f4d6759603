"""What the guides show works when it is pasted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

from tests.support import node_packages
from tools import ROOT

TIMEOUT_SECONDS = 60
DEPLOYED = "https://abc123.execute-api.eu-central-1.amazonaws.com"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="runs what a browser would in Node")


def blocks(guide: str, language: str) -> list[str]:
    """The blocks of code of a guide, in one language."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def pasted(code: str, stack, account_id: str) -> str:
    """A snippet with the host, the key and the customer of one's own."""
    keys = (("YOUR_WRITE_KEY", "local-write"), ("YOUR_SERVER_KEY", "local-server"))
    for shown, own in ((DEPLOYED, stack.url), ("http://127.0.0.1:3000", stack.url), *keys):
        code = code.replace(shown, own)
    return code.replace('"acme"', f'"{account_id}"').replace("/acme/", f"/{account_id}/")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        env={**os.environ, "LOG_LEVEL": "CRITICAL", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def account(stack, account_id: str, what: str = "") -> dict:
    request = urllib.request.Request(f"{stack.url}/v1/accounts/{account_id}{what}")
    request.add_header("Authorization", "Bearer local-read")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        return json.loads(response.read())


def events_of(stack, account_id: str) -> int:
    return account(stack, account_id, "/health")["components"]["activity"]["facts"]["events"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the command needs curl")
def test_curl__of_the_guide__is_answered_as_shown(stack):
    (command,) = [block for block in blocks("send-events.md", "sh") if block.startswith("curl")]
    (shown,) = blocks("send-events.md", "json")
    assert json.loads(run("sh", "-c", pasted(command, stack, "by-curl"))) == json.loads(shown)
    assert events_of(stack, "by-curl") == 1


def test_export__by_the_lines_of_the_readme__opens_in_duckdb(stack, tmp_path):
    (lines,) = [block for block in blocks("../README.md", "sh") if "/v1/export" in block]
    shown = run("sh", "-ec", f"cd {tmp_path}\n" + pasted(lines, stack, "acme").replace("python3", sys.executable))
    assert "renewal_date" in shown
    assert "Tidewater Hotels" in shown


def test_python__of_the_guide__sends_the_event_and_describes_the_account(stack):
    (program,) = blocks("send-events.md", "python")
    run(sys.executable, "-c", pasted(program, stack, "by-python"))
    assert events_of(stack, "by-python") == 1
    assert account(stack, "by-python")["profile"] == {"name": "Acme Corp", "plan": "pro"}


def test_node__of_the_guide__sends_the_event_and_describes_the_account(stack):
    node_packages.need()
    (program,) = blocks("send-events.md", "js")
    run(
        "node",
        "-e",
        f"(async () => {{{pasted(program, stack, 'by-node')}}})()",
        NODE_PATH=str(node_packages.home() / "node_modules"),
    )
    assert events_of(stack, "by-node") == 1
    assert account(stack, "by-node")["profile"] == {"name": "Acme Corp", "plan": "pro"}


@needs_node
def test_browser__of_the_guide__sends_what_is_taken_as_it_comes(stack):
    (page,) = blocks("send-events.md", "html")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    browser = """
      const beacons = [];
      Object.defineProperty(globalThis, "navigator", {value: {sendBeacon: (...sent) => beacons.push(sent)}});
      globalThis.document = {title: "Start"};
    """
    beacons = run("node", "-e", f"{browser}{pasted(script, stack, 'by-browser')}console.log(JSON.stringify(beacons))")
    for url, body in json.loads(beacons):
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "text/plain;charset=UTF-8"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            assert json.loads(response.read())["rejected"] == []
    assert events_of(stack, "by-browser") == 1
    assert account(stack, "by-browser")["profile"] == {"name": "Acme Corp"}


def badge_of(stack, account_id: str) -> dict:
    """What the back office of the guide answers."""
    (program,) = blocks("embed-badge.md", "python")
    asking = f"""
may_see = lambda account_id: True
print(app.test_client().get("/internal/accounts/{account_id}/badge").text)
"""
    return json.loads(
        run(sys.executable, "-c", program + asking, HEALTHSCORE_URL=stack.url, HEALTHSCORE_READ_KEY="local-read")
    )


def test_badge__of_the_guide__hands_on_the_score_and_nothing_else(stack):
    health = account(stack, "pinecrest", "/health")
    badge = badge_of(stack, "pinecrest")
    assert badge.pop("trend") == health["trend"]["direction"]
    assert badge == {name: health[name] for name in ("score", "band", "color", "recommended_action")}
    assert badge_of(stack, "nobody-knows") == {"score": None}


@needs_node
def test_badge__in_a_page__shows_score_and_words_also_where_there_is_none(stack):
    (page,) = blocks("embed-badge.md", "html")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    browser = """
      const badge = {style: {}, setAttribute: (name, value) => { badge[name] = value; }};
      globalThis.document = {getElementById: () => badge};
      globalThis.fetch = async () => ({json: async () => JSON.parse(process.env.BADGE)});
      process.on("exit", () => console.log(JSON.stringify(badge)));
    """
    for account_id in ("pinecrest", "nobody-knows"):
        found = badge_of(stack, account_id)
        badge = json.loads(run("node", "-e", browser + script, BADGE=json.dumps(found)))
        known = found["score"] is not None
        assert badge["textContent"].startswith(str(found["score"]) if known else "no data yet")
        assert badge["aria-label"].startswith(f"health {found['score']}" if known else "health not known")

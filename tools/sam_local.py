"""Run the built functions in Lambda's own containers: `make sam-local`.

`sam local start-api` runs the functions; this command gives them what lies around them: tables with keys in them and a
topic, on the embedded AWS of `make run` (or on the DynamoDB at DYNAMODB_ENDPOINT), and a template that leads there.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools import ROOT, keys
from tools.local import aws, cloudformation, template
from tools.local.stack import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.local.template import Function

HOST = "host.docker.internal"
"""By this name a container finds the machine it runs on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted.

    Returns:
        The exit status of the SAM CLI.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sam_local", description="Run the built functions in Docker.")
    parser.add_argument("--sam", type=Path, required=True, help="the SAM CLI")
    parser.add_argument("--build", type=Path, required=True, help="the folder that `make build` filled")
    parser.add_argument("--architecture", required=True, help="what it was built for")
    parser.add_argument("--port", type=int, default=3000, help="where to answer")
    options, passed_on = parser.parse_known_args(arguments)
    stack = template.read(ROOT / "template.yaml", stack="healthscore-sam-local")
    # On every address, since containers reach this machine from outside of its loopback interface.
    embedded = aws.EmbeddedAws("0.0.0.0")  # noqa: S104
    embedded.start()
    try:
        shell = dict(os.environ)
        here = aws.environment(shell, embedded.endpoint, shell.get("DYNAMODB_ENDPOINT") or None)
        os.environ.update(here)
        for function in stack.functions.values():
            os.environ.update(function.environment)
        aws.create_tables(stack.tables)
        aws.create_topics(stack.topics.values())
        for key, scope in KEYS.items():
            keys.add(key, scope, "sam local", datetime.now(UTC))
        adapted = options.build / "local.json"
        built = (options.build / "template.yaml").read_text(encoding="utf-8")
        adapted.write_text(json.dumps(adapt(built, stack.functions, here)), encoding="utf-8")
        print(f"http://127.0.0.1:{options.port} with the keys {', '.join(KEYS)}; template {adapted}", flush=True)
        command = [str(options.sam), "local", "start-api", "--template", str(adapted), "--port", str(options.port)]
        command += ["--parameter-overrides", f"Architecture={options.architecture}", "--warm-containers", "LAZY"]
        command += ["--add-host", f"{HOST}:host-gateway", *passed_on]
        # A variable of the shell would win over the one of that name in the template.
        around = {name: value for name, value in here.items() if not name.startswith("AWS_ENDPOINT_URL")}
        return _until_it_ends(command, around | {"SAM_CLI_TELEMETRY": "0"})
    finally:
        embedded.stop()


def _until_it_ends(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command until it ends by itself: an interrupt reaches it as well, and it has containers to remove."""
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def adapt(built: str, functions: Mapping[str, Function], here: Mapping[str, str]) -> dict[str, Any]:
    """The built template with variables that lead to this machine's tables and topic.

    The SAM CLI can override only variables that a template has, and knows neither names nor endpoints of local tables.

    Args:
        built: the template that `make build` wrote.
        functions: as the local stack reads them, by logical id, with their variables.
        here: the environment in which boto3 finds the embedded AWS from this machine.
    """
    document = cloudformation.load(built)
    document["Globals"]["Function"].pop("Environment", None)
    endpoints = {name: _from_container(url) for name, url in here.items() if name.startswith("AWS_ENDPOINT_URL")}
    for logical_id, function in functions.items():
        properties = document["Resources"][logical_id]["Properties"]
        properties["Environment"] = {"Variables": {**function.environment, **endpoints}}
    return document


def _from_container(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{HOST}:{parts.port}").geturl() if parts.hostname in _LOOPBACK else url


_LOOPBACK = {"127.0.0.1", "localhost", "0.0.0.0"}  # noqa: S104  (compared, not bound)


if __name__ == "__main__":
    sys.exit(main())

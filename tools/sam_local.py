"""Run the built functions in Lambda's own containers: `make sam-local`.

`sam local start-api` runs the functions. This command makes the tables, the bucket, the API keys and the topic on the
embedded AWS of `make run` (or the tables on the DynamoDB at DYNAMODB_ENDPOINT), writes a template whose functions use
them, and shows on the next port what SNS would have delivered.

Variables of the shell:
    DYNAMODB_ENDPOINT  another DynamoDB than the embedded one, such as http://127.0.0.1:8000 for DynamoDB Local
    CRM                `hubspot` for a connected HubSpot account to open tickets in
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools import ROOT, keys
from tools.local import aws, cloudformation, template
from tools.local.containers import Containers
from tools.local.environment import environment, variables
from tools.local.gateway import MAX_BODY, TOO_LARGE, refusal
from tools.local.helpers import Helpers
from tools.local.lambdas import FunctionError
from tools.local.stack import KEPT, KEYS, CallError
from tools.local.web import Request, Response, Server, application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.local.template import Function, Stack

    Helper = Callable[[Request], Response | None]

HOST = "host.docker.internal"
"""The name of this machine inside of a container."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted.

    Returns:
        The exit status of the SAM CLI; 1 with the reason on standard error where the port is taken.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sam_local", description="Run the built functions in Docker.")
    parser.add_argument("--sam", type=Path, required=True, help="the SAM CLI")
    parser.add_argument("--build", type=Path, required=True, help="the folder that `make build` filled")
    parser.add_argument("--architecture", required=True, help="what it was built for")
    parser.add_argument("--port", type=int, default=3000, help="where to answer; the helpers answer on the next one")
    options, passed_on = parser.parse_known_args(arguments)
    helpers: list[Helper] = []
    try:
        # First of all: where the port is taken, another `make sam-local` probably uses the template written below.
        server = Server(application(_asking(helpers), max_body=MAX_BODY, too_large=TOO_LARGE), options.port + 1)
    except OSError as error:
        reason = f"Port {options.port + 1} cannot be used ({os.strerror(error.errno or 0)})."
        print(f"{reason} Other ones: make sam-local PORT={options.port + 10}", file=sys.stderr)
        return 1
    stack = template.read(ROOT / "template.yaml", stack="healthscore-sam-local")
    with ExitStack() as undo:
        undo.callback(server.stop)
        # On every address, since containers reach this machine from outside of its loopback interface.
        endpoint = undo.enter_context(aws.running("0.0.0.0"))  # noqa: S104
        here = environment(os.environ, endpoint, os.environ.get("DYNAMODB_ENDPOINT") or None)
        found = _create_resources(stack, here)
        undo.enter_context(aws.buckets(stack.buckets, KEPT if os.environ.get("DYNAMODB_ENDPOINT") else None))
        adapted = options.build / "local.json"
        built = (options.build / "template.yaml").read_text(encoding="utf-8")
        adapted.write_text(json.dumps(adapt(built, stack.functions, here, options.architecture)), encoding="utf-8")
        # A variable of the shell would win over the one of that name in the template.
        around = {name: value for name, value in here.items() if not name.startswith("AWS_ENDPOINT_URL")}
        around["SAM_CLI_TELEMETRY"] = "0"
        # An image that is here is not pulled again: the SAM CLI would ask the registry whenever a container starts.
        common = ["--template", str(adapted), "--add-host", f"{HOST}:host-gateway", "--skip-pull-image"]
        sam = [str(options.sam), "local"]
        containers = Containers(f"http://127.0.0.1:{options.port}", [*sam, "invoke", *common], found, around)
        helpers.append(Helpers(containers.invoke, found["ALERTS_TOPIC_ARN"]).answer)
        server.start()
        print(_screen(containers.url, server.port), flush=True)
        start = [*sam, "start-api", *common, "--port", str(options.port), "--warm-containers", "LAZY", *passed_on]
        with subprocess.Popen(start, env=around) as process:  # noqa: S603
            # The SAM CLI gets the interrupt as well, and removes its containers before it ends.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            if os.environ.get("CRM") == "hubspot" and containers.wait(lambda: process.poll() is None):
                try:
                    _connect_crm(containers, helpers, undo)
                    print(_screen_of_crm(server.port), flush=True)
                except (OSError, CallError, FunctionError) as error:
                    print(f"No CRM is connected: {error}", file=sys.stderr)
            return process.wait()


def _asking(helpers: Sequence[Helper]) -> Callable[[Request], Response]:
    """Answer by the first helper that knows the request."""

    def answer(request: Request) -> Response:
        for helper in helpers:
            if (answered := helper(request)) is not None:
                return answered
        return refusal(HTTPStatus.NOT_FOUND, "The API is on the port before this one.")

    return answer


def _create_resources(stack: Stack, here: Mapping[str, str]) -> dict[str, str]:
    """Create tables, topics, queues and keys.

    Returns:
        The functions' variables, by which this process finds them as well.
    """
    found = variables(stack)
    os.environ.update({**here, **found})
    aws.create_tables(stack.tables)
    aws.create_topics(stack.topics.values())
    aws.create_queues(stack.takers)
    for key, scope in KEYS.items():
        keys.add(key, scope, "sam local", datetime.now(UTC))
    return found


def _connect_crm(containers: Containers, helpers: list[Helper], undo: ExitStack) -> None:
    from tools.local.crm import COMPANIES, LocalHubSpot  # noqa: PLC0415  (loads the fakes)

    crm = undo.enter_context(LocalHubSpot(containers, _from_container))
    for account_id in COMPANIES:
        containers.call("PUT", f"/v1/accounts/{account_id}", "local-admin", {"name": account_id.title()})
    crm.connect()
    crm.connect_attio()
    helpers.insert(0, crm.answer)


def _screen(url: str, port: int) -> str:
    alone = ".cache/sam/bin/sam local invoke NightlyFunction --event events/nightly.json"
    return "\n".join(
        [
            f"The API will be at {url}, with the keys {', '.join(KEYS)}.",
            f"What would have been sent: http://127.0.0.1:{port}/_local/outbox.txt",
            f"A function alone, in another shell: {alone}",
            "",
        ]
    )


def _screen_of_crm(port: int) -> str:
    opening = json.dumps({"account_id": "brightpath", "priority": "HIGH"})
    return (
        "A HubSpot account is connected. Open a ticket in it; then look at the score, and at the alert:\n"
        f"  curl -X POST http://127.0.0.1:{port}/_local/crm/tickets -d '{opening}'\n"
    )


def adapt(built: str, functions: Mapping[str, Function], here: Mapping[str, str], architecture: str) -> dict[str, Any]:
    """Give every function of the built template the variables of this machine's tables, bucket and topic.

    The SAM CLI can override only variables that a template has, and does not know the names of local tables.

    Args:
        built: the template that `make build` wrote.
        functions: as the local stack reads them, by logical id, with their variables.
        here: the environment in which boto3 finds the embedded AWS from this machine.
        architecture: what it was built for.
    """
    document = cloudformation.load(built)
    document["Parameters"]["Architecture"]["Default"] = architecture
    document["Globals"]["Function"].pop("Environment", None)
    # `sam local` reads a body as UTF-8, and answers 502 where it is gzip, unless all types count as binary: then it
    # hands the body over in base64, as the gateway does. An HTTP API can say so only in a definition of its own.
    binary = {"openapi": "3.0.1", "paths": {}, "x-amazon-apigateway-binary-media-types": ["*/*"]}
    document["Resources"]["Api"]["Properties"]["DefinitionBody"] = binary
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

"""Imports one function, or the usual stack of libraries, in a fresh process, and prints its CPU milliseconds.

Runs as a program, with the layer as its first argument and the name of the function as its second. The usual stack uses
the libraries as pip installs them.
"""

# ruff: noqa: F401, PLC0415  (importing is what is measured)
from __future__ import annotations

import sys
import time

AS_INSTALLED = {"client", "stack"}


def _function(name: str) -> None:
    sys.path.insert(0, f"{sys.argv[1]}/functions/{name}")
    import handler


def _bare_client() -> None:
    import boto3

    boto3.client("dynamodb")


def _usual_stack() -> None:
    import boto3
    from aws_lambda_powertools import Logger, Metrics, Tracer
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from pydantic import BaseModel

    class Answer(BaseModel):
        score: int

    app = APIGatewayHttpResolver(enable_validation=True)
    Logger(), Metrics(namespace="bench"), Tracer()

    @app.get("/v1/accounts/<account_id>/health")
    def health(account_id: str) -> Answer:
        return Answer(score=len(account_id))

    boto3.resource("dynamodb").Table("accounts")


def main() -> None:
    """Import what the second argument names."""
    what = sys.argv[2]
    if what not in AS_INSTALLED:
        sys.path.insert(0, f"{sys.argv[1]}/python")
    start = time.process_time_ns()
    if what == "stack":
        _usual_stack()
    elif what in {"client", "layer's client"}:
        _bare_client()
    elif what != "nothing":
        _function(what)
    print((time.process_time_ns() - start) / 1e6)  # noqa: T201


if __name__ == "__main__":
    main()

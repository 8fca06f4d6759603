"""The environment of what runs locally: boto3 finds the embedded AWS and nothing else, the library finds its tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tools.local.cloudformation import REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.local.template import Stack


def environment(given: Mapping[str, str], endpoint: str, dynamodb_endpoint: str | None) -> dict[str, str]:
    """An environment in which boto3 finds the embedded AWS and nothing else.

    Profiles, credentials and endpoints that the developer's shell has for the real AWS are left out, the credentials
    set here are not real, and no proxy comes between.

    Args:
        given: the environment to begin with.
        endpoint: where the embedded AWS answers.
        dynamodb_endpoint: where DynamoDB answers, if somewhere else.
    """
    environment = {name: value for name, value in given.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": ",".join(filter(None, [given.get("NO_PROXY", given.get("no_proxy")), "127.0.0.1,localhost"])),
    }
    environment["no_proxy"] = environment["NO_PROXY"]
    if dynamodb_endpoint:
        environment["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb_endpoint
    return environment


def variables(stack: Stack) -> dict[str, str]:
    """The variables of all functions of a stack, for a process that stands for any of them.

    Where functions differ in a variable, as in the name they log under, it has the value of the last one.
    """
    together: dict[str, str] = {}
    for function in stack.functions.values():
        together |= function.environment
    return together

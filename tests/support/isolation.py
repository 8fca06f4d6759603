"""Tests reach no machine but this one: not AWS, with whatever credentials the developer's shell has, nor any other.

The environment leads boto3 to an endpoint at which nothing answers, until a fixture names another; so a client that was
made too early fails at once. Whatever would leave the loopback interface all the same is refused, and fails the test
even where the code under test takes it for a network's failure. Programs that tests start find the same environment.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from functools import cache
from urllib.parse import urlsplit

from tools.local.environment import environment

NOBODY = "http://127.0.0.1:9"
"""Nothing answers there."""
refused: list[str] = []
"""What was refused since the list was emptied."""
_CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class ElsewhereError(ConnectionError):
    """A test tried to reach another machine."""


@cache
def isolate() -> None:
    """Isolate this process, once and for good; one that an isolated process started goes on with its endpoint."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", NOBODY)
    isolated = environment(os.environ, endpoint if _is_here(urlsplit(endpoint).hostname) else NOBODY, None)
    os.environ.clear()
    os.environ.update(isolated)
    sys.addaudithook(_refuse_elsewhere)


def _refuse_elsewhere(event: str, arguments: tuple[object, ...]) -> None:
    """Python calls this for every socket, of whatever library."""
    if event in _CONNECTING:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # the address of a Unix socket is a path
    elif event in _LOOKING_UP:
        host = arguments[0]
    else:
        return
    if not _is_here(host):
        refused.append(f"{event} {host}")
        raise ElsewhereError(f"tests reach no other machine: {host}")


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified

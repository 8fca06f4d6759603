"""A stand-in for Lambda: loads the real handlers and invokes them with JSON events and a context.

As in Lambda, an execution environment handles one event at a time, and is used again for later events. Events that
arrive meanwhile get environments of their own, up to `CONCURRENCY`; more events wait. An environment here is a copy of
the handler's module; all of them share the library.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Any

from tools.local.cloudformation import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tools.local.template import Function

    Handler = Callable[[dict[str, Any], "Context"], Any]

CONCURRENCY = 10
"""The most environments of a function, as in a new AWS account; more would only share this process's one interpreter.
Further events wait, where Lambda would refuse them and the client would send them again."""
_READ_WHEN_LOADED = ("POWERTOOLS_", "AWS_LAMBDA_")
"""Variables that may differ between functions, since they are read only while the handler's module is loaded."""


@dataclass(frozen=True, slots=True)
class Context:
    """The context of an invocation."""

    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    deadline: float
    """In seconds of the monotonic clock."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the invocation."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class FunctionError(Exception):
    """A handler raised; the traceback has been printed to standard error, where Lambda would log it."""


class Lambdas:
    """The functions of a template; may be invoked from any thread."""

    def __init__(self, functions: Mapping[str, Function], root: Path) -> None:
        """Take the functions by logical id, and the template's folder.

        Raises:
            ValueError: a variable has different values in two functions. All functions share the environment of this
                process.
        """
        self._functions = functions
        self._root = root
        self._idle: dict[str, list[Handler]] = {name: [] for name in functions}
        self._lock = Lock()
        self._rooms = {name: Semaphore(CONCURRENCY) for name in functions}
        self.environment = _common_environment(functions)

    def invoke(self, logical_id: str, event: str) -> str:
        """Invoke a function and wait for its result.

        Args:
            logical_id: the function's id in the template.
            event: the event as JSON.

        Returns:
            The result as JSON.

        Raises:
            FunctionError: the handler raised, or returned what is not JSON.
        """
        function = self._functions[logical_id]
        try:
            with self._rooms[logical_id], self._environment_of(function) as handler:
                return json.dumps(handler(json.loads(event), _context(function)), ensure_ascii=False)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            raise FunctionError(f"{type(error).__name__}: {error}") from error

    @contextmanager
    def _environment_of(self, function: Function) -> Iterator[Handler]:
        """An execution environment for one invocation: an idle one, or a new one."""
        idle = self._idle[function.logical_id]
        with self._lock:
            if idle:
                handler = idle.pop()
            else:
                os.environ.update(_own_environment(function))
                handler = _load(function, self._root)
        try:
            yield handler
        finally:
            with self._lock:
                idle.append(handler)


def _load(function: Function, root: Path) -> Handler:
    module_name, _, attribute = function.handler.rpartition(".")
    path = root / function.code / f"{module_name.replace('.', '/')}.py"
    spec = importlib.util.spec_from_file_location(f"{function.logical_id}_{module_name}_{uuid.uuid4().hex}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Handler = getattr(module, attribute)
    return handler


def _own_environment(function: Function) -> dict[str, str]:
    """The variables of the runtime, and the function's own variables that are read while it is loaded."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": REGION,
        **{name: value for name, value in function.environment.items() if name.startswith(_READ_WHEN_LOADED)},
    }


def _common_environment(functions: Mapping[str, Function]) -> dict[str, str]:
    common: dict[str, str] = {}
    for function in functions.values():
        for name, value in function.environment.items():
            if name.startswith(_READ_WHEN_LOADED):
                continue
            if common.setdefault(name, value) != value:
                raise ValueError(f"{name} differs between functions: {common[name]!r} and {value!r}")
    return common


def _context(function: Function) -> Context:
    return Context(
        function_name=function.name,
        function_version="$LATEST",
        invoked_function_arn=function.arn,
        memory_limit_in_mb=function.memory,
        aws_request_id=str(uuid.uuid4()),
        log_group_name=f"/aws/lambda/{function.name}",
        log_stream_name="local",
        deadline=time.monotonic() + function.timeout,
    )

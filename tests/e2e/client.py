"""An HTTP client of the API that, like a careful customer's, repeats requests that were answered 503."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
import time
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

TRIES = 30
LONGEST_WAIT = 2.0
TIMEOUT = 60


class AnswerError(Exception):
    """The API answered with an error that a repetition does not resolve."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body.decode(errors='replace')}")
        self.status = status


class Client:
    """One open connection, for one thread. Counts its requests and repetitions."""

    def __init__(self, url: str, key: str) -> None:
        self._address = urlsplit(url).netloc
        self._key = key
        self._connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        self.requests = 0
        self.repeats = 0

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, **query: str) -> Any:
        pairs = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        return self.call("GET", f"{path}?{pairs}" if pairs else path)

    def call(self, method: str, path: str, body: object = None, *, compressed: bool = False) -> Any:
        """Make a request, repeat it while the answer is 503, and return the answer's JSON with exact decimals.

        Raises:
            AnswerError: any other answer than a success, or 503 for too long.
        """
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        if compressed:
            data = gzip.compress(data, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        for _ in range(TRIES):
            self.requests += 1
            self._connection.request(method, path, data, headers)
            response = self._connection.getresponse()
            answer = response.read()
            if response.status != 503:
                break
            self.repeats += 1
            time.sleep(min(LONGEST_WAIT, float(response.headers.get("Retry-After", "1"))))
        if response.status != 200:
            raise AnswerError(response.status, answer)
        return json.loads(answer, parse_float=Decimal)


def account_path(account_id: str) -> str:
    """The path of an account, with the id encoded as the API's documentation describes."""
    if re.fullmatch(r"[A-Za-z0-9._:@+-]+", account_id):
        return f"/v1/accounts/{account_id}"
    return f"/v1/accounts/~{base64.urlsafe_b64encode(account_id.encode()).rstrip(b'=').decode()}"

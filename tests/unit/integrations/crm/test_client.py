"""Calls of a CRM that does not answer as it should: what is repeated, after which waits, and what is not."""

from __future__ import annotations

import socket
from email.utils import format_datetime
from threading import Thread

import pytest

from healthscore.integrations.crm.client import Client, Clock, Limit
from healthscore.integrations.crm.protocol import CrmError, QuotaError
from tools.fakes.server import START, FakeService, Reply, VirtualClock

BACKOFF = [(0, 0), (2, 3), (4, 5), (8, 9), (16, 17)]
"""The bounds of each wait before a repetition."""


class Service(FakeService):
    def answer(self, call):
        return Reply(200, {"path": call.path})


class Waits(VirtualClock):
    """Keeps the waits for which it was asked."""

    def __init__(self):
        super().__init__()
        self.waits: list[float] = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        super().sleep(seconds)


@pytest.fixture
def clock():
    return Waits()


@pytest.fixture
def service(clock):
    with Service(clock) as service:
        yield service


@pytest.fixture
def client(service, clock):
    client = Client(service.url, service.token, clock)
    yield client
    client.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_call__refused_for_a_while__is_repeated_later_each_time(service, client, clock, status, method):
    service.troubles += [Reply(status)] * 5
    assert client.call(method, "/x", {}).body == {"path": "/x"}
    assert len(service.calls) == 6
    assert all(low <= wait <= high for wait, (low, high) in zip(clock.waits, BACKOFF, strict=True))


def test_call__refused_for_good__gives_up_without_a_further_wait(service, client, clock):
    service.before = lambda _call: Reply(503)
    with pytest.raises(CrmError, match="answered 503, 6 times in a row"):
        client.call("POST", "/x", {})
    assert (len(service.calls), len(clock.waits)) == (6, 5)


@pytest.mark.parametrize("status", [400, 404, 409])
def test_call__refused_for_what_it_is__is_not_repeated(service, client, status):
    service.troubles.append(Reply(status))
    with pytest.raises(CrmError, match=f"answered {status}\\."):
        client.call("POST", "/x", {})
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("3600", 60),
        (format_datetime(START.replace(second=9), usegmt=True), 10),
        (format_datetime(START.replace(hour=23), usegmt=True), 60),
        (format_datetime(START.replace(hour=1), usegmt=True), 0),
        ("0", 0),
        ("soon", 0),
        ("Sat, 21 Nov 2026 10:00:30 -0000", 0),
    ],
)
def test_call__crm_says_when__is_repeated_then_within_a_minute(service, client, clock, header, seconds):
    service.troubles.append(Reply(429, {}, {"Retry-After": header}))
    client.call("GET", "/x")
    assert clock.waits == [seconds]


def test_call__days_limit_used_up__is_neither_waited_for_nor_repeated(service, client, clock):
    service.troubles.append(Reply(429, {"policyName": "DAILY"}, {"Retry-After": "7"}))
    with pytest.raises(QuotaError):
        client.call("GET", "/x")
    assert (len(service.calls), clock.waits) == (1, [])


def test_call__repeated__counts_against_its_limits_each_time(service, client, clock):
    limit = Limit(2, 100.0)
    service.troubles += [Reply(500)] * 2
    client.call("GET", "/x", limits=[limit])
    assert len(service.calls) == 3
    assert clock.monotonic() >= 100


def test_call__limit_frees_too_late__leaves_the_rest(service, client, clock):
    clock.left_at = START.replace(second=50)
    limit = Limit(1, 100.0)
    service.troubles.append(Reply(500))
    with pytest.raises(QuotaError):
        client.call("GET", "/x", limits=[limit])
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "ProtocolError"),
        (b"nonsense\r\n\r\n", "ProtocolError"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":', "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "ProtocolError"),
    ],
)
def test_call__connection_breaks__is_repeated(sent, reason):
    calls = []

    def serve():
        for _ in range(6):
            connection, _ = listening.accept()
            calls.append(connection.recv(65536))
            connection.sendall(sent)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", "token", Clock(sleep=lambda _: None))
        with pytest.raises(CrmError, match=rf"did not answer \({reason}\), 6 times"):
            client.call("POST", "/x", {})
        thread.join()
        client.close()
    assert len(calls) == 6


def test_call__answer_that_cannot_be_read__fails_in_words(service, client):
    service.troubles.append(Reply(200, {}, {"Content-Encoding": "gzip"}))
    with pytest.raises(CrmError, match="cannot be read"):
        client.call("GET", "/x")

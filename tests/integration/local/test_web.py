"""The server reads and writes HTTP/1.1 as clients speak it, and leaves nothing behind."""

import http.client
import socket
import threading
import time

import pytest

from tools.local.web import Request, Response, Server, application

nothing = application(lambda _: Response(204), max_body=1, too_large=Response(413))


@pytest.fixture
def server():
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(200, request.body[::-1], {"content-type": "text/plain"}, ("a=1", "b=2"))

    threads = set(threading.enumerate())
    server = Server(application(answer, max_body=1000, too_large=Response(413, b"too large")))
    server.seen = seen
    server.start()
    yield server
    server.stop()
    assert set(threading.enumerate()) == threads


@pytest.fixture
def client(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    yield connection
    connection.close()


def test_request__body_and_headers__arrive_whole(server, client):
    client.request("PATCH", "/a%2Fb?c=%20", b"abc", {"X-One": "1"})
    response = client.getresponse()
    assert (response.status, response.read()) == (200, b"cba")
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    (request,) = server.seen
    assert (request.method, request.target, request.header("x-one")) == ("PATCH", "/a%2Fb?c=%20", "1")


def test_request__chunked__put_together(client):
    client.request("POST", "/", iter([b"ab", b"cd"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert client.getresponse().read() == b"dcba"


@pytest.mark.parametrize("chunked", [False, True])
def test_request__too_large__413_and_the_client_goes_on(client, chunked):
    if chunked:
        client.request("POST", "/", iter([b"x" * 1000, b"x"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    else:
        client.request("POST", "/", b"x" * 1001)
    refused = client.getresponse()
    assert (refused.status, refused.read()) == (413, b"too large")
    client.request("POST", "/", b"x" * 1000)
    assert client.getresponse().read() == b"x" * 1000


def test_request__expects_continue__is_answered_100(server):
    with socket.create_connection(("127.0.0.1", server.port)) as plain, plain.makefile("rb") as answer:
        plain.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answer.readline() == b"\r\n"
        plain.sendall(b"ab")
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"


def test_request__repeated_headers__joined_by_commas(server, client):
    client.putrequest("GET", "/")
    for value in ("a", "b"):
        client.putheader("X-Two", value)
    client.endheaders()
    client.getresponse().read()
    (request,) = server.seen
    assert request.header("x-two") == "a,b"


def test_request__head__no_body(client):
    client.request("HEAD", "/")
    assert client.getresponse().read() == b""


def test_answer__no_content__has_neither_body_nor_length_nor_type():
    server = Server(nothing)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as plain, plain.makefile("rb") as answer:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = answer.read().partition(b"\r\n\r\n")
    server.stop()
    assert head.startswith(b"HTTP/1.1 204 ")
    assert b"content-" not in head.lower()
    assert body == b""


def test_server__client_hangs_up_in_the_middle__goes_on(server, client):
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nab")
    client.request("GET", "/")
    assert client.getresponse().status == 200


def test_server__port_in_use__says_so(server):
    with pytest.raises(OSError, match="in use"):
        Server(nothing, server.port)


def test_stop__connection_without_a_request__does_not_wait_for_it():
    server = Server(nothing)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as spare:
        spare.sendall(b"GET /")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))


def test_stop__request_being_answered__is_answered_first():
    arrived = threading.Event()

    def answer(_: Request) -> Response:
        arrived.set()
        time.sleep(0.3)
        return Response(200, b"done")

    server = Server(application(answer, max_body=1, too_large=Response(413)))
    server.start()
    client = http.client.HTTPConnection("127.0.0.1", server.port)
    client.request("GET", "/")
    arrived.wait(5)
    server.stop()
    assert client.getresponse().read() == b"done"
    client.close()

"""Bytes that no client sends: each gets an AWS error, and the server goes on."""

import json
import os
import socket

import pytest

from support import raw
from support.ask import HAIKU, converse
from support.server import healthy
from support.sigv4 import Signer
from support.waiting import until

PATH = f"/model/{HAIKU}/converse"
INVOKE = f"/model/{HAIKU}/invoke"
UNREADABLE = ("ValidationException", "SerializationException")
GOOD = json.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 1}})


@pytest.fixture(autouse=True)
def still_there(server, runtime):
    """Whatever was sent, the same process answers the next call."""
    pid = server.pid
    yield
    assert server.pid == pid and server.process.poll() is None, server.log_tail()
    assert healthy(server.url)


def refused(server, body, codes=UNREADABLE, path=PATH, headers=None):
    answer = raw.request(server, "POST", path, body, headers=headers)
    code, message = answer.error("bedrock-runtime")
    assert answer.status < 500 and code in codes, (code, message)
    return message


@pytest.mark.parametrize("cut", [1, 10, len(GOOD) // 2, len(GOOD) - 1])
def test_truncated_json(server, cut):
    refused(server, GOOD[:cut].encode())


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"{} {}",
        b"{'messages': []}",
        b'{"messages": 7}',
        b'{"messages": {"role": "user"}}',
        b'{"messages": ["hi"]}',
        b'{"messages": [{"role": 1, "content": []}]}',
        b'{"messages": [{"role": "user", "content": [{"text": 1}]}]}',
        b'{"messages": [], "inferenceConfig": {"maxTokens": "1"}}',
        b'{"messages": [], "inferenceConfig": {"maxTokens": 1.5}}',
        b'{"messages": [], "inferenceConfig": {"maxTokens": 99999999999999999999}}',
        b'{"messages": [], "inferenceConfig": {"temperature": NaN}}',
        b'{"messages": [], "inferenceConfig": {"temperature": 1e999}}',
        b'{"messages": [{"role": "user", "content": [{"text": "\\ud800"}]}]}',
        b'{"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "***"}}}]}]}',
        b"\x00\x01\x02",
        b"\xef\xbb\xbf[]",
    ],
)
def test_json_of_the_wrong_kind(server, body):
    refused(server, body)


def test_invalid_utf8(server):
    refused(server, GOOD.replace("hi", "\x80").encode("latin-1"))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_ten_megabytes_of_nesting(server, opening):
    depth = 10_000_000 // len(opening)
    codes = (*UNREADABLE, "RequestEntityTooLargeException")
    for member in ("messages", "additionalModelRequestFields"):
        refused(server, f'{{"{member}":'.encode() + opening.encode() * depth, codes)


def test_closed_nesting_in_a_document(server):
    body = b'{"additionalModelRequestFields":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    refused(server, body)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_another_content_type(server, kind):
    answer = raw.request(server, "POST", PATH, GOOD.encode(), headers={"content-type": kind})
    if answer.status != 200:  # Bedrock reads JSON under any name; a refusal must at least be one of its own.
        code, message = answer.error("bedrock-runtime")
        assert code in UNREADABLE, message


def test_a_foreign_content_type_for_invoke_model(server):
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1, "messages": []}).encode()
    refused(server, body, path=INVOKE, headers={"content-type": "text/csv"})


class TestSize:
    LIMIT = 25_000_000

    def test_a_body_over_the_limit(self, server):
        code, message = raw.request(server, "POST", INVOKE, b" " * (self.LIMIT + 1)).error("bedrock-runtime")
        assert code in ("RequestEntityTooLargeException", "ValidationException"), message

    def test_a_body_at_the_limit_is_read(self, server):
        message = refused(server, b" " * self.LIMIT, path=INVOKE)
        assert "25000000" not in message, message

    def test_a_chunked_body_over_the_limit(self, server):
        host, port = server.address
        headers = Signer().headers("POST", INVOKE, f"{host}:{port}", b"", raw.JSON)
        head = [f"POST {INVOKE} HTTP/1.1", f"host: {host}:{port}", "connection: close", "transfer-encoding: chunked"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        part = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        answer = raw.exchange(server, "\r\n".join(head).encode() + b"\r\n\r\n" + part * 25 + b"0\r\n\r\n")
        code, message = answer.error("bedrock-runtime")
        assert code in ("RequestEntityTooLargeException", "ValidationException"), message

    def test_a_length_that_lies_about_a_terabyte(self, server):
        host, port = server.address
        headers = Signer().headers("POST", INVOKE, f"{host}:{port}", b"", raw.JSON)
        head = [f"POST {INVOKE} HTTP/1.1", f"host: {host}:{port}", "connection: close", f"content-length: {10**12}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        answer = raw.exchange(server, "\r\n".join(head).encode() + b"\r\n\r\n{")
        assert answer.status < 500
        answer.error("bedrock-runtime")

    def test_headers_without_end(self, server):
        head = f"GET /foundation-models HTTP/1.1\r\nhost: x\r\nx-long: {'a' * 2_000_000}\r\n\r\n"
        answer = raw.exchange(server, head.encode())
        assert answer.status in (400, 413, 431), answer.status


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"HELLO WORLD\r\n\r\n"])
def test_what_is_no_http(server, data):
    """Closed or refused; which one is the HTTP library's own matter."""
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


class TestSlowClients:
    def test_many_half_requests_do_not_hold_up_a_whole_one(self, server, runtime):
        held = [socket.create_connection(server.address, timeout=60) for _ in range(60)]
        try:
            for i, connection in enumerate(held):
                connection.sendall(b"POST /model/x/converse HTTP/1.1\r\n"[: 1 + i % 34])
            assert converse(runtime, tokens=1)["usage"]["outputTokens"] == 1
        finally:
            for connection in held:
                connection.close()

    def test_half_sent_heads_are_ended_by_the_server(self, fresh):
        """At any point of it: silence, one byte, half an HTTP/2 preface, a head that does not end."""
        server = fresh(config="[limits]\nheader_timeout_seconds = 1\n").start()
        parts = (b"", b"P", b"PRI * HT", b"POST /model/x/converse HTTP/1.1\r\nhost: x\r\n")
        held = [socket.create_connection(server.address, timeout=20) for _ in parts]
        for connection, part in zip(held, parts):
            connection.sendall(part)
        for connection in held:
            while connection.recv(65536):
                pass
            connection.close()

    def test_a_body_that_does_not_come_is_ended_too(self, fresh):
        server = fresh(config="[limits]\nbody_timeout_seconds = 1\n").start()
        host, port = server.address
        headers = Signer().headers("POST", INVOKE, f"{host}:{port}", b"", raw.JSON)
        head = [f"POST {INVOKE} HTTP/1.1", f"host: {host}:{port}", "connection: close", "content-length: 1000"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        answer = raw.exchange(server, "\r\n".join(head).encode() + b"\r\n\r\n{")
        assert answer.status == 408, answer
        answer.error("bedrock-runtime")

    def test_an_aborted_body_costs_nothing(self, server):
        before = len(os.listdir(f"/proc/{server.pid}/fd"))
        for _ in range(20):
            with socket.create_connection(server.address, timeout=60) as connection:
                connection.sendall(b"POST /model/x/invoke HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc")
        until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before + 2, 30, "all connections let go")

"""The edge: TLS, client certificates, new certificates without a restart, Unix sockets."""

import os
import re
import socket
import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import InvalidEndpointConfigurationError, SSLError

from support import raw, tls
from support.ask import HAIKU, text, user
from support.clients import cli, client
from support.http2 import Connection
from support.keys import access_key, api_key
from support.server import Server, outcrop
from support.sigv4 import Signer
from support.waiting import until

LIST = "/foundation-models"


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """`outcrop dev --tls`"""
    with Server(args=("--tls",)) as running:
        yield running


def bundle_of(server):
    return re.search(r"export AWS_CA_BUNDLE=(\S+)", "\n".join(server.lines))[1]


@pytest.fixture
def authority(tmp_path):
    return tls.Authority(tmp_path)


@pytest.fixture
def secure(fresh, authority, tmp_path):
    """A server with certificates from files, not yet started."""
    authority.first = authority.install(tmp_path)
    return fresh(config=tls.config(tmp_path))


class TestDev:
    def test_the_first_lines_say_what_to_export(self, dev):
        assert dev.url.startswith("https://127.0.0.1:") and dev.lines[0] == "listening on " + dev.url
        until(lambda: any("AWS_ENDPOINT_URL=" + dev.url in line for line in dev.lines), 10, "the endpoint's line")
        assert os.path.isfile(bundle_of(dev))

    def test_boto3_sends_a_bearer_token_over_https_only(self, dev, monkeypatch):
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-anything")
        monkeypatch.setenv("AWS_CA_BUNDLE", bundle_of(dev))

        def ask(url):
            runtime = boto3.client("bedrock-runtime", endpoint_url=url, region_name="us-east-1")
            return runtime.converse(
                modelId=HAIKU, messages=[user("Name a river.")], inferenceConfig={"maxTokens": 4, "temperature": 0}
            )

        assert text(ask(dev.url))
        # The reason for `dev --tls`.
        with pytest.raises(InvalidEndpointConfigurationError):
            ask(dev.url.replace("https:", "http:"))

    def test_the_aws_cli(self, dev):
        env = {"AWS_CA_BUNDLE": bundle_of(dev)}
        assert cli(dev.url, "bedrock", "list-foundation-models", env=env)["modelSummaries"]
        by_name = dev.url.replace("127.0.0.1", "localhost")
        assert cli(by_name, "sts", "get-caller-identity", env=env)["Account"]

    def test_the_authority_is_made_once_and_its_key_is_private(self, dev, fresh):
        folder = dev.data / "tls"
        assert stat.S_IMODE((folder / "authority.key").stat().st_mode) == 0o600
        again = fresh(data=None, args=("--tls",)).start()
        before = open(bundle_of(again)).read()
        assert again.stop() == 0
        again.start()
        assert open(bundle_of(again)).read() == before

    def test_whoever_does_not_trust_the_authority_is_stopped(self, dev, authority):
        with pytest.raises(SSLError):
            client(dev.url, "bedrock", verify=str(authority.cert)).list_foundation_models()

    def test_http2_is_agreed_on_in_the_handshake(self, dev):
        connection = tls.connect(dev.address, bundle_of(dev), alpn=("h2", "http/1.1"))
        assert connection.selected_alpn_protocol() == "h2"
        with Connection(connected=connection, authority="localhost") as h2:
            answer = h2.request("GET", LIST)
            assert answer.status == 200 and b"modelSummaries" in answer.body
        with tls.connect(dev.address, bundle_of(dev), alpn=("http/1.1",)) as one:
            assert one.selected_alpn_protocol() == "http/1.1"
            assert tls.get(one).startswith("HTTP/1.1 200")

    def test_plain_http_is_told_to_use_https(self, dev):
        code, message = raw.request(dev, "GET", LIST).error()
        assert code == "ValidationException" and "https://" in message


class TestServe:
    def test_a_bearer_key_opens_a_server_that_others_can_reach(self, authority, tmp_path, monkeypatch):
        authority.install(tmp_path)
        server = Server("serve", config=tls.config(tmp_path))
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", api_key(server.data))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.cert))
        try:
            server.start("0.0.0.0:0")
            url = f"https://localhost:{server.address[1]}"
            bedrock = boto3.client("bedrock", endpoint_url=url, region_name="us-east-1")
            assert bedrock.list_foundation_models()["modelSummaries"]
        finally:
            server.remove()

    def test_without_tls_others_cannot_reach_it(self, tmp_path):
        done = outcrop("serve", "--listen", "0.0.0.0:0", "--data", str(tmp_path))
        assert done.returncode == 1 and "[tls]" in done.stderr, done.stderr

    def test_dev_stays_on_this_machine(self, tmp_path):
        done = outcrop("dev", "--tls", "--listen", "0.0.0.0:0", "--data", str(tmp_path))
        assert done.returncode == 1 and "checks no credentials" in done.stderr, done.stderr


class TestFiles:
    def test_errors_say_which_file_and_what_to_do(self, authority, tmp_path):
        cert, key = authority.issue()
        _, other = authority.issue("other")
        garbage = tmp_path / "garbage.pem"
        garbage.write_text("not PEM")
        for pair, said in [
            ((tmp_path / "absent.pem", key), ["absent.pem", "tls.cert"]),
            ((cert, tmp_path / "absent.key"), ["absent.key", "tls.key"]),
            ((garbage, key), ["garbage.pem", "PEM"]),
            ((cert, other), [str(cert), str(other), "does not belong"]),
        ]:
            path = tmp_path / "outcrop.toml"
            path.write_text(f'[tls]\ncert = "{pair[0]}"\nkey = "{pair[1]}"\n')
            args = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--config", str(path))
            for done in (outcrop("serve", *args), outcrop("config", "check", str(path))):
                assert done.returncode == 1 and all(part in done.stderr for part in said), done.stderr

    def test_a_new_certificate_is_taken_while_streams_run(self, secure, authority, tmp_path):
        server = secure.start()
        runtime = client(server.url, "bedrock-runtime", verify=str(authority.cert))
        stream = runtime.converse_stream(
            modelId=HAIKU,
            messages=[user("Write a long story about a ship.")],
            inferenceConfig={"maxTokens": 200, "temperature": 0.9},
        )
        events = iter(stream["stream"])
        next(events)
        assert tls.shown(server.address, authority.cert) == tls.der(authority.first[0])
        second = authority.install(tmp_path)
        shown = lambda: tls.shown(server.address, authority.cert) == tls.der(second[0])
        until(shown, 30, "the new certificate")
        kinds = [next(iter(event)) for event in events]
        assert kinds[-2:] == ["messageStop", "metadata"], kinds[-3:]

    def test_garbage_under_load_leaves_the_old_one(self, secure, authority, tmp_path):
        server = secure.start()
        first = tls.der(authority.first[0])
        over = threading.Event()

        def load(_):
            count = 0
            while not over.is_set():
                assert tls.shown(server.address, authority.cert) == first
                count += 1
            return count

        with ThreadPoolExecutor(2) as pool:
            loads = [pool.submit(load, n) for n in range(2)]
            try:
                (tmp_path / "server.pem").write_text("garbage")
                until(lambda: "the old ones stay in use" in server.log_text, 30, "the complaint in the log")
                done = outcrop("config", "reload", "--data", str(server.data))
                assert done.returncode == 1 and "server.pem" in done.stderr, done.stderr
            finally:
                over.set()
            assert all(one.result(60) > 0 for one in loads)

    def test_a_handshake_that_never_ends_is_cut_and_holds_nobody_up(self, fresh, authority, tmp_path):
        authority.install(tmp_path)
        config = tls.config(tmp_path) + "[limits]\nheader_timeout_seconds = 1\nconnections = 4\n"
        server = fresh(config=config).start()
        held = [socket.create_connection(server.address, timeout=60) for _ in range(8)]
        held[0].sendall(b"\x16\x03\x01\x02\x00\x01")
        with tls.connect(server.address, authority.cert) as connection:
            assert tls.get(connection).startswith("HTTP/1.1 200")
        for one in held:
            assert one.recv(1) == b""
            one.close()


class TestClientCertificates:
    @pytest.mark.parametrize("mode", ["required", "optional"])
    def test_they_are_verified_and_named_in_the_log(self, fresh, authority, tmp_path, mode):
        authority.install(tmp_path)
        clients = tls.Authority(tmp_path, "clients")
        ada, mallory = clients.issue("ada"), authority.issue("mallory")
        more = (f'client_ca = "{clients.cert}"', f'client_auth = "{mode}"')
        env = {"RUST_LOG": "debug"}
        server = fresh(config=tls.config(tmp_path, *more), env=env).start(wait=False)
        with tls.connect(server.address, authority.cert, own=ada) as connection:
            assert tls.get(connection, LIST).startswith("HTTP/1.1 403")
        until(lambda: "CN=ada" in server.log_text, 10, "the subject in the log")

        def answered(own):
            try:
                with tls.connect(server.address, authority.cert, own=own) as connection:
                    return tls.get(connection).startswith("HTTP/1.1 200")
            except (ssl.SSLError, ConnectionError):
                return False

        assert answered(ada)
        assert answered(None) == (mode == "optional")
        assert not answered(mallory)


class TestProxies:
    CONFIG = """
trusted_proxies = [%s]
[[access.users]]
account = "123456789012"
name = "ada"
policies = ["from-the-office"]
[access.policies.from-the-office]
json = '''{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:List*", "Resource": "*",
  "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:SecureTransport": "true"}}}]}'''
"""
    FORWARDED = {"x-forwarded-for": "198.51.100.1, 203.0.113.9", "x-forwarded-proto": "https"}

    def test_policies_see_the_address_that_a_trusted_proxy_saw(self):
        server = Server("serve", config=self.CONFIG % '"127.0.0.0/8"')
        signer = Signer(*access_key(server.data, user="ada"))
        ask = lambda headers: raw.request(server, "GET", LIST, headers=headers, signer=signer)
        try:
            server.start()
            assert ask(self.FORWARDED).status == 200
            for refused in [
                {},
                {"x-forwarded-for": "203.0.113.9"},
                {**self.FORWARDED, "x-forwarded-proto": "http"},
                # What the client itself wrote stands left of what the proxy saw.
                {**self.FORWARDED, "x-forwarded-for": "203.0.113.9, 198.51.100.1"},
            ]:
                assert ask(refused).error()[0] == "AccessDeniedException"
            # A reload takes the proxy's word away, and then the policy.
            server.config_path.write_text(self.CONFIG % "")
            assert outcrop("config", "reload", "--data", str(server.data)).returncode == 0
            assert ask(self.FORWARDED).error()[0] == "AccessDeniedException"
            server.config_path.write_text(self.CONFIG.replace("203.0.113.0/24", "127.0.0.1").replace("true", "false") % "")
            assert outcrop("config", "reload", "--data", str(server.data)).returncode == 0
            assert ask(self.FORWARDED).status == 200
        finally:
            server.remove()


class TestUnixSocket:
    @pytest.mark.parametrize("mode", ["dev", "serve"])
    def test_both_protocols_for_the_owner_alone(self, fresh, tmp_path, mode):
        path = tmp_path / "outcrop.sock"
        server = fresh(mode).start(f"unix:{path}")
        assert server.url == f"unix:{path}"
        found = path.stat()
        assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
        expected = 200 if mode == "dev" else 403
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(path))
            assert tls.get(one).startswith("HTTP/1.1 200")
        two = socket.socket(socket.AF_UNIX)
        two.connect(str(path))
        with Connection(connected=two) as h2:
            assert h2.request("GET", LIST).status == expected
        assert server.stop() == 0
        assert not path.exists()

    def test_a_live_socket_is_left_and_a_dead_one_replaced(self, fresh, tmp_path):
        path = tmp_path / "outcrop.sock"
        first = fresh().start(f"unix:{path}")
        done = outcrop("dev", "--listen", f"unix:{path}", "--data", str(tmp_path / "other"))
        assert done.returncode == 1 and "running server" in done.stderr and str(path) in done.stderr, done.stderr
        first.kill()
        assert path.exists()
        first.start(f"unix:{path}")

    def test_what_is_no_socket_and_what_cannot_be_one(self, tmp_path):
        file = tmp_path / "file"
        file.write_text("kept")
        long = tmp_path / ("x" * 120)
        for path, said in [(file, "not a socket"), (long, "too long"), (tmp_path / "no" / "where", "folder")]:
            done = outcrop("dev", "--listen", f"unix:{path}", "--data", str(tmp_path / "data"))
            assert done.returncode == 1 and said in done.stderr, done.stderr
        assert file.read_text() == "kept"

    def test_the_environment_names_one_too(self, fresh, tmp_path):
        path = tmp_path / "s"
        done = outcrop("serve", "--data", str(tmp_path / "d"), env={"OUTCROP_LISTEN": "unix:relative"})
        assert done.returncode != 0 and "whole path" in done.stderr, done.stderr
        assert fresh().start(f"unix:{path}").url == f"unix:{path}"

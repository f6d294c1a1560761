"""What must never be shown: secrets and prompts, in the log at its most talkative and anywhere in the data folder."""

import base64

import pytest
from botocore.exceptions import ClientError

from support.ask import converse, user
from support.identity import ACCOUNT, arn, client_of, toml, trust
from support.keys import access_key, api_key
from support.raw import request
from support.server import Server
from support.sigv4 import Signer

LOCAL = "outcrop.smollm2-135m-instruct"
PROMPT = "the purple walrus of Vladivostok"
NOT_A_KEY = "wrong-secret-wrong-secret-wrong-secret-0"


@pytest.fixture(scope="module")
def used():
    """A `serve` that was used and misused and then stopped, and the secrets that it was given."""
    roles = [{"account": ACCOUNT, "name": "reader", "trust": trust({"AWS": ACCOUNT}), "policies": ["AmazonBedrockFullAccess"]}]
    server = Server("serve", config=toml(access__roles=roles), env={"RUST_LOG": "trace"})
    try:
        key = access_key(server.data, ACCOUNT, "root")
        bearer = api_key(server.data, ACCOUNT)
        server.start()
        session = client_of(server.url, "sts", key).assume_role(RoleArn=arn("reader"), RoleSessionName="me")["Credentials"]
        for runtime in (client_of(server.url, "bedrock-runtime", key), client_of(server.url, "bedrock-runtime", session)):
            converse(runtime, [user(PROMPT)], model=LOCAL, tokens=2)
        with pytest.raises(ClientError):
            converse(client_of(server.url, "bedrock-runtime", key), [user(PROMPT)], model="no.such-model", tokens=2)
        with pytest.raises(ClientError):
            converse(client_of(server.url, "bedrock-runtime", (key[0], NOT_A_KEY)), [user(PROMPT)], model=LOCAL)
        for token in (bearer, bearer[:-4] + "AAAA"):
            request(server, "GET", "/foundation-models", signer=None, headers={"authorization": f"Bearer {token}"})
        request(server, "POST", f"/model/{LOCAL}/converse", b'{"messages": "' + PROMPT.encode() + b'"', signer=Signer(*key))
        server.stop()
        secrets = [key[1], bearer, session["SecretAccessKey"], session["SessionToken"]]
        yield server, secrets
    finally:
        server.remove()


def test_the_log_shows_no_secret_and_no_prompt(used):
    server, secrets = used
    log = server.log_path.read_text(errors="replace")
    assert "llama-cpp-2" in log, "what is silent by default speaks at this level; else this proves nothing"
    for hidden in [*secrets, NOT_A_KEY, PROMPT]:
        assert hidden not in log, [line[:200] for line in log.splitlines() if hidden in line][:3]


def test_nothing_in_the_data_folder_shows_a_secret_or_a_prompt(used):
    server, secrets = used
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert any(path.name == "outcrop.db" for path in files)
    for path in files:
        content = path.read_bytes()
        for hidden in [*secrets, PROMPT]:
            assert hidden.encode() not in content, path
            assert base64.b64encode(hidden.encode()) not in content, path


def test_files_of_the_data_folder_are_for_their_owner_alone(used):
    server, _ = used
    for path in server.data.rglob("*"):
        if path.name in ("master.keys", "control.sock") or path.suffix in (".key",):
            assert path.stat().st_mode & 0o077 == 0, path

"""Keys of `outcrop serve`, made by the command that makes them."""

import contextlib
import json
import re

from support.server import Server, outcrop


def access_key(data, account="123456789012", user=None):
    """(access key id, secret) of a new key."""
    user = ["--user", user] if user else []
    done = outcrop("keys", "create", "--data", str(data), "--account", account, *user, "--json")
    assert done.returncode == 0, done.stderr
    made = {name.lower().replace("_", ""): value for name, value in json.loads(done.stdout).items()}
    return made["accesskeyid"], made["secretaccesskey"]


def api_key(data, account="123456789012", *options):
    """A long-term Bedrock API key."""
    done = outcrop("keys", "create", "--data", str(data), "--account", account, "--api-key", *options)
    assert done.returncode == 0, done.stderr
    found = re.search(r"\bABSK[A-Za-z0-9+/=]+", done.stdout)
    assert found, done.stdout
    return found[0]


@contextlib.contextmanager
def guarded_server(account="123456789012", user=None):
    """A `serve` that knows one access key and one long-term API key, left in `key` and `api_key`."""
    server = Server("serve")
    try:
        server.key = access_key(server.data, account, user)
        server.api_key = api_key(server.data, account)
        with server:
            yield server
    finally:
        server.remove()

"""An OpenID Connect issuer on loopback, with the misbehaviours that one may have."""

import base64
import contextlib
import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "sts.amazonaws.com"


def coded(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, kid):
        self.kid = kid
        self.private = rsa.generate_private_key(65537, 2048)

    @property
    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": coded(numbers.n.to_bytes(256, "big")),
            "e": coded(numbers.e.to_bytes(3, "big")),
        }

    def sign(self, claims, **header):
        signed = coded({"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}) + "." + coded(claims)
        return signed + "." + coded(self.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))


class Issuer:
    """`answer` may be replaced: a function from a path to (status, headers, body), or an exception to hang up on."""

    def __init__(self):
        self.key = Key("first")
        self.keys = [self.key]
        self.asked = []
        self.answer = self.well
        self.release = threading.Event()
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                status, headers, body = issuer.answer(self.path)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {"content-length": str(len(body)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.name = self.url.removeprefix("http://")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def well(self, path):
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.url + "/keys"},
            "/keys": {"keys": [key.jwk for key in self.keys]},
        }
        if path not in documents:
            return 404, {}, b""
        return 200, {"content-type": "application/json"}, json.dumps(documents[path]).encode()

    def never(self, path):
        """Takes the call and does not answer while the test runs."""
        self.release.wait(60)
        return 500, {}, b""

    def claims(self, **changed):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "repo:acme/app:ref:main", "aud": AUDIENCE, "iat": now, "exp": now + 600}
        claims |= {"team": "search", **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changed):
        return self.key.sign(self.claims(**changed))

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

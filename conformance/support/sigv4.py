"""AWS Signature Version 4 written out, so that tests can sign what no client would: wrong, late, presigned, `:authority`."""

import dataclasses
import datetime
import hashlib
import hmac
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclasses.dataclass
class Signer:
    key: str = "test"
    secret: str = "test"
    token: str | None = None
    region: str = "us-east-1"
    service: str = "bedrock"
    offset: datetime.timedelta = datetime.timedelta()

    def _now(self):
        return datetime.datetime.now(datetime.timezone.utc) + self.offset

    def _scope(self, stamp):
        return f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"

    def _signature(self, stamp, method, path, query, headers, body_hash):
        """`path` as it goes over the wire: everything but S3 encodes it once more."""
        names = sorted(headers)
        canonical = "\n".join(
            [
                method,
                quote(path, safe="/-_.~"),
                "&".join(sorted(query)),
                "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names),
                ";".join(names),
                body_hash,
            ]
        )
        to_sign = "\n".join([ALGORITHM, stamp, self._scope(stamp), hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in self._scope(stamp).split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()

    def headers(self, method, target, host, body=b"", extra=None, authority=False, send_hash=False):
        """The headers to send with a request for `target` (raw path, optional query)."""
        path, _, query = target.partition("?")
        stamp = self._now().strftime("%Y%m%dT%H%M%SZ")
        sent = {"x-amz-date": stamp, **{name.lower(): value for name, value in (extra or {}).items()}}
        if self.token:
            sent["x-amz-security-token"] = self.token
        body_hash = hashlib.sha256(body).hexdigest()
        if send_hash:
            sent["x-amz-content-sha256"] = body_hash
        signed = {**sent, (":authority" if authority else "host"): host}
        signature = self._signature(stamp, method, path, query.split("&") if query else [], signed, body_hash)
        sent["authorization"] = (
            f"{ALGORITHM} Credential={self.key}/{self._scope(stamp)}, "
            f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
        )
        return sent

    def presigned(self, method, target, host, body=b"", expires=300):
        """The target of a presigned request: the signature travels in the query."""
        path, _, given = target.partition("?")
        stamp = self._now().strftime("%Y%m%dT%H%M%SZ")
        query = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.key}/{self._scope(stamp)}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": "host",
        }
        if self.token:
            query["X-Amz-Security-Token"] = self.token
        pairs = [*(given.split("&") if given else ()), *(f"{name}={quote(value, safe='-_.~')}" for name, value in query.items())]
        body_hash = hashlib.sha256(body).hexdigest()
        signature = self._signature(stamp, method, path, pairs, {"host": host}, body_hash)
        return f"{path}?{'&'.join(pairs)}&X-Amz-Signature={signature}"

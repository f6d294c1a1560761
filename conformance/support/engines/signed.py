"""Who may ask an engine of AWS: whoever signs as botocore would, with the credentials that it is told."""

import datetime
import hashlib
import hmac

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from served import Refused


def admit(service, region, key, secret, token):
    auth = SigV4Auth(Credentials(key, secret, token), service, region)

    def proven(method, path, headers, body):
        scheme, _, parts = headers.get("authorization", "").partition(" ")
        if scheme != "AWS4-HMAC-SHA256":
            raise Refused(403, "Missing Authentication Token")
        given = dict(part.strip().split("=", 1) for part in parts.split(","))
        names = given["SignedHeaders"].split(";")
        needed = {"host", "x-amz-date", "x-amz-security-token"}
        if body:
            needed.add("content-type")
        # As its guide has it: with the body's hash, and without its length.
        if service == "aoss":
            needed.add("x-amz-content-sha256")
            if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest() or "content-length" in names:
                raise Refused(403, "403 Forbidden")
        if missing := needed - set(names):
            raise Refused(403, f"not signed: {sorted(missing)}")
        request = AWSRequest(method, f"http://{headers['host']}{path}", {name: headers[name] for name in names}, body)
        request.context["timestamp"] = date = headers["x-amz-date"]
        auth.timestamp = date
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        now, at = datetime.datetime.now(datetime.UTC), datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z")
        right = (
            given["Credential"] == auth.scope(request)
            and hmac.compare_digest(signature, given["Signature"])
            and abs(now - at) < datetime.timedelta(minutes=5)
            and headers["x-amz-security-token"] == token
        )
        if not right:
            text = f"The request signature we calculated does not match. It has the token {token}."
            raise Refused(403, text)

    return proven

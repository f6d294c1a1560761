"""OpenAI's own client of a server, and the shape of its door's refusals."""

import base64

import pytest
from openai import OpenAI

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()


def of(url, prefix="/v1", key="anything", **kwargs):
    return OpenAI(base_url=url + prefix, api_key=key, max_retries=0, timeout=120, **kwargs)


def refused(call, kind, param=None, code=None):
    """The message with which a call is refused, its shape judged."""
    with pytest.raises(kind) as error:
        call()
    body = error.value.body
    assert set(body) == {"message", "type", "param", "code"}, body
    assert body["param"] == param and (code is None or body["code"] == code), body
    assert error.value.response.headers["x-amzn-errortype"].endswith("Exception")
    return body["message"]

"""Which role a knowledge base gets, asked of `outcrop serve`: who may pass it, and whom it trusts."""

import pytest

from support.clients import raises
from support.identity import ACCOUNT, allow, arn, client_of, policy, toml, trust
from support.keys import access_key
from support.knowledge import base, clean, given
from support.server import Server

BEDROCK = {"Service": "bedrock.amazonaws.com"}
PASSES = policy(
    allow("bedrock:*"),
    allow("iam:PassRole", [arn("kb-*")]),
    {"Effect": "Deny", "Action": "iam:PassRole", "Resource": arn("kb-admin")},
)
ROLES = {"kb-plain": trust(BEDROCK), "kb-admin": trust(BEDROCK), "other": trust(BEDROCK)}
CONFIG = toml(
    access__policies__passes={"json": PASSES},
    access__policies__models={"json": policy(allow("bedrock:InvokeModel"))},
    access__users=[{"account": ACCOUNT, "name": "maker", "policies": ["passes"]}],
    access__roles=[
        {"account": ACCOUNT, "name": name, "trust": document, "policies": ["models"]} for name, document in ROLES.items()
    ],
)


@pytest.fixture(scope="module")
def served():
    server = Server("serve", config=CONFIG)
    try:
        key = access_key(server.data, ACCOUNT, "maker")
        with server:
            yield client_of(server.url, "bedrock-agent", key)
    finally:
        server.remove()


@pytest.fixture
def agent(served):
    yield served
    clean(served)


def test_who_may_pass_some_roles_reaches_no_other_by_a_path(agent):
    assert base(agent, ACCOUNT, roleArn=arn("kb-plain"))
    denied = {"code": "AccessDeniedException", "text": "iam:PassRole", "status": 403}
    raises(lambda: base(agent, ACCOUNT, "b", roleArn=arn("other")), **denied)
    raises(lambda: base(agent, ACCOUNT, "b", roleArn=arn("kb-admin")), **denied)
    # A policy's `role/kb-*` matches all of these; the role at the end of the path is none that it means.
    for path in ("kb-x/other", "kb-x/kb-admin", "kb-plain/../other"):
        asked = given(ACCOUNT, "b", roleArn=arn(path))
        raises(lambda asked=asked: agent.create_knowledge_base(**asked), "ValidationException")
    assert len(agent.list_knowledge_bases()["knowledgeBaseSummaries"]) == 1

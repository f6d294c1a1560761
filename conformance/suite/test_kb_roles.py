"""Which role a knowledge base gets, asked of `outcrop serve`: who may pass it, and whom it trusts."""

import pytest

from support.clients import raises
from support.identity import ACCOUNT, allow, arn, client_of, policy, toml, trust
from support.keys import access_key
from support.knowledge import CUSTOM, base, clean, given, source, statuses, text
from support.server import Server
from support.waiting import until

BEDROCK = {"Service": "bedrock.amazonaws.com"}
PASSES = policy(
    allow("bedrock:*"),
    allow("iam:PassRole", [arn("kb-*")]),
    {"Effect": "Deny", "Action": "iam:PassRole", "Resource": arn("kb-admin")},
)
# What the guide of Bedrock gives the roles of knowledge bases.
BOUND = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/*"},
}
OTHERS = {"ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent/*"}}
ROLES = {
    "kb-plain": trust(BEDROCK), "kb-admin": trust(BEDROCK), "other": trust(BEDROCK),
    "kb-bound": trust(BEDROCK, condition=BOUND), "kb-agents": trust(BEDROCK, condition=OTHERS),
}  # fmt: skip
CONFIG = toml(
    stand_ins={"mode": "on"},
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


def test_a_trust_policy_may_ask_whose_role_it_is(agent):
    asked = given(ACCOUNT, "docs", roleArn=arn("kb-bound"), clientToken="t" * 40)
    kb, again = (agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"] for _ in range(2))
    assert kb == again
    renamed = given(ACCOUNT, "renamed", roleArn=arn("kb-bound"))
    assert agent.update_knowledge_base(knowledgeBaseId=kb, **renamed)["knowledgeBase"]["name"] == "renamed"
    ds = source(agent, kb, configuration=CUSTOM)
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[text("a", "The pump is blue.")])
    until(lambda: statuses(agent, kb, ds) == {"a": "INDEXED"}, 60, "the document is indexed by the role")
    for call in (
        lambda: base(agent, ACCOUNT, "b", roleArn=arn("kb-agents")),
        lambda: agent.update_knowledge_base(knowledgeBaseId=kb, **{**renamed, "roleArn": arn("kb-agents")}),
    ):
        raises(call, "ValidationException", "unable to assume the given role")

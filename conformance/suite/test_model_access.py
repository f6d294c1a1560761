"""Model access: offers, agreements, the use-case form, and what they open."""

import pytest

from support.ask import HAIKU, PROFILE, converse
from support.clients import CliError, cli, client, raises

NOVA = "amazon.nova-micro-v1:0"
NOVA_PROFILE = "us.amazon.nova-micro-v1:0"
OPEN_ACCOUNT = "111100002222"
NO_ACCESS = "You don't have access to the model with the specified model ID."
NO_FORM = "Model use case details have not been submitted for this account."
FORM = b'{"companyName":"Example","intendedUsers":"1","industryOption":"Education","useCases":"tests"}'
CONFIG = f"""
[catalogue]
model_access = "explicit"
[catalogue.model_access_by_account]
"{OPEN_ACCOUNT}" = "open"
"""


@pytest.fixture(scope="module")
def explicit():
    from support.server import Server

    with Server(config=CONFIG) as running:
        yield running


def clients(server, account):
    return client(server.url, "bedrock", account=account), client(server.url, "bedrock-runtime", account=account)


def token(bedrock, model):
    (offer,) = bedrock.list_foundation_model_agreement_offers(modelId=model)["offers"]
    return offer["offerToken"]


def agree(bedrock, model):
    made = bedrock.create_foundation_model_agreement(modelId=model, offerToken=token(bedrock, model))
    assert made["modelId"] == model


def availability(bedrock, model):
    told = bedrock.get_foundation_model_availability(modelId=model)
    return told["agreementAvailability"]["status"], told["authorizationStatus"], told["entitlementAvailability"]


def test_every_model_is_open_by_default(server):
    bedrock, runtime = clients(server, "222200003333")
    assert availability(bedrock, HAIKU) == ("AVAILABLE", "AUTHORIZED", "AVAILABLE")
    assert converse(runtime, model=HAIKU, tokens=1)["usage"]["outputTokens"] == 1


def test_under_explicit_a_model_needs_an_agreement(explicit):
    bedrock, runtime = clients(explicit, "333300004444")
    ask = lambda: converse(runtime, model=NOVA, tokens=1)
    raises(ask, "AccessDeniedException", NO_ACCESS, status=403)
    assert availability(bedrock, NOVA) == ("NOT_AVAILABLE", "AUTHORIZED", "NOT_AVAILABLE")
    agree(bedrock, NOVA)
    assert availability(bedrock, NOVA) == ("AVAILABLE", "AUTHORIZED", "AVAILABLE")
    for model in (NOVA, NOVA_PROFILE):
        assert converse(runtime, model=model, tokens=1)["usage"]["outputTokens"] == 1
    raises(lambda: agree(bedrock, NOVA), "ConflictException")
    bedrock.delete_foundation_model_agreement(modelId=NOVA)
    raises(ask, "AccessDeniedException", NO_ACCESS, status=403)
    raises(lambda: bedrock.delete_foundation_model_agreement(modelId=NOVA), "ResourceNotFoundException", status=404)


def test_an_agreement_is_one_accounts_in_all_regions(explicit):
    bedrock, _ = clients(explicit, "444400005555")
    agree(bedrock, NOVA)
    elsewhere = client(explicit.url, "bedrock-runtime", account="444400005555", region="us-west-2")
    assert converse(elsewhere, model=NOVA, tokens=1)["usage"]["outputTokens"] == 1
    _, others = clients(explicit, "444400005556")
    raises(lambda: converse(others, model=NOVA, tokens=1), "AccessDeniedException", NO_ACCESS, status=403)


def test_some_accounts_are_open_all_the_same(explicit):
    bedrock, runtime = clients(explicit, OPEN_ACCOUNT)
    assert converse(runtime, model=HAIKU, tokens=1)["usage"]["outputTokens"] == 1
    assert availability(bedrock, HAIKU) == ("AVAILABLE", "AUTHORIZED", "AVAILABLE")


def test_local_models_need_no_agreement(explicit):
    bedrock, runtime = clients(explicit, "555500006666")
    local = bedrock.list_foundation_models(byProvider="Outcrop", byOutputModality="TEXT")["modelSummaries"][0]["modelId"]
    assert converse(runtime, model=local, tokens=1)["usage"]["outputTokens"] == 1
    raises(lambda: bedrock.list_foundation_model_agreement_offers(modelId=local), "ValidationException")


def test_anthropic_asks_for_the_form_first(explicit):
    bedrock, runtime = clients(explicit, "666600007777")
    for model in (HAIKU, PROFILE):
        said = raises(lambda: converse(runtime, model=model, tokens=1), "ResourceNotFoundException", status=404)
        assert said.startswith(NO_FORM), said
    raises(lambda: agree(bedrock, HAIKU), "ResourceNotFoundException", status=404)
    assert availability(bedrock, HAIKU)[1] == "NOT_AUTHORIZED"
    raises(bedrock.get_use_case_for_model_access, "ResourceNotFoundException", status=404)
    bedrock.put_use_case_for_model_access(formData=FORM)
    assert bedrock.get_use_case_for_model_access()["formData"] == FORM
    raises(lambda: converse(runtime, model=HAIKU, tokens=1), "AccessDeniedException", NO_ACCESS, status=403)
    agree(bedrock, HAIKU)
    assert converse(runtime, model=HAIKU, tokens=1)["usage"]["outputTokens"] == 1


def test_an_offer_says_the_price_and_whose_terms_hold(bedrock):
    for kind in ({}, {"offerType": "ALL"}, {"offerType": "PUBLIC"}):
        (offer,) = bedrock.list_foundation_model_agreement_offers(modelId=NOVA, **kind)["offers"]
        terms = offer["termDetails"]
        rates = {rate["dimension"]: rate for rate in terms["usageBasedPricingTerm"]["rateCard"]}
        assert float(rates["InputTokenCount"]["price"]) > 0 and rates["InputTokenCount"]["unit"] == "1,000,000 tokens"
        assert "operator" in terms["supportTerm"]["refundPolicyDescription"]
    raises(
        lambda: bedrock.list_foundation_model_agreement_offers(modelId="anthropic.no-such-model-v9:0"),
        "ResourceNotFoundException",
        status=404,
    )


def test_a_token_is_one_accounts_and_models(server):
    (one, _), (other, _) = clients(server, "777700008888"), clients(server, "777700009999")
    assert token(one, NOVA) == token(one, NOVA)
    for wrong in (token(other, NOVA), token(one, HAIKU), "made-up"):
        create = lambda: one.create_foundation_model_agreement(modelId=NOVA, offerToken=wrong)
        raises(create, "ValidationException")


def test_what_was_agreed_outlives_the_server(fresh):
    server = fresh(config=CONFIG).start()
    bedrock, _ = clients(server, "888800009999")
    agree(bedrock, NOVA)
    bedrock.put_use_case_for_model_access(formData=FORM)
    server.kill()
    server.start()
    bedrock, runtime = clients(server, "888800009999")
    assert converse(runtime, model=NOVA, tokens=1)["usage"]["outputTokens"] == 1
    assert bedrock.get_use_case_for_model_access()["formData"] == FORM


def test_through_the_aws_cli(explicit):
    run = lambda *args: cli(explicit.url, "bedrock", *args)
    offers = run("list-foundation-model-agreement-offers", "--model-id", NOVA, "--offer-type", "PUBLIC")["offers"]
    made = run(
        "create-foundation-model-agreement", "--model-id", NOVA, "--offer-token", offers[0]["offerToken"]
    )  # fmt: skip
    assert made == {"modelId": NOVA}
    told = run("get-foundation-model-availability", "--model-id", NOVA)
    assert told["entitlementAvailability"] == "AVAILABLE"
    run("delete-foundation-model-agreement", "--model-id", NOVA)
    with pytest.raises(CliError, match="ResourceNotFoundException"):
        run("delete-foundation-model-agreement", "--model-id", NOVA)

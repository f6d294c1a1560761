"""Recipes of the catalogue, inference profiles, prompt routers, provisioned throughput and access agreements."""

import base64
import uuid

from probes.happy.common import call, same
from support.ask import HAIKU, HAIKU_ARN


def list_models(connection):
    def check(answer):
        meta = call(connection, "bedrock", "ListFoundationModels", {"byProvider": "meta"}).json["modelSummaries"]
        assert 0 < len(meta) < len(answer.json["modelSummaries"]), len(meta)
        assert {model["providerName"].lower() for model in meta} == {"meta"}

    return {}, check


def get_model(_):
    def check(answer):
        assert answer.json["modelDetails"]["modelArn"] == HAIKU_ARN, answer.json

    return {"modelIdentifier": HAIKU}, check


def availability(_):
    def check(answer):
        assert answer.json["modelId"] == HAIKU, answer.json

    return {"modelId": HAIKU}, check


def new_profile(connection=None):
    members = {"inferenceProfileName": f"probe-{uuid.uuid4().hex[:12]}", "modelSource": {"copyFrom": HAIKU_ARN}}

    def check(answer):
        arn = answer.json["inferenceProfileArn"]
        got = call(connection, "bedrock", "GetInferenceProfile", {"inferenceProfileIdentifier": arn}).json
        assert (got["inferenceProfileArn"], got["inferenceProfileName"]) == (arn, members["inferenceProfileName"]), got

    return members, check


def profile(connection):
    """The ARN of a new inference profile."""
    answer = call(connection, "bedrock", "CreateInferenceProfile", new_profile()[0])
    assert answer.status == 201, answer.body
    return answer.json["inferenceProfileArn"]


def get_profile(connection):
    # Made first, so that an answer about the last thing asked for is about another.
    arn, other = profile(connection), profile(connection)

    def check(answer):
        assert answer.json["inferenceProfileArn"] == arn, answer.json
        again = call(connection, "bedrock", "GetInferenceProfile", {"inferenceProfileIdentifier": other})
        assert again.json["inferenceProfileArn"] == other, again.json

    return {"inferenceProfileIdentifier": arn}, check


def list_profiles(connection):
    def check(answer):
        arn = profile(connection)
        own = call(connection, "bedrock", "ListInferenceProfiles", {"typeEquals": "APPLICATION"}).json
        assert arn in [one["inferenceProfileArn"] for one in own["inferenceProfileSummaries"]], own

    return {}, check


def delete_profile(connection):
    members = {"inferenceProfileIdentifier": profile(connection)}

    def check(_):
        assert call(connection, "bedrock", "GetInferenceProfile", members).status == 404

    return members, check


SONNET_ARN = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0"


def new_router(connection=None):
    members = {
        "promptRouterName": f"probe-{uuid.uuid4().hex[:12]}",
        "models": [{"modelArn": HAIKU_ARN}, {"modelArn": SONNET_ARN}],
        "fallbackModel": {"modelArn": SONNET_ARN},
        "routingCriteria": {"responseQualityDifference": 10},
    }

    def check(answer):
        arn = answer.json["promptRouterArn"]
        got = call(connection, "bedrock", "GetPromptRouter", {"promptRouterArn": arn}).json
        assert {**got, **members} == got and got["promptRouterArn"] == arn, got

    return members, check


def router(connection):
    """The ARN of a new prompt router."""
    answer = call(connection, "bedrock", "CreatePromptRouter", new_router()[0])
    assert answer.status == 200, answer.body
    return answer.json["promptRouterArn"]


def get_router(connection):
    # Made first, so that an answer about the last thing asked for is about another.
    arn, other = router(connection), router(connection)

    def check(answer):
        assert answer.json["promptRouterArn"] == arn, answer.json
        again = call(connection, "bedrock", "GetPromptRouter", {"promptRouterArn": other})
        assert again.json["promptRouterArn"] == other, again.json

    return {"promptRouterArn": arn}, check


def list_routers(connection):
    def check(answer):
        arn = router(connection)
        own = call(connection, "bedrock", "ListPromptRouters", {"type": "custom"}).json
        assert arn in [one["promptRouterArn"] for one in own["promptRouterSummaries"]], own

    return {}, check


def delete_router(connection):
    members = {"promptRouterArn": router(connection)}

    def check(_):
        assert call(connection, "bedrock", "GetPromptRouter", members).status == 404

    return members, check


WINDOW = HAIKU + ":200k"
MICRO = "amazon.nova-micro-v1:0"


def new_throughput(connection):
    """One model unit; what earlier calls have reserved is given back first, for a server sells so many only."""
    for one in call(connection, "bedrock", "ListProvisionedModelThroughputs", {}).json["provisionedModelSummaries"]:
        call(connection, "bedrock", "DeleteProvisionedModelThroughput", {"provisionedModelId": one["provisionedModelArn"]})
    members = {"provisionedModelName": f"probe-{uuid.uuid4().hex[:12]}", "modelId": WINDOW, "modelUnits": 1}

    def check(answer):
        got = throughput_of(connection, answer.json["provisionedModelArn"]).json
        assert (got["provisionedModelName"], got["modelUnits"]) == (members["provisionedModelName"], 1), got

    return members, check


def throughput_of(connection, identifier):
    return call(connection, "bedrock", "GetProvisionedModelThroughput", {"provisionedModelId": identifier})


def throughput(connection):
    """The ARN of newly provisioned throughput."""
    answer = call(connection, "bedrock", "CreateProvisionedModelThroughput", new_throughput(connection)[0])
    assert answer.status == 201, answer.body
    return answer.json["provisionedModelArn"]


def get_throughput(connection):
    arn = throughput(connection)
    return {"provisionedModelId": arn}, lambda answer: same(answer.json["provisionedModelArn"], arn)


def list_throughputs(connection):
    arn = throughput(connection)

    def check(answer):
        assert arn in [one["provisionedModelArn"] for one in answer.json["provisionedModelSummaries"]], answer.json

    return {}, check


def update_throughput(connection):
    arn, name = throughput(connection), f"probe-{uuid.uuid4().hex[:12]}"

    def check(_):
        same(throughput_of(connection, arn).json["provisionedModelName"], name)

    return {"provisionedModelId": arn, "desiredProvisionedModelName": name}, check


def delete_throughput(connection):
    arn = throughput(connection)
    return {"provisionedModelId": arn}, lambda _: same(throughput_of(connection, arn).status, 404)


def offer(connection):
    answer = call(connection, "bedrock", "ListFoundationModelAgreementOffers", {"modelId": MICRO})
    return answer.json["offers"][0]["offerToken"]


def list_offers(connection):
    return {"modelId": MICRO}, lambda answer: same(answer.json["offers"][0]["offerToken"], offer(connection))


def agree(connection):
    end = {"modelId": MICRO}
    call(connection, "bedrock", "DeleteFoundationModelAgreement", end)

    def check(_):
        # It is there: it can be ended once.
        statuses = [call(connection, "bedrock", "DeleteFoundationModelAgreement", end).status for _ in "ab"]
        same(statuses, [202, 404])

    return {"modelId": MICRO, "offerToken": offer(connection)}, check


def end_agreement(connection):
    call(connection, "bedrock", "CreateFoundationModelAgreement", {"modelId": MICRO, "offerToken": offer(connection)})

    def check(_):
        same(call(connection, "bedrock", "DeleteFoundationModelAgreement", {"modelId": MICRO}).status, 404)

    return {"modelId": MICRO}, check


def put_form(connection):
    form = base64.b64encode(uuid.uuid4().hex.encode()).decode()

    def check(_):
        same(call(connection, "bedrock", "GetUseCaseForModelAccess", {}).json["formData"], form)

    return {"formData": form}, check


def get_form(connection):
    members = put_form(connection)[0]
    call(connection, "bedrock", "PutUseCaseForModelAccess", members)
    return {}, lambda answer: same(answer.json["formData"], members["formData"])


RECIPES = {
    "bedrock:ListFoundationModels": list_models,
    "bedrock:GetFoundationModel": get_model,
    "bedrock:GetFoundationModelAvailability": availability,
    "bedrock:CreateInferenceProfile": new_profile,
    "bedrock:GetInferenceProfile": get_profile,
    "bedrock:ListInferenceProfiles": list_profiles,
    "bedrock:DeleteInferenceProfile": delete_profile,
    "bedrock:CreatePromptRouter": new_router,
    "bedrock:GetPromptRouter": get_router,
    "bedrock:ListPromptRouters": list_routers,
    "bedrock:DeletePromptRouter": delete_router,
    "bedrock:CreateProvisionedModelThroughput": new_throughput,
    "bedrock:GetProvisionedModelThroughput": get_throughput,
    "bedrock:ListProvisionedModelThroughputs": list_throughputs,
    "bedrock:UpdateProvisionedModelThroughput": update_throughput,
    "bedrock:DeleteProvisionedModelThroughput": delete_throughput,
    "bedrock:ListFoundationModelAgreementOffers": list_offers,
    "bedrock:CreateFoundationModelAgreement": agree,
    "bedrock:DeleteFoundationModelAgreement": end_agreement,
    "bedrock:PutUseCaseForModelAccess": put_form,
    "bedrock:GetUseCaseForModelAccess": get_form,
}

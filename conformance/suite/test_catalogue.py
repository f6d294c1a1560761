"""The catalogue: ListFoundationModels, GetFoundationModel, GetFoundationModelAvailability."""

import pytest

from support.ask import COHERE_EMBED, HAIKU, HAIKU_ARN, LLAMA, TITAN_EMBED, TITAN_TEXT, UNKNOWN
from support.clients import client, raises


def listed(bedrock, **filters):
    return bedrock.list_foundation_models(**filters)["modelSummaries"]


def test_the_models_of_published_samples_are_there(bedrock):
    ids = {model["modelId"] for model in listed(bedrock)}
    assert {HAIKU, LLAMA, TITAN_TEXT, TITAN_EMBED, COHERE_EMBED, "amazon.nova-micro-v1:0"} <= ids
    assert len(ids) > 40
    assert {"Anthropic", "Meta", "Amazon", "Cohere", "Mistral AI"} <= {m["providerName"] for m in listed(bedrock)}


def test_local_models_stand_beside_them(bedrock):
    local = [model for model in listed(bedrock) if model["modelId"].startswith("outcrop.")]
    assert {"TEXT", "EMBEDDING"} <= {kind for model in local for kind in model["outputModalities"]}, local


def test_ids_are_unique_and_arns_name_the_region(bedrock, server):
    models = listed(bedrock)
    assert len({model["modelId"] for model in models}) == len(models)
    for model in models:
        assert model["modelArn"] == f"arn:aws:bedrock:us-east-1::foundation-model/{model['modelId']}"
    elsewhere = listed(client(server.url, "bedrock", region="eu-west-1"))
    assert elsewhere and all(model["modelArn"].startswith("arn:aws:bedrock:eu-west-1::") for model in elsewhere)


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"byProvider": "anthropic"}, lambda m: m["providerName"] == "Anthropic"),
        ({"byProvider": "Meta"}, lambda m: m["providerName"] == "Meta"),
        ({"byOutputModality": "EMBEDDING"}, lambda m: "EMBEDDING" in m["outputModalities"]),
        ({"byOutputModality": "TEXT"}, lambda m: "TEXT" in m["outputModalities"]),
        ({"byInferenceType": "ON_DEMAND"}, lambda m: "ON_DEMAND" in m["inferenceTypesSupported"]),
        ({"byInferenceType": "PROVISIONED"}, lambda m: "PROVISIONED" in m["inferenceTypesSupported"]),
        ({"byCustomizationType": "FINE_TUNING"}, lambda m: "FINE_TUNING" in m["customizationsSupported"]),
    ],
)
def test_a_filter_keeps_exactly_what_fits(bedrock, filters, holds):
    kept = listed(bedrock, **filters)
    assert [m["modelId"] for m in kept] == [m["modelId"] for m in listed(bedrock) if holds(m)]
    assert kept


def test_filters_add_up(bedrock):
    kept = listed(bedrock, byProvider="cohere", byOutputModality="EMBEDDING")
    assert COHERE_EMBED in {model["modelId"] for model in kept}
    assert all(model["providerName"] == "Cohere" and "EMBEDDING" in model["outputModalities"] for model in kept)
    assert listed(bedrock, byProvider="nobody") == []


def test_an_unknown_enum_value_is_refused(bedrock):
    raises(
        lambda: listed(bedrock, byOutputModality="SMELL"), "ValidationException", "Member must satisfy enum value set"
    )


def test_details_agree_with_the_list(bedrock):
    for model in (HAIKU, TITAN_EMBED, LLAMA):
        summary = next(one for one in listed(bedrock) if one["modelId"] == model)
        assert bedrock.get_foundation_model(modelIdentifier=model)["modelDetails"] == summary
    assert bedrock.get_foundation_model(modelIdentifier=HAIKU_ARN)["modelDetails"]["modelId"] == HAIKU


def test_what_a_model_can_is_told_truly(bedrock):
    haiku = bedrock.get_foundation_model(modelIdentifier=HAIKU)["modelDetails"]
    assert haiku["responseStreamingSupported"] is True
    assert "TEXT" in haiku["inputModalities"] and haiku["outputModalities"] == ["TEXT"]
    embed = bedrock.get_foundation_model(modelIdentifier=TITAN_EMBED)["modelDetails"]
    assert embed["outputModalities"] == ["EMBEDDING"]


def test_a_model_sold_through_profiles_only_says_so(bedrock):
    sonnet = bedrock.get_foundation_model(modelIdentifier="anthropic.claude-sonnet-4-20250514-v1:0")["modelDetails"]
    assert "ON_DEMAND" not in sonnet["inferenceTypesSupported"]


def test_an_unknown_model(bedrock):
    for call in (
        lambda: bedrock.get_foundation_model(modelIdentifier=UNKNOWN),
        lambda: bedrock.get_foundation_model_availability(modelId=UNKNOWN),
    ):
        with pytest.raises(bedrock.exceptions.ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] in ("ValidationException", "ResourceNotFoundException")


def test_availability(bedrock):
    answer = bedrock.get_foundation_model_availability(modelId=HAIKU)
    assert answer["modelId"] == HAIKU
    assert answer["authorizationStatus"] == "AUTHORIZED"
    assert answer["entitlementAvailability"] == "AVAILABLE"
    assert answer["agreementAvailability"]["status"] in ("AVAILABLE", "NOT_AVAILABLE", "PENDING", "ERROR")

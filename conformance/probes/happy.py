"""For each built operation one call that must succeed, and what it must have done. What gets built gets one here."""

import base64
import json
import uuid

import boto3
from botocore.eventstream import EventStreamBuffer

from probes import retrieval
from support import contract
from support.ask import HAIKU, HAIKU_ARN, LOGS, TITAN_TEXT, user

TITAN = {"inputText": "Name three rivers.", "textGenerationConfig": {"maxTokenCount": 1}}
ASKED = {"modelId": HAIKU, "messages": [user("Name three rivers.")], "inferenceConfig": {"maxTokens": 1}}
INVOKED = {"modelId": TITAN_TEXT, "body": base64.b64encode(json.dumps(TITAN).encode()).decode()}


def make(connection, service, operation):
    """(members, check) of a call that must succeed; `check(answer)` asserts what it did. None where there is no recipe."""
    recipe = RECIPES.get(f"{service}:{operation}")
    return recipe(connection) if recipe else None


def call(connection, service, name, members):
    """Calls an operation that is judged by its own probes, and returns its answer."""
    return connection.call(service, contract.service_model(service).operation_model(name), members)[1]


def converse(_):
    def check(answer):
        assert answer.json["output"]["message"]["role"] == "assistant" and answer.json["usage"]["outputTokens"] == 1

    return ASKED, check


def converse_stream(_):
    def check(answer):
        names = [headers[":event-type"] for headers, _ in events(answer)]
        assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"], names

    return ASKED, check


def invoke(_):
    def check(answer):
        assert answer.json["results"][0]["tokenCount"] == 1, answer.json

    return INVOKED, check


def invoke_stream(_):
    def check(answer):
        chunks = [json.loads(base64.b64decode(json.loads(payload)["bytes"])) for _, payload in events(answer)]
        assert chunks[-1]["completionReason"], chunks

    return INVOKED, check


def count_tokens(connection):
    def counted(text):
        return {"modelId": HAIKU, "input": {"converse": {"messages": [user(text)]}}}

    def check(answer):
        more = call(connection, "bedrock-runtime", "CountTokens", counted("Name three rivers. " * 20))
        assert more.json["inputTokens"] > answer.json["inputTokens"] > 0, (more.json, answer.json)

    return counted("Name three rivers."), check


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


def get_retention(connection):
    call(connection, "bedrock", "PutAccountDataRetention", {"mode": "aws_review"})
    return {}, lambda answer: same(answer.json["mode"], "aws_review")


def put_retention(connection):
    def check(_):
        same(call(connection, "bedrock", "GetAccountDataRetention", {}).json["mode"], "provider_data_share")

    return {"mode": "provider_data_share"}, check


def logged(connection):
    """A logging configuration that the test server has a folder for."""
    config = {"s3Config": {"bucketName": LOGS, "keyPrefix": "probes"}, "textDataDeliveryEnabled": True}
    call(connection, "bedrock", "PutModelInvocationLoggingConfiguration", {"loggingConfig": config})
    return config


def logging_of(connection):
    return call(connection, "bedrock", "GetModelInvocationLoggingConfiguration", {}).json


def put_logging(connection):
    config = {"s3Config": {"bucketName": LOGS}, "imageDataDeliveryEnabled": False}
    return {"loggingConfig": config}, lambda _: same(logging_of(connection)["loggingConfig"], config)


def get_logging(connection):
    config = logged(connection)
    return {}, lambda answer: same(answer.json["loggingConfig"], config)


def delete_logging(connection):
    logged(connection)
    return {}, lambda _: same(logging_of(connection), {})


def tags_of(connection, arn):
    tags = call(connection, "bedrock", "ListTagsForResource", {"resourceARN": arn}).json["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def list_tags(connection):
    arn = profile(connection)

    def check(answer):
        assert answer.json["tags"] == [], answer.json
        call(connection, "bedrock", "TagResource", {"resourceARN": arn, "tags": [{"key": "a", "value": "b"}]})
        assert tags_of(connection, arn) == {"a": "b"}

    return {"resourceARN": arn}, check


def tag(connection):
    arn = profile(connection)
    return {"resourceARN": arn, "tags": [{"key": "a", "value": "b"}]}, lambda _: same(tags_of(connection, arn), {"a": "b"})


def untag(connection):
    arn = profile(connection)
    call(connection, "bedrock", "TagResource", {"resourceARN": arn, "tags": [{"key": k, "value": "b"} for k in "ac"]})
    return {"resourceARN": arn, "tagKeys": ["a"]}, lambda _: same(tags_of(connection, arn), {"c": "b"})


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
            "Action": "bedrock:GetInferenceProfile",
            "Resource": "*",
        },
    }
)


def policy_of(connection, arn):
    answer = call(connection, "bedrock", "GetResourcePolicy", {"resourceArn": arn})
    return json.loads(answer.json["resourcePolicy"]) if answer.status == 200 else answer.status


def put_policy(connection):
    arn = profile(connection)
    return {"resourceArn": arn, "resourcePolicy": POLICY}, lambda _: same(policy_of(connection, arn), json.loads(POLICY))


def get_policy(connection):
    arn = profile(connection)
    call(connection, "bedrock", "PutResourcePolicy", {"resourceArn": arn, "resourcePolicy": POLICY})
    return {"resourceArn": arn}, lambda answer: same(json.loads(answer.json["resourcePolicy"]), json.loads(POLICY))


def delete_policy(connection):
    arn = get_policy(connection)[0]["resourceArn"]
    return {"resourceArn": arn}, lambda _: same(policy_of(connection, arn), 404)


def new_guardrail(connection=None):
    """One that blocks `cactus`, whichever way it goes."""
    if connection:
        make_room(connection)
    words = [{"text": "cactus"}]
    members = {
        "name": f"probe-{uuid.uuid4().hex[:12]}",
        "blockedInputMessaging": "not to the model",
        "blockedOutputsMessaging": "not to the caller",
        "wordPolicyConfig": {"wordsConfig": words},
    }

    def check(answer):
        got = guardrail_of(connection, answer.json["guardrailId"])
        assert (got["name"], got["guardrailArn"]) == (members["name"], answer.json["guardrailArn"]), got
        assert [word["text"] for word in got["wordPolicy"]["words"]] == ["cactus"], got

    return members, check


def make_room(connection):
    """An account has a hundred: all but the latest that were made here go."""
    older = call(connection, "bedrock", "ListGuardrails", {}).json["guardrails"]
    for one in [one for one in older if one["name"].startswith("probe-")][20:]:
        call(connection, "bedrock", "DeleteGuardrail", {"guardrailIdentifier": one["id"]})


def guardrail(connection):
    """The id of a new guardrail."""
    make_room(connection)
    answer = call(connection, "bedrock", "CreateGuardrail", new_guardrail()[0])
    assert answer.status == 202, answer.body
    return answer.json["guardrailId"]


def guardrail_of(connection, guardrail_id, version="DRAFT"):
    members = {"guardrailIdentifier": guardrail_id, "guardrailVersion": version}
    answer = call(connection, "bedrock", "GetGuardrail", members)
    return answer.json if answer.status == 200 else answer.status


def get_guardrail(connection):
    made, other = guardrail(connection), guardrail(connection)

    def check(answer):
        assert (answer.json["guardrailId"], answer.json["status"]) == (made, "READY"), answer.json
        assert guardrail_of(connection, other)["guardrailId"] == other

    return {"guardrailIdentifier": made}, check


def list_guardrails(connection):
    made = guardrail(connection)

    def check(answer):
        assert made in [one["id"] for one in answer.json["guardrails"]], answer.json

    return {}, check


def update_guardrail(connection):
    members = {**new_guardrail()[0], "guardrailIdentifier": guardrail(connection), "description": "other"}

    def check(answer):
        got = guardrail_of(connection, members["guardrailIdentifier"])
        assert (got["name"], got["description"]) == (members["name"], "other"), got
        assert answer.json["version"] == "DRAFT", answer.json

    return members, check


def delete_guardrail(connection):
    made = guardrail(connection)
    return {"guardrailIdentifier": made}, lambda _: same(guardrail_of(connection, made), 404)


def guardrail_version(connection):
    """The id of a new guardrail with a version 1."""
    made = guardrail(connection)
    call(connection, "bedrock", "CreateGuardrailVersion", {"guardrailIdentifier": made})
    return made


def new_version(connection):
    made = guardrail(connection)

    def check(answer):
        assert answer.json == {"guardrailId": made, "version": "1"}, answer.json
        assert guardrail_of(connection, made, "1")["version"] == "1"

    return {"guardrailIdentifier": made}, check


def enforcement(connection):
    """Enforces a guardrail on calls of a model that nobody calls."""
    config = {
        "guardrailIdentifier": guardrail_version(connection),
        "guardrailVersion": "1",
        "modelEnforcement": {"includedModels": ["nobody.calls-it"], "excludedModels": []},
    }
    return {"guardrailInferenceConfig": config}


def enforced(connection):
    return call(connection, "bedrock", "ListEnforcedGuardrailsConfiguration", {}).json["guardrailsConfig"]


def put_enforced(connection):
    members = enforcement(connection)

    def check(answer):
        [config] = enforced(connection)
        assert config["configId"] == answer.json["configId"], config
        assert config["guardrailId"] == members["guardrailInferenceConfig"]["guardrailIdentifier"], config

    return members, check


def list_enforced(connection):
    members = enforcement(connection)
    config_id = call(connection, "bedrock", "PutEnforcedGuardrailConfiguration", members).json["configId"]

    def check(answer):
        [config] = answer.json["guardrailsConfig"]
        assert (config["configId"], config["guardrailVersion"]) == (config_id, "1"), config

    return {}, check


def delete_enforced(connection):
    members = enforcement(connection)
    config_id = call(connection, "bedrock", "PutEnforcedGuardrailConfiguration", members).json["configId"]
    return {"configId": config_id}, lambda _: same(enforced(connection), [])


def apply_guardrail(connection):
    members = {
        "guardrailIdentifier": guardrail(connection),
        "guardrailVersion": "DRAFT",
        "source": "INPUT",
        "content": [{"text": {"text": "Water the cactus."}}],
    }

    def check(answer):
        assert answer.json["action"] == "GUARDRAIL_INTERVENED", answer.json
        assert answer.json["outputs"] == [{"text": "not to the model"}], answer.json

    return members, check


def guardrail_checks(_):
    text = "Write to jane.doe@example.com today."
    members = {
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "checks": {"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}},
    }

    def check(answer):
        [found] = answer.json["results"]["sensitiveInformation"]["results"]
        assert text[found["beginOffset"] : found["endOffset"]] == "jane.doe@example.com", found

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


KB_MODEL = "arn:aws:bedrock:us-east-1::foundation-model/outcrop.all-minilm-l6-v2"
KB_CONFIGURATION = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": KB_MODEL}}
KB_STORE = {
    "type": "OPENSEARCH_SERVERLESS",
    "opensearchServerlessConfiguration": {
        "collectionArn": "arn:aws:aoss:us-east-1:123456789012:collection/abc123",
        "vectorIndexName": "docs-index",
        "fieldMapping": {"vectorField": "vector", "textField": "text", "metadataField": "metadata"},
    },
}
CUSTOM_SOURCE = {"type": "CUSTOM"}


def agent_call(connection, name, members):
    return call(connection, "bedrock-agent", name, members)


def new_base(connection):
    """One whose role the caller may pass."""
    if connection:
        bases = agent_call(connection, "ListKnowledgeBases", {}).json["knowledgeBaseSummaries"]
        # An account has a hundred: all but the latest that were made here go.
        for one in [one for one in bases if one["name"].startswith("probe-")][:-20]:
            agent_call(connection, "DeleteKnowledgeBase", {"knowledgeBaseId": one["knowledgeBaseId"]})
    members = {
        "name": f"probe-{uuid.uuid4().hex[:12]}",
        "roleArn": "arn:aws:iam::111122223333:role/AmazonBedrockProbe",
        "knowledgeBaseConfiguration": KB_CONFIGURATION,
        "storageConfiguration": KB_STORE,
    }

    def check(answer):
        made = answer.json["knowledgeBase"]
        got = base_of(connection, made["knowledgeBaseId"])
        assert (got["name"], got["status"]) == (members["name"], "ACTIVE"), got

    return members, check


def a_base(connection):
    answer = agent_call(connection, "CreateKnowledgeBase", new_base(connection)[0])
    assert answer.status == 202, answer.body
    return answer.json["knowledgeBase"]["knowledgeBaseId"]


def base_of(connection, kb):
    answer = agent_call(connection, "GetKnowledgeBase", {"knowledgeBaseId": kb})
    return answer.json["knowledgeBase"] if answer.status == 200 else answer.status


def get_base(connection):
    kb = a_base(connection)
    return {"knowledgeBaseId": kb}, lambda answer: same(answer.json["knowledgeBase"]["knowledgeBaseId"], kb)


def list_bases(connection):
    kb = a_base(connection)

    def check(answer):
        assert kb in [one["knowledgeBaseId"] for one in answer.json["knowledgeBaseSummaries"]], answer.json

    return {}, check


def update_base(connection):
    members = {**new_base(None)[0], "knowledgeBaseId": a_base(connection), "description": "another"}

    def check(_):
        same(base_of(connection, members["knowledgeBaseId"])["description"], "another")

    return members, check


def delete_base(connection):
    kb = a_base(connection)

    def check(answer):
        same(answer.json["status"], "DELETING")
        found = base_of(connection, kb)
        assert found == 404 or found["status"] == "DELETING", found

    return {"knowledgeBaseId": kb}, check


def new_source(connection, configuration=None):
    members = {
        "knowledgeBaseId": a_base(connection),
        "name": "probe",
        "dataSourceConfiguration": configuration or CUSTOM_SOURCE,
    }
    return members, lambda answer: same(answer.json["dataSource"]["status"], "AVAILABLE")


def a_source(connection, configuration=None):
    """The members that name a new one."""
    made = agent_call(connection, "CreateDataSource", new_source(connection, configuration)[0]).json["dataSource"]
    return {"knowledgeBaseId": made["knowledgeBaseId"], "dataSourceId": made["dataSourceId"]}


def get_source(connection):
    members = a_source(connection)
    return members, lambda answer: same(answer.json["dataSource"]["dataSourceId"], members["dataSourceId"])


def list_sources(connection):
    members = a_source(connection)

    def check(answer):
        same([one["dataSourceId"] for one in answer.json["dataSourceSummaries"]], [members["dataSourceId"]])

    return {"knowledgeBaseId": members["knowledgeBaseId"]}, check


def update_source(connection):
    members = {**a_source(connection), "name": "renamed", "dataSourceConfiguration": CUSTOM_SOURCE}
    return members, lambda answer: same(answer.json["dataSource"]["name"], "renamed")


def delete_source(connection):
    return a_source(connection), lambda answer: same(answer.json["status"], "DELETING")


def bucket_source(connection):
    return a_source(connection, {"type": "S3", "s3Configuration": {"bucketArn": f"arn:aws:s3:::{LOGS}"}})


def start_job(connection):
    return bucket_source(connection), lambda answer: same(answer.json["ingestionJob"]["status"], "STARTING")


def a_job(connection):
    members = bucket_source(connection)
    made = agent_call(connection, "StartIngestionJob", members).json["ingestionJob"]
    return {**members, "ingestionJobId": made["ingestionJobId"]}


def get_job(connection):
    members = a_job(connection)
    return members, lambda answer: same(answer.json["ingestionJob"]["ingestionJobId"], members["ingestionJobId"])


def list_jobs(connection):
    members = a_job(connection)
    job = members.pop("ingestionJobId")

    def check(answer):
        same([one["ingestionJobId"] for one in answer.json["ingestionJobSummaries"]], [job])

    return members, check


def stop_job(connection):
    """Of a bucket with so much in it that the job is still under way."""
    s3 = boto3.client("s3", endpoint_url=f"http://{connection.host}", region_name="us-east-1",
                      aws_access_key_id=connection.signer.key, aws_secret_access_key=connection.signer.secret)
    bucket = f"probe-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    for number in range(20):
        s3.put_object(Bucket=bucket, Key=f"{number}.txt", Body=b"Three rivers meet here, and one leaves. " * 2000)
    members = a_source(connection, {"type": "S3", "s3Configuration": {"bucketArn": f"arn:aws:s3:::{bucket}"}})
    job = agent_call(connection, "StartIngestionJob", members).json["ingestionJob"]["ingestionJobId"]
    return {**members, "ingestionJobId": job}, lambda answer: same(answer.json["ingestionJob"]["status"], "STOPPING")


PROBED = {"dataSourceType": "CUSTOM", "custom": {"id": "probe"}}


def ingest_documents(connection):
    content = {
        "dataSourceType": "CUSTOM",
        "custom": {
            "customDocumentIdentifier": {"id": "probe"},
            "sourceType": "IN_LINE",
            "inlineContent": {"type": "TEXT", "textContent": {"data": "Three rivers meet here."}},
        },
    }
    members = {**a_source(connection), "documents": [{"content": content}]}

    def check(answer):
        same([one["identifier"] for one in answer.json["documentDetails"]], [PROBED])

    return members, check


def a_document(connection):
    members = ingest_documents(connection)[0]
    assert agent_call(connection, "IngestKnowledgeBaseDocuments", members).status == 202
    del members["documents"]
    return members


def get_documents(connection):
    members = {**a_document(connection), "documentIdentifiers": [PROBED]}

    def check(answer):
        assert answer.json["documentDetails"][0]["status"] != "NOT_FOUND", answer.json

    return members, check


def list_documents(connection):
    def check(answer):
        same([one["identifier"] for one in answer.json["documentDetails"]], [PROBED])

    return a_document(connection), check


def delete_documents(connection):
    members = {**a_document(connection), "documentIdentifiers": [PROBED]}
    return members, lambda answer: same(answer.json["documentDetails"][0]["status"], "DELETING")


def tagged_base(connection):
    """The ARN of a knowledge base with a tag."""
    arn = base_of(connection, a_base(connection))["knowledgeBaseArn"]
    assert agent_call(connection, "TagResource", {"resourceArn": arn, "tags": {"probe": "yes"}}).status == 200
    return arn


def list_base_tags(connection):
    return {"resourceArn": tagged_base(connection)}, lambda answer: same(answer.json["tags"], {"probe": "yes"})


def tag_base(connection):
    members = {"resourceArn": tagged_base(connection), "tags": {"a": "1"}}

    def check(_):
        found = agent_call(connection, "ListTagsForResource", {"resourceArn": members["resourceArn"]}).json["tags"]
        same(found, {"probe": "yes", "a": "1"})

    return members, check


def untag_base(connection):
    members = {"resourceArn": tagged_base(connection), "tagKeys": ["probe"]}

    def check(_):
        found = agent_call(connection, "ListTagsForResource", {"resourceArn": members["resourceArn"]}).json["tags"]
        same(found, {})

    return members, check


def same(found, wanted):
    assert found == wanted, found


def events(answer):
    """The events of a stream, each judged."""
    buffer = EventStreamBuffer()
    buffer.add_data(answer.body)
    return [(event.headers, event.payload) for event in buffer]


RECIPES = {
    **retrieval.RECIPES,
    "bedrock-runtime:Converse": converse,
    "bedrock-runtime:ConverseStream": converse_stream,
    "bedrock-runtime:InvokeModel": invoke,
    "bedrock-runtime:InvokeModelWithResponseStream": invoke_stream,
    "bedrock-runtime:CountTokens": count_tokens,
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
    "bedrock:GetAccountDataRetention": get_retention,
    "bedrock:PutAccountDataRetention": put_retention,
    "bedrock:PutModelInvocationLoggingConfiguration": put_logging,
    "bedrock:GetModelInvocationLoggingConfiguration": get_logging,
    "bedrock:DeleteModelInvocationLoggingConfiguration": delete_logging,
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
    "bedrock:CreateGuardrail": new_guardrail,
    "bedrock:GetGuardrail": get_guardrail,
    "bedrock:ListGuardrails": list_guardrails,
    "bedrock:UpdateGuardrail": update_guardrail,
    "bedrock:DeleteGuardrail": delete_guardrail,
    "bedrock:CreateGuardrailVersion": new_version,
    "bedrock:PutEnforcedGuardrailConfiguration": put_enforced,
    "bedrock:ListEnforcedGuardrailsConfiguration": list_enforced,
    "bedrock:DeleteEnforcedGuardrailConfiguration": delete_enforced,
    "bedrock-runtime:ApplyGuardrail": apply_guardrail,
    "bedrock-runtime:InvokeGuardrailChecks": guardrail_checks,
    "bedrock-agent:CreateKnowledgeBase": new_base,
    "bedrock-agent:GetKnowledgeBase": get_base,
    "bedrock-agent:ListKnowledgeBases": list_bases,
    "bedrock-agent:UpdateKnowledgeBase": update_base,
    "bedrock-agent:DeleteKnowledgeBase": delete_base,
    "bedrock-agent:CreateDataSource": new_source,
    "bedrock-agent:GetDataSource": get_source,
    "bedrock-agent:ListDataSources": list_sources,
    "bedrock-agent:UpdateDataSource": update_source,
    "bedrock-agent:DeleteDataSource": delete_source,
    "bedrock-agent:StartIngestionJob": start_job,
    "bedrock-agent:GetIngestionJob": get_job,
    "bedrock-agent:ListIngestionJobs": list_jobs,
    "bedrock-agent:StopIngestionJob": stop_job,
    "bedrock-agent:IngestKnowledgeBaseDocuments": ingest_documents,
    "bedrock-agent:GetKnowledgeBaseDocuments": get_documents,
    "bedrock-agent:ListKnowledgeBaseDocuments": list_documents,
    "bedrock-agent:DeleteKnowledgeBaseDocuments": delete_documents,
    "bedrock-agent:ListTagsForResource": list_base_tags,
    "bedrock-agent:TagResource": tag_base,
    "bedrock-agent:UntagResource": untag_base,
    "bedrock:ListTagsForResource": list_tags,
    "bedrock:TagResource": tag,
    "bedrock:UntagResource": untag,
    "bedrock:PutResourcePolicy": put_policy,
    "bedrock:GetResourcePolicy": get_policy,
    "bedrock:DeleteResourcePolicy": delete_policy,
}

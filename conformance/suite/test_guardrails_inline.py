"""Guardrails on calls of models: Converse, InvokeModel, their streams and the doors, against answers from a file."""

import json
import urllib.request

import pytest

from support import knowledge
from support.ask import HAIKU, user
from support.clients import client, raises
from support.s3 import s3_client

SCRIPT = """
models = ["one"]

[[rules]]
contains = "{EMAIL}"
text = "I saw a masked address."

[[rules]]
contains = "@example.com"
text = "I saw the address itself."

[[rules]]
contains = "ticket"
text = "Your ticket is T-4711, dear customer, and T-4712 is closed."
chunk = 3
usage = { input = 7, output = 5 }

[[rules]]
contains = "plant"
text = "I would water it on Mondays. A CACTUS needs less, though."
chunk = 3
usage = { input = 7, output = 5 }

[[rules]]
contains = "think"
reasoning = "Perhaps a CACTUS."
text = "It is a plant."
chunk = 4

[[rules]]
contains = "call"
tool_calls = [{ name = "water", input = { plant = "CACTUS" } }]

[[rules]]
text = "Hello from the script."
chunk = 4
usage = { input = 7, output = 5 }
"""

MISSING = "The guardrail identifier or version provided in the request does not exist."
BLOCKED_IN, BLOCKED_OUT = "Not to the model.", "Not to the caller."
TITAN = "amazon.titan-text-express-v1"
EMBED = "amazon.titan-embed-text-v2:0"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "script.toml"
    path.write_text(SCRIPT)
    serves = "serves = ['anthropic.*', 'amazon.titan-text*', 'openai.*']"
    return f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{path}'\n{serves}\n"


@pytest.fixture(scope="module")
def running(config):
    from support.server import Server

    with Server(config=config) as server:
        yield server


@pytest.fixture(scope="module")
def bedrock(running):
    return client(running.url, "bedrock")


@pytest.fixture(scope="module")
def one(running):
    return client(running.url, "bedrock-runtime")


def make(bedrock, name, **policies):
    made = bedrock.create_guardrail(
        name=name, blockedInputMessaging=BLOCKED_IN, blockedOutputsMessaging=BLOCKED_OUT, **policies
    )
    return made["guardrailId"]


def words(*texts):
    return {"wordPolicyConfig": {"wordsConfig": [{"text": text} for text in texts]}}


@pytest.fixture(scope="module")
def cactus(bedrock):
    return make(bedrock, "cactus", **words("cactus"))


@pytest.fixture(scope="module")
def masks(bedrock):
    return make(
        bedrock,
        "masks",
        sensitiveInformationPolicyConfig={
            "piiEntitiesConfig": [
                {"type": "EMAIL", "action": "ANONYMIZE", "inputAction": "ANONYMIZE", "inputEnabled": True}
            ],
            "regexesConfig": [{"name": "Ticket", "pattern": r"T-\d+", "action": "ANONYMIZE"}],
        },
    )


def by(guardrail, trace="enabled", **more):
    return {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT", "trace": trace, **more}


def ask(one, text, guardrail, **more):
    return one.converse(modelId=HAIKU, messages=[user(text)], guardrailConfig=by(guardrail, **more))


def stream(one, text, guardrail, **more):
    answer = one.converse_stream(modelId=HAIKU, messages=[user(text)], guardrailConfig=by(guardrail, **more))
    return list(answer["stream"])


def text(answer):
    return answer["output"]["message"]["content"][0]["text"]


def texts(events):
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    return [delta["text"] for delta in deltas if "text" in delta]


def stop(events):
    return next(e["messageStop"]["stopReason"] for e in events if "messageStop" in e)


class TestConverse:
    def test_what_is_blocked_never_reaches_the_model(self, one, cactus):
        answer = ask(one, "Tell me of the CACTUS.", cactus)
        assert answer["stopReason"] == "guardrail_intervened"
        assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": BLOCKED_IN}]}
        assert answer["usage"] == {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
        trace = answer["trace"]["guardrail"]
        assert trace["actionReason"] == "Guardrail blocked."
        assert "modelOutput" not in trace and "outputAssessments" not in trace
        said = trace["inputAssessment"][cactus]
        assert said["wordPolicy"]["customWords"] == [{"match": "CACTUS", "action": "BLOCKED", "detected": True}]
        assert said["invocationMetrics"]["guardrailCoverage"]["textCharacters"] == {"guarded": 22, "total": 22}
        assert said["appliedGuardrailDetails"]["guardrailOrigin"] == ["REQUEST"]

    def test_what_is_blocked_never_reaches_the_caller(self, one, cactus):
        answer = ask(one, "my plant", cactus)
        assert answer["stopReason"] == "guardrail_intervened" and text(answer) == BLOCKED_OUT
        assert answer["usage"]["outputTokens"] == 5
        trace = answer["trace"]["guardrail"]
        assert trace["actionReason"] == "No action.\nGuardrail blocked."
        assert "CACTUS" in json.loads(trace["modelOutput"][0])["content"][0]["text"]
        [said] = trace["outputAssessments"][cactus]
        assert said["wordPolicy"]["customWords"][0]["match"] == "CACTUS"

    def test_masks(self, one, masks):
        answer = ask(one, "my ticket", masks)
        assert text(answer) == "Your ticket is {Ticket}, dear customer, and {Ticket} is closed."
        assert answer["stopReason"] == "guardrail_intervened"
        assert answer["trace"]["guardrail"]["actionReason"] == "No action.\nGuardrail masked."
        answer = ask(one, "I am jane.doe@example.com.", masks)
        assert text(answer) == "I saw a masked address." and answer["stopReason"] == "end_turn"
        assert answer["trace"]["guardrail"]["actionReason"] == "Guardrail masked.\nNo action."

    def test_nothing_to_do(self, one, cactus):
        answer = ask(one, "hello", cactus)
        assert answer["stopReason"] == "end_turn" and text(answer) == "Hello from the script."
        trace = answer["trace"]["guardrail"]
        assert trace["actionReason"] == "No action." and "modelOutput" not in trace
        assert len(trace["outputAssessments"][cactus]) == 1

    def test_no_trace_unless_asked(self, one, cactus):
        assert "trace" not in ask(one, "hello", cactus, trace="disabled")
        config = {"guardrailIdentifier": cactus, "guardrailVersion": "DRAFT"}
        answer = one.converse(modelId=HAIKU, messages=[user("a cactus")], guardrailConfig=config)
        assert text(answer) == BLOCKED_IN and "trace" not in answer

    def test_guard_content_limits_what_is_looked_at(self, one, cactus):
        guarded = {"guardContent": {"text": {"text": "hello"}}}
        said = [{"role": "user", "content": [{"text": "my CACTUS is fine."}, guarded]}]
        answer = one.converse(modelId=HAIKU, messages=said, guardrailConfig=by(cactus))
        assert answer["stopReason"] == "end_turn"
        coverage = answer["trace"]["guardrail"]["inputAssessment"][cactus]["invocationMetrics"]["guardrailCoverage"]
        assert coverage["textCharacters"] == {"guarded": 5, "total": 23}
        bad = [{"role": "user", "content": [{"text": "hello"}, {"guardContent": {"text": {"text": "a cactus"}}}]}]
        answer = one.converse(modelId=HAIKU, messages=bad, guardrailConfig=by(cactus))
        assert text(answer) == BLOCKED_IN

    def test_system_prompts_are_looked_at_where_they_are_marked(self, one, cactus):
        def asked(system):
            config = by(cactus)
            return one.converse(modelId=HAIKU, system=[system], messages=[user("hello")], guardrailConfig=config)

        assert asked({"text": "You love a cactus."})["stopReason"] == "end_turn"
        marked = {"guardContent": {"text": {"text": "You love a cactus."}}}
        assert asked(marked)["stopReason"] == "guardrail_intervened"

    def test_every_turn_is_looked_at_again(self, one, cactus):
        said = [user("a cactus"), {"role": "assistant", "content": [{"text": "Indeed."}]}, user("hello")]
        answer = one.converse(modelId=HAIKU, messages=said, guardrailConfig=by(cactus))
        assert text(answer) == BLOCKED_IN

    def test_reasoning_and_tool_calls_are_not_looked_at(self, one, cactus):
        answer = ask(one, "think", cactus)
        assert answer["stopReason"] == "end_turn"
        tools = {"tools": [{"toolSpec": {"name": "water", "inputSchema": {"json": {"type": "object"}}}}]}
        answer = one.converse(
            modelId=HAIKU, messages=[user("call")], toolConfig=tools, guardrailConfig=by(cactus)
        )
        assert answer["stopReason"] == "tool_use"

    def test_what_does_not_exist(self, one, cactus):
        for bad, version in (("abcdefghijkl", "DRAFT"), (cactus, "7")):
            config = {"guardrailIdentifier": bad, "guardrailVersion": version}
            raises(
                lambda: one.converse(modelId=HAIKU, messages=[user("hello")], guardrailConfig=config),
                "ValidationException",
                MISSING,
            )

    def test_a_guardrail_that_is_deleted_meanwhile(self, bedrock, one):
        gone = make(bedrock, "gone", **words("cactus"))
        assert ask(one, "a cactus", gone)["stopReason"] == "guardrail_intervened"
        bedrock.delete_guardrail(guardrailIdentifier=gone)
        raises(lambda: ask(one, "a cactus", gone), "ValidationException", MISSING)

    def test_an_image_that_a_filter_wants_to_see(self, bedrock, one):
        filters = {"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH", "inputModalities": ["TEXT", "IMAGE"]}
        seeing = make(bedrock, "seeing", contentPolicyConfig={"filtersConfig": [filters]})
        image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG\r\n\x1a\n"}}}
        config = {"guardrailIdentifier": seeing, "guardrailVersion": "DRAFT"}
        asked = {"role": "user", "content": [{"text": "hello"}, image]}
        call = lambda: one.converse(modelId=HAIKU, messages=[asked], guardrailConfig=config)  # noqa: E731
        raises(call, "NotImplementedException", "judging images is not built", status=501)
        assert ask(one, "hello", seeing)["stopReason"] == "end_turn"


class TestStreams:
    def test_blocked_input(self, one, cactus):
        events = stream(one, "a cactus", cactus)
        assert [next(iter(e)) for e in events] == [
            "messageStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
        ]
        assert texts(events) == [BLOCKED_IN] and stop(events) == "guardrail_intervened"
        metadata = events[-1]["metadata"]
        assert metadata["usage"]["totalTokens"] == 0
        assert metadata["trace"]["guardrail"]["inputAssessment"][cactus]["wordPolicy"]["customWords"]

    def test_nothing_of_what_is_blocked_goes_on(self, one, cactus):
        events = stream(one, "my plant", cactus)
        told = "".join(texts(events))
        assert told.endswith(BLOCKED_OUT) and "C" not in told.removesuffix(BLOCKED_OUT)
        assert told.startswith("I would water it on Mondays. ")
        assert stop(events) == "guardrail_intervened"
        trace = events[-1]["metadata"]["trace"]["guardrail"]
        assert "CACTUS" in trace["modelOutput"][0]
        assert events[-1]["metadata"]["usage"]["outputTokens"] == 5

    def test_masked_as_the_whole(self, one, masks):
        events = stream(one, "my ticket", masks)
        assert "".join(texts(events)) == text(ask(one, "my ticket", masks))
        assert len(texts(events)) > 3 and stop(events) == "guardrail_intervened"

    def test_async_delays_nothing_and_masks_nothing(self, one, masks, cactus):
        plain = texts(stream(one, "my ticket", masks, streamProcessingMode="async"))
        assert "".join(plain) == "Your ticket is T-4711, dear customer, and T-4712 is closed."
        events = stream(one, "my plant", cactus, streamProcessingMode="async")
        assert stop(events) == "guardrail_intervened" and texts(events)[-1] == BLOCKED_OUT

    def test_nothing_to_do(self, one, cactus):
        events = stream(one, "hello", cactus)
        assert "".join(texts(events)) == "Hello from the script." and stop(events) == "end_turn"


class TestInvokeModel:
    def body(self, text, **more):
        return json.dumps(
            {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": text}],
                **more,
            }
        )

    def invoke(self, one, body, guardrail, trace="ENABLED", model=HAIKU):
        answer = one.invoke_model(
            modelId=model,
            body=body,
            guardrailIdentifier=guardrail,
            guardrailVersion="DRAFT",
            trace=trace,
            contentType="application/json",
        )
        return json.loads(answer["body"].read())

    def chunks(self, one, body, guardrail, model=HAIKU):
        answer = one.invoke_model_with_response_stream(
            modelId=model,
            body=body,
            guardrailIdentifier=guardrail,
            guardrailVersion="DRAFT",
            trace="ENABLED",
            contentType="application/json",
        )
        return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]

    def test_claude(self, one, cactus, masks):
        answer = self.invoke(one, self.body("a cactus"), cactus)
        assert answer["content"] == [{"type": "text", "text": BLOCKED_IN}] and answer["type"] == "message"
        assert answer["amazon-bedrock-guardrailAction"] == "INTERVENED"
        trace = answer["amazon-bedrock-trace"]["guardrail"]
        assert trace["input"][cactus]["wordPolicy"]["customWords"][0]["action"] == "BLOCKED"
        answer = self.invoke(one, self.body("hello"), cactus)
        assert answer["amazon-bedrock-guardrailAction"] == "NONE"
        assert cactus in answer["amazon-bedrock-trace"]["guardrail"]["outputs"][0]
        answer = self.invoke(one, self.body("my ticket"), masks, trace="DISABLED")
        assert answer["content"][0]["text"].startswith("Your ticket is {Ticket},")
        assert answer["amazon-bedrock-guardrailAction"] == "INTERVENED" and "amazon-bedrock-trace" not in answer

    def test_chunks_say_what_was_done_as_soon_as_it_is(self, one, cactus, masks):
        for guardrail, asked, told in ((cactus, "my plant", BLOCKED_OUT), (masks, "my ticket", "{Ticket}")):
            chunks = self.chunks(one, self.body(asked), guardrail)
            at = next(n for n, chunk in enumerate(chunks) if told in chunk.get("delta", {}).get("text", ""))
            assert {chunk["amazon-bedrock-guardrailAction"] for chunk in chunks[at:]} == {"INTERVENED"}
        assert {chunk["amazon-bedrock-guardrailAction"] for chunk in self.chunks(one, self.body("hello"), cactus)} == {"NONE"}

    def test_titan(self, one, cactus):
        body = json.dumps({"inputText": "a cactus"})
        answer = self.invoke(one, body, cactus, model=TITAN)
        assert answer["results"][0]["outputText"] == BLOCKED_IN
        assert answer["amazon-bedrock-guardrailAction"] == "INTERVENED"
        chunks = self.chunks(one, body, cactus, model=TITAN)
        assert "".join(chunk["outputText"] for chunk in chunks) == BLOCKED_IN

    def test_streams(self, one, cactus, masks):
        chunks = self.chunks(one, self.body("a cactus"), cactus)
        assert [chunk["type"] for chunk in chunks] == [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert {chunk["amazon-bedrock-guardrailAction"] for chunk in chunks} == {"INTERVENED"}
        assert "amazon-bedrock-trace" in chunks[-1] and "amazon-bedrock-trace" not in chunks[0]
        chunks = self.chunks(one, self.body("my ticket"), masks)
        told = "".join(c["delta"]["text"] for c in chunks if c["type"] == "content_block_delta")
        assert told == "Your ticket is {Ticket}, dear customer, and {Ticket} is closed."
        assert chunks[-1]["amazon-bedrock-guardrailAction"] == "INTERVENED"

    def test_tags_mark_what_is_looked_at_and_do_not_reach_the_model(self, one, cactus):
        def tagged(before, inside):
            tag = "amazon-bedrock-guardrails-guardContent_abc"
            config = {"amazon-bedrock-guardrailConfig": {"tagSuffix": "abc"}}
            return self.invoke(one, self.body(f"{before}<{tag}>{inside}</{tag}>", **config), cactus)

        answer = tagged("a cactus: ", "hello")
        assert answer["content"][0]["text"] == "Hello from the script."
        coverage = answer["amazon-bedrock-trace"]["guardrail"]["input"][cactus]["invocationMetrics"]
        assert coverage["guardrailCoverage"]["textCharacters"] == {"guarded": 5, "total": 15}
        assert tagged("hello ", "a cactus")["content"][0]["text"] == BLOCKED_IN

    def test_what_cannot_have_a_guardrail(self, one, cactus):
        embedding = json.dumps({"inputText": "hi"})
        raises(
            lambda: self.invoke(one, embedding, cactus, model=EMBED),
            "ValidationException",
            "Guardrail is not supported with the chosen model",
        )
        body = self.body("hi", **{"amazon-bedrock-guardrailConfig": {"tagSuffix": "abc"}})
        raises(lambda: one.invoke_model(modelId=HAIKU, body=body), "ValidationException", "guardrail identifier")


class TestDoors:
    def post(self, server, path, body, **headers):
        request = urllib.request.Request(
            server.url + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": "Bearer any", **headers},
        )
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    def test_openai(self, running, cactus):
        headers = {"X-Amzn-Bedrock-GuardrailIdentifier": cactus, "X-Amzn-Bedrock-GuardrailVersion": "DRAFT"}
        body = {"model": HAIKU, "messages": [{"role": "user", "content": "a cactus"}]}
        for path in ("/v1/chat/completions", "/openai/v1/chat/completions"):
            answer = json.loads(self.post(running, path, body, **headers))
            [choice] = answer["choices"]
            assert choice["message"]["content"] == BLOCKED_IN and choice["finish_reason"] == "content_filter"
        streamed = self.post(running, "/v1/chat/completions", {**body, "stream": True}, **headers)
        assert BLOCKED_IN in streamed and "content_filter" in streamed and "[DONE]" in streamed
        plain = json.loads(self.post(running, "/v1/chat/completions", body))
        assert plain["choices"][0]["message"]["content"] == "Hello from the script."

    def test_anthropic(self, running, cactus):
        headers = {"X-Amzn-Bedrock-GuardrailIdentifier": cactus, "X-Amzn-Bedrock-GuardrailVersion": "DRAFT"}
        body = {"model": HAIKU, "max_tokens": 9, "messages": [{"role": "user", "content": "a cactus"}]}
        answer = json.loads(self.post(running, "/anthropic/v1/messages", body, **headers))
        assert answer["content"] == [{"type": "text", "text": BLOCKED_IN}]


class TestEnforcement:
    def test_an_account_enforces_a_version_on_every_call(self, fresh, config):
        server = fresh(config=config).start()
        bedrock, one = client(server.url, "bedrock"), client(server.url, "bedrock-runtime")
        everywhere, own = make(bedrock, "everywhere", **words("cactus")), make(bedrock, "own", **words("fern"))
        version = bedrock.create_guardrail_version(guardrailIdentifier=everywhere)["version"]
        put = bedrock.put_enforced_guardrail_configuration(
            guardrailInferenceConfig={"guardrailIdentifier": everywhere, "guardrailVersion": version}
        )
        plain = one.converse(modelId=HAIKU, messages=[user("a cactus")])
        assert text(plain) == BLOCKED_IN and plain["stopReason"] == "guardrail_intervened"
        both = ask(one, "a cactus", own)["trace"]["guardrail"]["inputAssessment"]
        assert both[own]["appliedGuardrailDetails"]["guardrailOrigin"] == ["REQUEST"]
        assert both[everywhere]["appliedGuardrailDetails"]["guardrailOrigin"] == ["ACCOUNT_ENFORCED"]
        assert text(ask(one, "a fern", own)) == BLOCKED_IN
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [
            {"role": "user", "content": "my plant"}]})
        answer = json.loads(one.invoke_model(modelId=HAIKU, body=body)["body"].read())
        assert answer["content"][0]["text"] == BLOCKED_OUT
        agent, runtime = client(server.url, "bedrock-agent"), client(server.url, "bedrock-agent-runtime")
        kb = knowledge.base(agent, "123456789012")
        found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "a cactus"})
        assert (found["guardrailAction"], found["retrievalResults"]) == ("INTERVENED", [])
        s3 = s3_client(server.url)
        s3.create_bucket(Bucket="plants")
        for name in ("cactus", "fern", "rose"):
            s3.put_object(Bucket="plants", Key=f"{name}.txt", Body=f"How to water a {name}.".encode())
        ds = knowledge.source(agent, kb, configuration=knowledge.bucket_source("plants"))
        job = knowledge.sync(agent, kb, ds)
        assert job["status"] == "COMPLETE"
        counted = {"DocumentsScanned": 3, "NewDocumentsIndexed": 2, "DocumentsFailed": 1}
        assert counted.items() <= knowledge.counted(job).items() and BLOCKED_IN in str(job["failureReasons"])
        ranking = {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": {
            "modelConfiguration": {"modelArn": f"arn:aws:bedrock:{knowledge.REGION}::foundation-model/amazon.rerank-v1:0"}}}
        inline = {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "a cactus"}}}
        rerank = lambda: runtime.rerank(  # noqa: E731
            queries=[{"type": "TEXT", "textQuery": {"text": "plants"}}], sources=[inline], rerankingConfiguration=ranking
        )
        raises(rerank, "ValidationException", BLOCKED_IN, 400)
        bedrock.delete_enforced_guardrail_configuration(configId=put["configId"])
        assert one.converse(modelId=HAIKU, messages=[user("a cactus")])["stopReason"] == "end_turn"
        assert len(rerank()["results"]) == 1


class TestCache:
    def test_what_is_kept_is_judged_when_it_is_given_out(self, one, cactus):
        metadata = {"outcrop-cache": "on"}
        plain = one.converse(modelId=HAIKU, messages=[user("my plant")], requestMetadata=metadata)
        assert "CACTUS" in text(plain)
        answer = one.converse(
            modelId=HAIKU, messages=[user("my plant")], requestMetadata=metadata, guardrailConfig=by(cactus)
        )
        assert text(answer) == BLOCKED_OUT
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-outcrop-cache"] == "hit"

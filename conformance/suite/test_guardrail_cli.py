"""Why a guardrail judges a text as it does, over HTTP and on the command line, and labelled lines against one."""

import json
import subprocess

import pytest

from support import raw
from support.clients import client
from support.server import BIN, environment
from support.sigv4 import Signer

ACCOUNT = "111122223333"
SIGNER = Signer(key=ACCOUNT)
TICKET = {"name": "Ticket", "pattern": "T-[0-9]+", "action": "BLOCK"}
SOURCE = "The bridge was opened in 1932. It is painted green."
QUERY = "When was the bridge opened?"


@pytest.fixture(scope="module")
def guardrail(server):
    made = client(server.url, "bedrock", account=ACCOUNT).create_guardrail(
        name="explained",
        blockedInputMessaging="no",
        blockedOutputsMessaging="no",
        sensitiveInformationPolicyConfig={
            "regexesConfig": [TICKET],
            # The older action alone would not look at what goes to the model.
            "piiEntitiesConfig": [
                {"type": "EMAIL", "action": "ANONYMIZE", "inputAction": "ANONYMIZE", "inputEnabled": True}
            ],
        },
        contextualGroundingPolicyConfig={"filtersConfig": [{"type": "GROUNDING", "threshold": 0.5}]},
    )
    return made["guardrailId"]


def explain(server, signer=SIGNER, **asked):
    return raw.request(server, "POST", "/outcrop/guardrails/explain", asked, signer=signer)


def outcrop(server, *args):
    env = environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"})
    command = [BIN, "guardrail", *args, "--url", server.url]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_what_decided_is_told_in_characters(server, guardrail):
    text = "Größe 🦀: see T-17, jane.doe@example.com"
    answer = explain(server, guardrailIdentifier=guardrail, source="INPUT", text=text)
    assert answer.status == 200, answer.body
    assert answer.json["action"] == "GUARDRAIL_INTERVENED"
    ticket = next(entry for entry in answer.json["policies"] if entry["name"] == "Ticket")
    assert (ticket["policy"], ticket["action"], ticket["detected"]) == ("sensitiveInformationPolicy", "BLOCKED", True)
    assert text[ticket["at"]["start"] : ticket["at"]["end"]] == ticket["at"]["text"] == "T-17"
    assert ticket["because"] == ["matches T-[0-9]+"]


def test_a_wrong_number_is_told_with_what_the_source_says(server, guardrail):
    def of(text):
        asked = {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT", "source": "OUTPUT"}
        answer = explain(server, text=text, groundingSource=SOURCE, query=QUERY, **asked)
        assert answer.status == 200, answer.body
        return next(entry for entry in answer.json["policies"] if entry["name"] == "GROUNDING")

    right, wrong = of("The bridge was opened in 1932."), of("It is painted green. The bridge was opened in 1954.")
    assert right["score"] > 0.7 and right["action"] == "NONE"
    assert wrong["score"] < 0.5 and wrong["action"] == "BLOCKED" and wrong["threshold"] == 0.5
    assert wrong["at"]["text"] == "The bridge was opened in 1954."
    assert "The bridge was opened in 1932." in wrong["because"][0]


def test_refusals_say_what_to_do(server, guardrail):
    assert explain(server, text="x").status == 400
    answer = explain(server, guardrailIdentifier=guardrail, source="SIDEWAYS", text="x")
    assert answer.status == 400 and "INPUT" in answer.json["message"]
    unknown = explain(server, guardrailIdentifier="abcdefghijkl", source="INPUT", text="x")
    assert unknown.status == 400 and "does not exist" in unknown.json["message"]
    other = explain(server, signer=Signer(key="444455556666"), guardrailIdentifier=guardrail, source="INPUT", text="x")
    assert other.status == 400 and "does not exist" in other.json["message"]


def test_explain_on_the_command_line(server, guardrail):
    run = outcrop(server, "explain", "see T-17", "--guardrail", guardrail)
    assert run.returncode == 0, run.stderr
    assert "sensitiveInformationPolicy Ticket  BLOCKED" in run.stdout and "at 4..8: T-17" in run.stdout
    told = json.loads(outcrop(server, "explain", "see T-17", "--guardrail", guardrail, "--json").stdout)
    assert told["policies"][-1]["at"] == {"start": 4, "end": 8, "text": "T-17"}
    missing = outcrop(server, "explain", "x", "--guardrail", "abcdefghijkl")
    assert missing.returncode == 1 and "does not exist" in missing.stderr


def test_labelled_lines(server, guardrail, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text(
        "block\tsee T-17\nallow\tsee nothing\n"
        + json.dumps({"text": "write to jane.doe@example.com", "label": "allow"})
        + "\nblock\tslips through\n"
    )
    told = outcrop(server, "test", str(lines), "--guardrail", guardrail)
    assert told.returncode == 0, told.stderr
    run = outcrop(server, "test", str(lines), "--guardrail", guardrail, "--json")
    report = json.loads(run.stdout)
    assert (report["precision"], report["recall"]) == (0.5, 0.5)
    assert report["falsePositivesByPolicy"] == {"sensitiveInformationPolicy EMAIL": 1}
    assert [(wrong["line"], wrong["label"]) for wrong in report["wrong"]] == [(3, "allow"), (4, "block")]
    assert report["wallMs"]["p95"] >= report["wallMs"]["median"] > 0
    assert outcrop(server, "test", str(lines), "--guardrail", guardrail, "--min-recall", "0.5").returncode == 0
    refused = outcrop(server, "test", str(lines), "--guardrail", guardrail, "--min-precision", "0.9")
    assert refused.returncode == 1 and "precision is 0.500, below 0.9" in refused.stderr
    lines.write_text("allow\tx\nmaybe\ty\n")
    broken = outcrop(server, "test", str(lines), "--guardrail", guardrail)
    assert broken.returncode == 1 and ":2: the label is maybe" in broken.stderr

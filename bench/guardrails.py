"""What a guardrail adds to the time until a stream's first text, in `sync` mode with the settings as they come, on the
embedded text model: the same calls without a guardrail and with each, in turn. Prints a table for docs/guardrails.md.

    python bench/guardrails.py [ROUNDS]
"""

import statistics
import sys
import time

from measure import load, row, table

from support.ask import HAIKU, user
from support.clients import client
from support.server import Server

TOKENS = 60
BLOCKED = "No, thanks."
PROMPTS = (
    "Tell me about the river that runs through Paris.",
    "What should I pack for a week in the mountains?",
    "Explain how a bicycle stays upright.",
    "Write a short note to thank a neighbour for her help.",
    "How do I cook rice so that it does not stick?",
)
FILTERS = ("HATE", "INSULTS", "SEXUAL", "VIOLENCE", "MISCONDUCT")
POLICIES = {
    "words": {"wordPolicyConfig": {"wordsConfig": [{"text": "competitor"}], "managedWordListsConfig": [{"type": "PROFANITY"}]}},
    "EMAIL, PHONE and NAME masked": {
        "sensitiveInformationPolicyConfig": {
            "piiEntitiesConfig": [{"type": kind, "action": "ANONYMIZE"} for kind in ("EMAIL", "PHONE", "NAME")]
        }
    },
    "five content filters at HIGH": {
        "contentPolicyConfig": {
            "filtersConfig": [{"type": kind, "inputStrength": "HIGH", "outputStrength": "HIGH"} for kind in FILTERS]
        }
    },
    "a denied topic": {
        "topicPolicyConfig": {
            "topicsConfig": [
                {
                    "name": "Money",
                    "type": "DENY",
                    "definition": "Avoid specific financial advice",
                    "examples": ["Should I invest in stocks?"],
                }
            ]
        }
    },
}


def first_and_last(runtime, prompt, guardrail):
    """Seconds until the first and until the last text."""
    config = {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT"}
    began, arrivals = time.perf_counter(), []
    answer = runtime.converse_stream(
        modelId=HAIKU,
        messages=[user(prompt)],
        inferenceConfig={"maxTokens": TOKENS, "temperature": 0.0},
        **({"guardrailConfig": config} if guardrail else {}),
    )
    for event in answer["stream"]:
        if "contentBlockDelta" in event:
            arrivals.append(time.perf_counter() - began)
            assert event["contentBlockDelta"]["delta"]["text"] != BLOCKED, prompt
    return arrivals[0], arrivals[-1]


def both(one, other):
    return f"{one * 1e3:.0f} ms, {other * 1e3:.0f} ms"


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with Server() as server:
        bedrock, runtime = (client(server.url, service) for service in ("bedrock", "bedrock-runtime"))
        made = {
            what: bedrock.create_guardrail(
                name=f"g{at}", blockedInputMessaging=BLOCKED, blockedOutputsMessaging=BLOCKED, **policy
            )["guardrailId"]
            for at, (what, policy) in enumerate(POLICIES.items())
        }
        kinds = {"none": None, **made}
        for guardrail in kinds.values():
            first_and_last(runtime, "Good morning.", guardrail)
        seen = {what: [] for what in kinds}
        for turn in range(rounds):
            for at, prompt in enumerate(PROMPTS):
                # Another prompt each time, so that no computed beginning is found again.
                for what, guardrail in kinds.items():
                    seen[what].append(first_and_last(runtime, f"({turn}{at}{len(what)}) {prompt}", guardrail))
    # The least is what a busy machine disturbs least.
    table("guardrail", "first text after: median, least", "added: median, by the least", "added to the last text: median, by the least")
    for what, times in seen.items():
        (firsts, lasts), (none_first, none_last) = zip(*times), zip(*seen["none"])
        cells = [what, both(statistics.median(firsts), min(firsts))]
        for one, none in ((firsts, none_first), (lasts, none_last)):
            pairs = statistics.median(a - b for a, b in zip(one, none))
            cells.append("" if what == "none" else both(pairs, min(one) - min(none)))
        row(*cells)
    print(f"\n{len(seen['none'])} calls each, {load()}")


if __name__ == "__main__":
    main()

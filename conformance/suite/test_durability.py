"""What was acknowledged is there after `kill -9`, seen through HTTP alone."""

import threading

import pytest

from support.ask import HAIKU_ARN
from support.clients import client
from support.waiting import until

WRITES = 200
WRITERS = 4


def listed(url):
    pages = client(url, "bedrock").get_paginator("list_inference_profiles").paginate(typeEquals="APPLICATION")
    return {p["inferenceProfileName"]: p["inferenceProfileArn"] for page in pages for p in page["inferenceProfileSummaries"]}


class Writers:
    """Creates profiles from several threads and remembers what was acknowledged."""

    def __init__(self, url):
        self.url, self.acknowledged, self.sent = url, {}, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._write, args=(i,)) for i in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def _write(self, number):
        bedrock = client(self.url, "bedrock", connect_timeout=5)
        for i in range(number, WRITES, WRITERS):
            with self.lock:
                self.sent += 1
            try:
                made = bedrock.create_inference_profile(
                    inferenceProfileName=f"profile {i}", modelSource={"copyFrom": HAIKU_ARN}
                )
            except Exception:  # the server is gone: whatever this call was, it was not acknowledged
                return
            with self.lock:
                self.acknowledged[f"profile {i}"] = made["inferenceProfileArn"]

    def join(self):
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("kill_after", [20, 90, 160])
def test_nothing_acknowledged_is_lost(fresh, kill_after):
    server = fresh().start()
    writers = Writers(server.url)
    until(lambda: len(writers.acknowledged) >= kill_after, 60, f"{kill_after} acknowledged writes")
    server.kill()
    writers.join()
    assert kill_after <= len(writers.acknowledged) < WRITES, "the kill came after the last write"
    server.start()
    found = listed(server.url)
    assert writers.acknowledged.items() <= found.items()
    assert len(found) <= writers.sent, "more profiles than were asked for"


def test_all_of_it_survives_an_orderly_end_too(fresh):
    server = fresh().start()
    bedrock = client(server.url, "bedrock")
    arn = bedrock.create_inference_profile(
        inferenceProfileName="kept", modelSource={"copyFrom": HAIKU_ARN}, tags=[{"key": "a", "value": "b"}]
    )["inferenceProfileArn"]
    assert server.stop() == 0
    bedrock = client(server.start().url, "bedrock")
    assert listed(server.url) == {"kept": arn}
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "a", "value": "b"}]
    bedrock.delete_inference_profile(inferenceProfileIdentifier=arn)
    server.kill()
    assert listed(server.start().url) == {}, "a delete that was acknowledged came back"


def test_a_page_token_outlives_a_restart(fresh):
    server = fresh().start()
    bedrock = client(server.url, "bedrock")
    for i in range(3):
        bedrock.create_inference_profile(inferenceProfileName=f"p{i}", modelSource={"copyFrom": HAIKU_ARN})
    first = bedrock.list_inference_profiles(typeEquals="APPLICATION", maxResults=1)
    server.kill()
    bedrock = client(server.start().url, "bedrock")
    rest = bedrock.list_inference_profiles(typeEquals="APPLICATION", nextToken=first["nextToken"])
    assert len(rest["inferenceProfileSummaries"]) == 2

"""A folder becomes a knowledge base and answers, by one command each: against a running server, and without one."""

import json
import os
import re
import signal
import subprocess
import threading

import pytest

from support.clients import client
from support.server import BIN, environment
from support.site import Site, page

ACCOUNT = "111122224444"
DOCUMENTS = {
    "restart.md": "# Restarting the indexer\n\nTo restart the indexing service run `systemctl restart indexer` on "
    "host ix-7. It takes four minutes to warm up.\n",
    "people/oncall.md": "# On-call rotation\n\nThe on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman "
    "owns the schedule.\n",
    "adr-012.md": "# ADR 12: queue\n\nWe chose NATS JetStream over Kafka in March 2024 because operations had two "
    "people only.\n",
}


def outcrop(server, *args, check=True, **env):
    env = environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", **env})
    place = ["--url", server.url] if server else []
    run = subprocess.run([BIN, "kb", *args, *place], env=env, capture_output=True, text=True, timeout=180)
    if check:
        assert run.returncode == 0, run.stderr
    return run


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "handbook"
    for name, text in DOCUMENTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tool.bin").write_bytes(b"\0\1")
    return root


@pytest.fixture
def added(server, folder):
    run = outcrop(server, "add", str(folder))
    assert "3 documents, 3 new, 3 chunks" in run.stdout
    assert "left out: 1 file of other kinds (.bin 1)" in run.stderr
    yield folder
    outcrop(server, "rm", "handbook")


def test_a_folder_answers_with_its_sources(server, added):
    answer = outcrop(server, "ask", "How do I restart the indexing service?").stdout
    assert "systemctl restart indexer" in answer
    said, sources = answer.split("\n[1] ", 1)
    assert "[1]" in said
    assert sources.startswith("restart.md")


def test_what_nothing_answers_is_refused(server, added):
    answer = outcrop(server, "ask", "What is the boiling point of tungsten?").stdout
    assert answer.startswith("Sorry, I am unable to assist you with this request."), answer


def test_passages_come_with_scores_and_filters(server, added):
    found = outcrop(server, "search", "who owns the schedule", "-n", "2").stdout
    assert found.startswith(" 1. 0.") or found.startswith(" 1. 1."), found
    assert "people/oncall.md" in found.splitlines()[0]
    found = json.loads(outcrop(server, "search", "owner", "--json", "--mode", "semantic").stdout)
    assert found["retrievalResults"][0]["location"]["type"] == "S3"
    bad = outcrop(server, "search", "owner", "--filter", "{", check=False)
    assert bad.returncode == 1 and "--filter is not JSON" in bad.stderr


def test_a_changed_folder_is_synced(server, added):
    (added / "adr-012.md").unlink()
    (added / "restart.md").write_text("To restart the indexer press the red button.\n")
    (added / "new.txt").write_text("The canteen opens at noon.\n")
    run = outcrop(server, "add", str(added))
    assert "3 documents, 1 new, 1 changed, 1 deleted" in run.stdout
    assert "red button" in outcrop(server, "search", "restart the indexer", "-n", "1").stdout
    assert "NATS" not in outcrop(server, "search", "NATS over Kafka", "-n", "10").stdout
    for path in added.rglob("*.*"):
        path.unlink()
    empty = outcrop(server, "add", str(added), check=False)
    assert empty.returncode == 1 and "there is no document in it" in empty.stderr
    assert "red button" in outcrop(server, "search", "restart the indexer", "-n", "1").stdout, "an empty folder deleted"


def test_another_folder_of_the_same_name_replaces_nothing(server, added, tmp_path):
    other = tmp_path / "else" / "handbook"
    other.mkdir(parents=True)
    (other / "a.md").write_text("Something else.\n")
    refused = outcrop(server, "add", str(other), check=False)
    assert refused.returncode == 1 and f"of another folder (Documents of {added})" in refused.stderr
    assert outcrop(server, "search", "red button", "-n", "1").returncode == 0


def test_what_cannot_be_made_leaves_nothing(server):
    refused = outcrop(server, "add", "http://127.0.0.1:9/", check=False)
    assert refused.returncode == 1 and "127-0-0-1-9" not in outcrop(server, "show").stdout


def test_it_is_shown(server, added):
    shown = outcrop(server, "show", "handbook").stdout
    assert "from       s3://outcrop-kb-handbook/" in shown and "3 scanned, 3 new" in shown
    # All that it took is known when it has ended: later nothing is added.
    (added / "new.txt").write_text("The canteen opens at noon.\n" * 200)
    cost = re.search(r"\d+ tokens, \$[\d.]+", outcrop(server, "add", str(added)).stdout)
    assert cost and cost.group() in outcrop(server, "show", "handbook").stdout
    assert "handbook" in outcrop(server, "show").stdout
    told = json.loads(outcrop(server, "show", "handbook", "--json").stdout)
    assert told["knowledgeBase"]["status"] == "ACTIVE"
    missing = outcrop(server, "show", "nowhere", check=False)
    assert missing.returncode == 1 and "there is no knowledge base nowhere. Those there are:" in missing.stderr


def test_what_is_left_out_is_counted_and_names_keep_to_their_line(server, tmp_path):
    root = tmp_path / "odd"
    root.mkdir()
    (root / "two\nlines.md").write_text("The orchard grows apples behind the mill.\n")
    (root / ".secret.md").write_text("Nobody reads this.\n")
    os.mkfifo(root / "pipe.md")
    try:
        said = outcrop(server, "add", str(root)).stderr
        assert "left out: 1 hidden (names that begin with a dot)" in said, said
        assert "left out: 1 special file (pipes, sockets, devices)" in said, said
        found = outcrop(server, "search", "who grows apples?", "--kb", "odd").stdout
        assert found.splitlines()[0].endswith("two\\nlines.md") and len(found.splitlines()) == 2, found
    finally:
        removed = outcrop(server, "rm", "odd")
    # Where nobody watches a bar, a line says what is waited for.
    assert "deleting odd (" in removed.stderr and "deleted odd (" in removed.stdout, removed


def test_settings_are_measured_and_the_cheapest_named(server, added, tmp_path):
    questions = tmp_path / "questions.jsonl"
    lines = [
        {"question": "How do I restart the indexing service?", "documents": ["restart.md"], "answer": "systemctl restart indexer"},
        {"question": "When does the on-call rotation change?", "documents": ["oncall.md"], "answer": "every Wednesday"},
        {"question": "Why was NATS chosen?", "documents": ["adr-012.md"], "answer": "operations had two people only"},
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    plot = tmp_path / "quality.svg"
    run = outcrop(
        server, "eval", str(questions), "--results", "1,3", "--model", "outcrop.smollm2-135m-instruct",
        "--chunking", "fixed:100:20,none", "--svg", str(plot), "--json",
    )
    rows = json.loads(run.stdout)
    assert [row["setting"].split()[0] for row in rows] == ["fixed:100:20", "fixed:100:20", "none", "none"]
    assert sum(row["best"] for row in rows) == sum(row["cheapestAsGood"] for row in rows) == 1, rows
    assert all(row["recall"] == 1.0 and row["ndcg10"] == 1.0 for row in rows), rows
    assert all(0 < row["answerF1"] <= 1 and row["p95Ms"] > 0 and row["dollarsPer1000"] == 0 for row in rows), rows
    assert plot.read_text().count("<circle") == 4
    assert "eval" not in outcrop(server, "show").stdout, "a copy was left behind"
    refused = outcrop(server, "eval", str(questions), "--svg", str(tmp_path / "no" / "x.svg"), check=False)
    assert refused.returncode == 1 and "x.svg" in refused.stderr
    questions.write_text('{"question": "?"}\n')
    bad = outcrop(server, "eval", str(questions), check=False)
    assert bad.returncode == 1 and "questions.jsonl:1: a line needs" in bad.stderr


def test_stand_ins_and_misspelt_documents_are_told(server, added, tmp_path):
    questions = tmp_path / "questions.jsonl"
    lines = [
        {"question": "How do I restart the indexing service?", "documents": ["restart.md", "restrat.md"]},
        {"question": "When does the on-call rotation change?", "documents": ["people/oncall.md"]},
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = outcrop(
        server, "eval", str(questions), "--json", "--rerank", "amazon.rerank-v1:0",
        "--model", "anthropic.claude-3-haiku-20240307-v1:0,outcrop.smollm2-135m-instruct",
    )
    assert f"{questions}:1: no document of handbook ends in restrat.md" in run.stderr
    assert run.stderr.count("no document") == 1, run.stderr
    standing, own = (row["setting"] for row in json.loads(run.stdout))
    assert standing.endswith("claude-3-haiku-20240307-v1:0 (served by outcrop.smollm2-135m-instruct)"), standing
    assert re.search(r"rerank=amazon.rerank-v1:0 \(served by [^)]+\)", own) and own.endswith(" outcrop.smollm2-135m-instruct"), own


def test_it_needs_no_running_server(folder, tmp_path):
    data = str(tmp_path / "data")
    assert "3 new" in outcrop(None, "add", str(folder), "--data", data).stdout
    answer = outcrop(None, "ask", "Who owns the on-call schedule?", "--data", data)
    assert "Priya Raman" in answer.stdout and "people/oncall.md" in answer.stdout
    assert answer.stderr == "", answer.stderr


class Slow:
    """A site whose only page is answered when `go_on` is set, a server that may crawl it, and `kb add` of it."""

    def __init__(self, fresh):
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.site = Site({"/docs/": self.page})
        self.server = fresh(config=f'[knowledge.crawler]\nprivate = ["{self.site.address}"]\n')
        self.server.start()

    def page(self, request):
        self.asked.set()
        self.go_on.wait(60)
        request.answer(200, page("Start", "Everything about the observatory."))

    def add(self):
        """A `kb add` whose job waits for the page."""
        self.asked.clear()
        env = environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"})
        command = [BIN, "kb", "add", f"{self.site.url}/docs/", "--name", "site", "--url", self.server.url]
        adding = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.asked.wait(60)
        return adding


@pytest.fixture
def slow(fresh):
    slow = Slow(fresh)
    with slow.site:
        yield slow
        slow.go_on.set()


def test_what_was_stopped_at_first_is_kept(slow):
    """Only a job that failed by itself, and read nothing, takes a new knowledge base with it."""
    adding = slow.add()
    agent = client(slow.server.url, "bedrock-agent", account=ACCOUNT)
    kb = agent.list_knowledge_bases()["knowledgeBaseSummaries"][0]["knowledgeBaseId"]
    ds = agent.list_data_sources(knowledgeBaseId=kb)["dataSourceSummaries"][0]["dataSourceId"]
    job = agent.list_ingestion_jobs(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJobSummaries"][0]
    agent.stop_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job["ingestionJobId"])
    said = adding.communicate(timeout=60)[1]
    assert adding.returncode == 1 and "ended as STOPPED" in said and "deleted" not in said, said
    assert "site" in outcrop(slow.server, "show").stdout


def test_a_jobs_cost_is_its_own(slow, folder):
    """What the same role does meanwhile is no part of it."""
    outcrop(slow.server, "add", str(folder))
    tokens = []
    for questions in (0, 3):
        slow.go_on.clear()
        adding = slow.add()
        for _ in range(questions):
            outcrop(slow.server, "search", "who owns the schedule", "--kb", "handbook")
        slow.go_on.set()
        tokens.append(re.search(r"(\d+) tokens", adding.communicate(timeout=60)[0]).group(1))
        outcrop(slow.server, "rm", "site")
    assert tokens[0] == tokens[1], tokens


def test_what_exists_keeps_how_it_was_made(server, added):
    for options, kept in [
        (["--chunking", "semantic"], "FIXED_SIZE"),
        (["--max-tokens", "100"], "FIXED_SIZE"),
        (["--embedding-model", "amazon.titan-embed-text-v2:0"], "outcrop.all-minilm-l6-v2"),
        (["--role", f"arn:aws:iam::{ACCOUNT}:role/another"], "role/outcrop-kb"),
    ]:
        for command in ("add", "watch"):
            refused = outcrop(server, command, str(added), *options, check=False)
            assert refused.returncode == 1, refused.stdout
            assert "leave --" in refused.stderr and options[0] in refused.stderr, refused.stderr
            assert kept in refused.stderr, refused.stderr
    outcrop(server, "add", str(added), "--chunking", "fixed", "--embedding-model", "outcrop.all-minilm-l6-v2")
    refused = outcrop(server, "add", str(added), "--depth", "2", check=False)
    assert refused.returncode == 1 and "leave them out for a folder" in refused.stderr


def test_what_fails_at_first_is_not_kept(server):
    gone = outcrop(server, "add", "s3://nosuchbucket-at-all/", check=False)
    assert gone.returncode == 1 and "nosuchbucket" not in outcrop(server, "show").stdout
    refused = outcrop(server, "watch", "s3://nosuchbucket-at-all/", check=False)
    assert refused.returncode == 1 and "watch looks at a folder" in refused.stderr
    assert "nosuchbucket" not in outcrop(server, "show").stdout


def test_a_job_that_is_under_way_is_followed_and_stopped(server, tmp_path):
    root = tmp_path / "many"
    root.mkdir()
    for n in range(150):
        (root / f"{n}.md").write_text(f"# Page {n}\n\n" + f"Paragraph {n} has words enough to be embedded. " * 60)
    env = environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"})
    command = [BIN, "kb", "add", str(root), "--url", server.url]
    first = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not re.search("STARTING|IN_PROGRESS", outcrop(server, "show", "many", check=False).stdout):
            assert first.poll() is None, first.communicate()
        first.send_signal(signal.SIGINT)
        said = first.communicate(timeout=60)[1]
        assert "goes on in the server: `outcrop kb show many`" in said, said
        again = outcrop(server, "add", str(root))
        assert "under way" in again.stderr and "150 documents" in again.stdout
    finally:
        first.kill()
        outcrop(server, "rm", "many")

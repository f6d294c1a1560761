"""Data sources that are synchronised without being asked: by tag, by configuration, by a connector's own schedule."""

import contextlib
import pathlib
import sqlite3
import subprocess

import pytest

from support.clients import client, raises
from support.knowledge import base, bucket_source, counted, ended, given, source
from support.server import BIN
from support.waiting import until

ACCOUNT = "555544443340"
BUCKET = "scheduled-documents"
EVERY = "outcrop:sync-every"


@pytest.fixture
def running(fresh):
    return fresh().start()


@pytest.fixture
def agent(running):
    return client(running.url, "bedrock-agent", account=ACCOUNT)


@pytest.fixture
def s3(running):
    made = client(running.url, "s3", account=ACCOUNT)
    made.create_bucket(Bucket=BUCKET)
    made.put_object(Bucket=BUCKET, Key="a.txt", Body=b"The red apple.")
    return made


def jobs(agent, kb, ds):
    return agent.list_ingestion_jobs(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJobSummaries"]


def arn(agent, kb):
    return agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]["knowledgeBaseArn"]


def test_a_tag_has_sources_synchronised_again_and_again(running, agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    raises(
        lambda: agent.tag_resource(resourceArn=arn(agent, kb), tags={EVERY: "often"}),
        "ValidationException", "such as 90s, 15m, 1h or 2d",
    )
    agent.tag_resource(resourceArn=arn(agent, kb), tags={EVERY: "1s"})
    until(lambda: len(jobs(agent, kb, ds)) >= 2, 60, "two jobs that nobody started")
    s3.put_object(Bucket=BUCKET, Key="b.txt", Body=b"The green pear.")
    until(lambda: any(counted(job).get("NewDocumentsIndexed") and counted(job)["DocumentsScanned"] == 2
                      for job in jobs(agent, kb, ds)), 60, "the new document")
    # Never two at a time.
    found = jobs(agent, kb, ds)
    assert len([job for job in found if job["status"] in ("STARTING", "IN_PROGRESS")]) <= 1
    # It goes on after a restart that came without a word.
    running.kill()
    running.start()
    after = client(running.url, "bedrock-agent", account=ACCOUNT)
    until(lambda: len(jobs(after, kb, ds)) > len(found) + 1, 60, "jobs after the restart")
    after.untag_resource(resourceArn=arn(after, kb), tagKeys=[EVERY])
    until(lambda: all(job["status"] == "COMPLETE" for job in jobs(after, kb, ds)), 60, "the end of the last job")


def test_a_tag_given_at_the_creation_is_a_schedule(agent, s3):
    raises(
        lambda: base(agent, ACCOUNT, tags={EVERY: "often"}), "ValidationException", "such as 90s, 15m, 1h or 2d",
    )
    assert agent.list_knowledge_bases()["knowledgeBaseSummaries"] == []
    kb = base(agent, ACCOUNT, tags={EVERY: "1s"})
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    until(lambda: jobs(agent, kb, ds), 60, "a job that nobody started")


def test_one_that_cannot_be_looked_at_keeps_no_other_waiting(running, agent, s3):
    first, second = base(agent, ACCOUNT, "first"), base(agent, ACCOUNT, "second")
    ds = source(agent, second, configuration=bucket_source(BUCKET))
    for kb in (first, second):
        agent.tag_resource(resourceArn=arn(agent, kb), tags={EVERY: "2d"})
    running.stop()
    with contextlib.closing(sqlite3.connect(running.data / "outcrop.db")) as rows, rows:
        damage = "UPDATE documents SET body = ? WHERE kind = 'knowledge-base' AND id = ?"
        assert rows.execute(damage, (b"{}", first)).rowcount == 1
    running.start()
    again = client(running.url, "bedrock-agent", account=ACCOUNT)
    again.tag_resource(resourceArn=arn(again, second), tags={EVERY: "1s"})
    until(lambda: jobs(again, second, ds), 60, "a job of the second")


def test_the_command_sets_and_shows_it(running, agent, s3):
    def outcrop(*args, check=True):
        run = subprocess.run(
            [BIN, "kb", *args, "--url", running.url], capture_output=True, text=True, timeout=120,
            env={"PATH": "/usr/bin", "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x"},
        )
        assert not check or run.returncode == 0, run.stderr
        return run

    outcrop("add", f"s3://{BUCKET}", "--name", "fruit", "--every", "1h")
    shown = outcrop("show", "fruit").stdout
    assert "sync       every 1h, next " in shown, shown
    outcrop("add", f"s3://{BUCKET}", "--name", "fruit", "--every", "never")
    assert "next" not in outcrop("show", "fruit").stdout
    here = str(pathlib.Path(__file__).parent)
    wrong = outcrop("add", here, "--every", "1h", check=False)
    assert wrong.returncode == 1 and "outcrop kb watch" in wrong.stderr
    wrong = outcrop("add", f"s3://{BUCKET}", "--every", "soon", check=False)
    assert wrong.returncode == 1 and "90s, 15m, 1h or 2d" in wrong.stderr


def managed(agent):
    configuration = {"type": "MANAGED", "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"}}
    asked = given(ACCOUNT, "managed", knowledgeBaseConfiguration=configuration)
    del asked["storageConfiguration"]
    return agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"]


def connector(parameters, **rest):
    return {
        "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
        "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": parameters, **rest},
    }


S3 = {"type": "S3", "version": "1", "connectionConfiguration": {"bucketName": BUCKET}}


def test_a_connector_has_a_schedule_and_protects_what_it_has(running, agent, s3):
    for number in range(9):
        s3.put_object(Bucket=BUCKET, Key=f"more/{number}.txt", Body=f"Pear number {number}.".encode())
    kb = managed(agent)
    told = connector(
        S3, syncSchedule={"weekly": {"dayOfWeek": "MONDAY"}},
        deletionProtectionConfiguration={"deletionProtectionStatus": "ENABLED", "deletionProtectionThreshold": 20},
    )
    ds = source(agent, kb, configuration=told)
    assert agent.get_data_source(knowledgeBaseId=kb, dataSourceId=ds)["dataSource"]["dataSourceConfiguration"] == told

    def sync():
        job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
        return ended(agent, kb, ds, job)

    assert counted(sync()) == {"DocumentsScanned": 10, "NewDocumentsIndexed": 10}
    for number in range(3):
        s3.delete_object(Bucket=BUCKET, Key=f"more/{number}.txt")
    done = sync()
    assert done["status"] == "COMPLETE" and counted(done) == {"DocumentsScanned": 7}, "more than a fifth would have gone"
    (reason,) = done["failureReasons"]
    assert "3 of 10 documents" in reason and "20 %" in reason and "deletionProtectionThreshold" in reason, reason
    for number in range(2):
        s3.put_object(Bucket=BUCKET, Key=f"more/{number}.txt", Body=f"Pear number {number}.".encode())
    done = sync()
    assert counted(done)["DocumentsDeleted"] == 1 and "failureReasons" not in done, done


def test_what_a_connector_cannot_do_is_said(agent):
    kb = managed(agent)
    for parameters, code, text, status in [
        ({**S3, "aclEnabled": True}, "ValidationException", "aclEnabled", 400),
        ({"type": "S3", "version": "1"}, "ValidationException", "bucketName", 400),
        ({"type": "ONEDRIVE", "version": "1"}, "NotImplementedException", "ONEDRIVE", 501),
    ]:
        raises(lambda: source(agent, kb, configuration=connector(parameters)), code, text, status)
    other = base(agent, ACCOUNT)
    raises(
        lambda: source(agent, other, configuration=connector(S3)), "ValidationException", "MANAGED knowledge bases",
    )

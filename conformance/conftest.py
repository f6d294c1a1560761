"""Fixtures of the suite: one `outcrop dev` for the whole session, and clients of it."""

import os

import pytest

from support import coverage
from support.ask import LOGS
from support.clients import client
from support.server import BIN, HIDDEN, Server


# What the generated probes counted, printed at the end.
probed = []


def pytest_addoption(parser):
    parser.addoption("--write-expected", action="store_true", help="write the lists of expected/ anew")


def pytest_configure(config):
    for name in HIDDEN:
        os.environ.pop(name, None)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not os.access(BIN, os.X_OK):
        pytest.exit(f"no server at {BIN}: `make build`, or name one in OUTCROP_BIN", returncode=2)


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.config.option.collectonly:
        return
    if probed:
        terminalreporter.section("generated probes")
        for line in probed:
            terminalreporter.write_line(line)
    terminalreporter.section("coverage by operation")
    terminalreporter.write_line(coverage.write())


@pytest.fixture(scope="session")
def record_probes():
    return probed


@pytest.fixture(scope="session")
def server():
    with Server() as running:
        (running.data / "buckets" / LOGS).mkdir(parents=True)
        yield running


@pytest.fixture(scope="session")
def runtime(server):
    return client(server.url, "bedrock-runtime")


@pytest.fixture(scope="session")
def bedrock(server):
    return client(server.url, "bedrock")


@pytest.fixture
def fresh():
    """Makes servers of a test's own, not yet started, and removes them afterwards."""
    made = []

    def make(*args, **kwargs):
        made.append(Server(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.remove()

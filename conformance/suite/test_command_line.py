"""The `outcrop` command: help that teaches, errors that say what to do next."""

import json
import re
import subprocess

import pytest

from support import contract, lists
from support.server import BIN, environment, outcrop

COMMANDS = ("dev", "serve", "chat", "models", "keys", "access", "config", "budgets", "doctor")


def test_help_names_every_command():
    done = outcrop("--help")
    assert done.returncode == 0
    assert all(re.search(rf"^\s+{name}\b", done.stdout, re.M) for name in COMMANDS), done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command):
    done = outcrop(command, "--help")
    assert done.returncode == 0 and len(done.stdout) > 100


def test_version():
    assert re.fullmatch(r"outcrop \d+\.\d+\.\d+\S*", outcrop("--version").stdout.strip())


@pytest.mark.parametrize("args", [["devv"], ["dev", "--lissten", "x"], ["models", "pul"]])
def test_a_misspelling_is_guessed(args):
    done = outcrop(*args)
    assert done.returncode == 2 and "similar" in done.stderr, done.stderr


def test_an_address_that_is_none(tmp_path):
    done = outcrop("dev", "--listen", "nowhere", "--data", str(tmp_path))
    assert done.returncode not in (0, 101) and "nowhere" in done.stderr, done.stderr


class TestKeys:
    def test_one_is_printed_for_people_and_for_programs(self, tmp_path):
        people = outcrop("keys", "create", "--data", str(tmp_path), "--account", "123456789012")
        assert people.returncode == 0 and re.search(r"\bA[A-Z0-9]{15,}\b", people.stdout), people
        programs = outcrop("keys", "create", "--data", str(tmp_path), "--account", "123456789012", "--json")
        made = json.loads(programs.stdout)
        assert len(made) >= 2 and people.stdout.find(str(list(made.values())[0])) == -1, "two keys are never the same"

    @pytest.mark.parametrize("account", ["12", "12345678901x", ""])
    def test_an_account_has_twelve_digits(self, tmp_path, account):
        done = outcrop("keys", "create", "--data", str(tmp_path), "--account", account)
        assert done.returncode not in (0, 101) and "12" in done.stderr, done.stderr


class TestModels:
    def test_pull_is_quick_the_second_time(self):
        done = outcrop("models", "pull", timeout=600)
        assert done.returncode == 0, done.stderr

    def test_the_list_shows_both_defaults(self):
        done = outcrop("models", "list")
        assert done.returncode == 0
        assert "smollm2" in done.stdout.lower() and "minilm" in done.stdout.lower(), done.stdout

    def test_show_tells_the_licence_and_the_hash(self):
        name = re.search(r"\S*smollm2\S*", outcrop("models", "list").stdout, re.I)[0]
        done = outcrop("models", "show", name)
        assert done.returncode == 0 and "Apache-2.0" in done.stdout, done
        assert "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" in done.stdout

    def test_one_that_does_not_exist(self):
        done = outcrop("models", "show", "no-such-model")
        assert done.returncode not in (0, 101) and "no-such-model" in done.stderr

    def test_a_file_that_is_no_model(self, tmp_path):
        path = tmp_path / "broken.gguf"
        path.write_bytes(b"this is not a model")
        done = outcrop("models", "pull", str(path))
        assert done.returncode not in (0, 101) and "broken.gguf" in done.stderr, done.stderr


class TestDoctor:
    def test_it_looks_around(self):
        done = outcrop("doctor")
        assert done.returncode in (0, 1) and done.stdout.strip()

    def test_it_tells_what_is_built(self):
        done = outcrop("doctor", "--operations")
        assert done.returncode == 0
        missing = {line.split(":")[1] for line in lists.read("not-implemented.txt")}
        for _, operation in contract.operations():
            assert re.search(rf"\b{operation.name}\b", done.stdout), operation.name
        assert "CreateModelImportJob" in missing


class TestChat:
    def test_a_conversation_over_a_pipe(self, server):
        asked = "My name is Ada.\nWhat is my name?\n"
        done = subprocess.run(
            [BIN, "chat", "--url", server.url], input=asked, env=environment(), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()

    def test_no_server_is_a_plain_sentence(self):
        done = subprocess.run(
            [BIN, "chat", "--url", "http://127.0.0.1:9"],
            input="hi\n",
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode not in (0, 101) and "127.0.0.1:9" in done.stderr, done.stderr

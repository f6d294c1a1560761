"""`outcrop config`: look at a configuration, put it in force without a restart, whole or not at all."""

import signal
import threading

import pytest

from support.ask import HAIKU, converse, text, user
from support.clients import client
from support.server import outcrop
from support.waiting import until


def check(path, **env):
    return outcrop("config", "check", str(path), env=env)


def reload(server, *args):
    return outcrop("config", "reload", "--data", str(server.data), *args)


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "outcrop.toml"
        path.write_text(content)
        return path

    return write


class TestCheck:
    def test_the_defaults_are_a_configuration(self, file):
        defaults = outcrop("config", "defaults")
        assert defaults.returncode == 0 and "[limits]" in defaults.stdout
        # The suite's servers look for no providers; here the file's own word counts.
        done = check(file(defaults.stdout), OUTCROP_DISCOVER="")
        assert done.returncode == 0 and done.stdout == "ok\n", done

    def test_what_is_set_is_shown(self, file):
        done = check(file("[limits]\nconnections = 7\n"), OUTCROP_REGION="eu-west-1")
        assert done.returncode == 0 and done.stdout.endswith("ok\n")
        assert "limits.connections: 4096 -> 7" in done.stdout and '-> "eu-west-1"' in done.stdout, done.stdout

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("[limits]\nconections = 7", "line 2: unknown key `conections`. Did you mean `connections`?"),
            ('listen = "10.0.0.1:7711"', "without TLS"),
            ('listen = "unix:x"', "whole path"),
            ('[[local_models]]\nname = "m"\nfile = "/no/such.gguf"', "/no/such.gguf"),
            ('trusted_proxies = ["10.0.0.0/99"]', "10.0.0.0/99"),
            ('[[models]]\nid = "broken"', "broken"),
            # What only a start made of it, once.
            ('[[providers]]\nname = "aws"\nkind = "bedrock"', "region"),
            ('[[providers]]\nname = "far"\nkind = "openai"\nurl = "no url"', "far"),
            ('[[providers]]\nname = "taped"\nkind = "openai"\nurl = "http://127.0.0.1:1"\nrecordings = "/no/such"', "/no/such"),
            ('[[providers]]\nname = "said"\nkind = "scripted"\nscript = "/no/such.toml"', "/no/such.toml"),
            ('[[routes]]\nmodel = "no.such-model"\n[[routes.targets]]\nprovider = "local"', "no.such-model"),
            ('[provisioned.models."no.such-model"]\nunits = 1', "no.such-model"),
            ('[stand_ins]\ntext = "no-such-model"', "no-such-model"),
            ('[[guardrails.judges]]\nguardrail = "*"\nmodel = "no.such-model"', "`no.such-model` is no model"),
            ('[[guardrails.judges]]\nguardrail = "*"\nmodel = "cohere.embed-english-v3"', "writes no text"),
        ],
    )
    def test_what_is_wrong_is_told(self, file, content, said):
        done = check(file(content))
        assert done.returncode == 1 and said in done.stderr and "ok" not in done.stdout.split(), done

    def test_a_file_that_is_not_there(self, tmp_path):
        done = check(tmp_path / "absent.toml")
        assert done.returncode == 1 and "absent.toml" in done.stderr


class TestReload:
    def test_a_change_holds_at_once_and_a_stream_goes_on(self, fresh):
        server = fresh(config='[stand_ins]\nmode = "on"\n').start()
        runtime = client(server.url, "bedrock-runtime")
        stream = runtime.converse_stream(
            modelId=HAIKU,
            messages=[user("Write a long story about a ship.")],
            inferenceConfig={"maxTokens": 200, "temperature": 0.9},
        )
        events = iter(stream["stream"])
        next(events)
        server.config_path.write_text('[stand_ins]\nmode = "off"\n[limits]\nrequests = 9\n')
        would = reload(server, "--dry-run")
        assert would.returncode == 0 and 'stand_ins.mode: "on" -> "off"' in would.stdout, would
        assert text(converse(runtime, tokens=2))
        done = reload(server)
        assert done.returncode == 0 and "limits.requests: 1024 -> 9" in done.stdout, done
        assert 'stand_ins.mode: "on" -> "off"' in done.stdout and done.stdout.endswith("ok\n"), done.stdout
        with pytest.raises(runtime.exceptions.ClientError):
            converse(runtime, tokens=2)
        kinds = [next(iter(event)) for event in events]
        assert kinds[-2:] == ["messageStop", "metadata"], kinds[-3:]
        again = reload(server)
        assert again.returncode == 0 and "no setting differs" in again.stdout, again

    def test_a_bad_file_changes_nothing_and_is_told_to_who_asked(self, fresh):
        server = fresh(config='[dev]\naccount = "111111111111"\n').start()
        account = lambda: client(server.url, "sts").get_caller_identity()["Account"]
        assert account() == "111111111111"
        for content, said in [
            ('[dev]\naccount = "222222222222"\ncolour = 1', "line 3: unknown key `colour`"),
            ('[dev]\naccount = "222222222222"\n[limit]\nrequests = 1', "Did you mean `limits`?"),
            ('[dev]\naccount = "222222222222"\n[tls]\ncert = "/no/cert"\nkey = "/no/key"', "/no/cert"),
            ('[dev]\naccount = "222222222222"\n[[models]]\nid = "broken"', "broken"),
            (
                '[dev]\naccount = "222222222222"\n[[access.users]]\naccount = "123456789012"\nname = "a"\npolicies = ["no-such"]',
                "no-such",
            ),
            ("no toml", "line 1"),
        ]:
            server.config_path.write_text(content)
            done = reload(server)
            assert done.returncode == 1 and said in done.stderr and "left as it is" in done.stderr, done
            assert account() == "111111111111"
        assert "nothing was changed" in server.log_text
        server.config_path.write_text('[dev]\naccount = "222222222222"\n')
        assert reload(server).returncode == 0
        assert account() == "222222222222"

    def test_what_needs_a_restart_is_said(self, fresh):
        server = fresh(config="").start()
        server.config_path.write_text('[engine]\nmax_waiting = 3\n[dev]\nregion = "eu-west-1"\n')
        done = reload(server)
        changed, restart = done.stdout.split("only after a restart:")
        assert "dev.region" in changed and "engine.max_waiting: 256 -> 3" in restart, done.stdout

    def test_a_hangup_reloads_too(self, fresh):
        server = fresh(config="").start()
        server.config_path.write_text('[dev]\naccount = "333333333333"\n')
        server.process.send_signal(signal.SIGHUP)
        account = lambda: client(server.url, "sts").get_caller_identity()["Account"]
        until(lambda: account() == "333333333333", 30, "the new account")
        server.config_path.write_text("broken")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "nothing was changed" in server.log_text, 30, "the complaint in the log")
        assert account() == "333333333333"

    def test_many_at_once_end_at_the_last(self, fresh):
        server = fresh(config="").start()
        server.config_path.write_text('[dev]\naccount = "444444444444"\n')
        results = []
        asks = [threading.Thread(target=lambda: results.append(reload(server).returncode)) for _ in range(6)]
        for one in asks:
            one.start()
        for one in asks:
            one.join(60)
        assert results == [0] * 6
        assert client(server.url, "sts").get_caller_identity()["Account"] == "444444444444"

    def test_without_a_server_it_says_so(self, tmp_path):
        done = outcrop("config", "reload", "--data", str(tmp_path))
        assert done.returncode == 1 and "no server runs" in done.stderr and str(tmp_path) in done.stderr, done.stderr

    def test_the_control_socket_is_its_owner_s(self, fresh):
        server = fresh().start()
        socket = server.data / "control.sock"
        until(socket.exists, 10, "the control socket")
        found = socket.stat()
        assert found.st_mode & 0o777 == 0o600
        server.kill()
        assert server.start() and reload(server).returncode == 0

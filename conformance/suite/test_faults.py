"""What breaks around the server: weights that are missing or damaged, a disk that is full."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from support.ask import HAIKU_ARN, TITAN_EMBED, converse, invoke
from support.clients import client
from support.server import healthy

SERVER_FAULTS = ("InternalServerException", "ServiceUnavailableException", "ModelNotReadyException", "ModelErrorException")


def models_folder():
    named = os.environ.get("OUTCROP_MODELS")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(named) if named else cache / "outcrop" / "models"


def fails(call):
    """The code with which a call fails that the server is to blame for; retries are off, so one answer."""
    with pytest.raises(Exception) as error:
        call()
    answer = getattr(error.value, "response", None)
    assert answer, error.value
    assert answer["Error"]["Code"] in SERVER_FAULTS, answer
    return answer["Error"]["Message"]


@pytest.fixture
def models(tmp_path):
    """A folder of models of this test's own: links to the real ones."""
    shutil.copytree(models_folder(), tmp_path / "models", copy_function=os.symlink)
    return tmp_path / "models"


def weights(models, ending):
    (found,) = models.glob("*/*" + ending)
    return found


class TestWeights:
    def start(self, fresh, models):
        return fresh(env={"OUTCROP_MODELS": str(models)}).start()

    @pytest.mark.parametrize("damage", [b"", b"GGUF", b"GGUF" + b"\xff" * 4096], ids=["empty", "cut", "noise"])
    def test_a_damaged_text_model_fails_alone(self, fresh, models, damage):
        path = weights(models, ".gguf")
        path.unlink()
        path.write_bytes(damage)
        server = self.start(fresh, models)
        runtime = client(server.url, "bedrock-runtime")
        message = fails(lambda: converse(runtime, tokens=1))
        assert str(models) not in message, message
        assert healthy(server.url) and len(invoke(runtime, TITAN_EMBED, {"inputText": "a"})[0]["embedding"]) == 1024
        assert "panicked" not in server.log_tail()

    def test_a_cut_file_with_a_good_beginning(self, fresh, models):
        path = weights(models, ".gguf")
        real = path.resolve()
        path.unlink()
        with real.open("rb") as whole:
            path.write_bytes(whole.read(real.stat().st_size // 2))
        server = self.start(fresh, models)
        fails(lambda: converse(client(server.url, "bedrock-runtime"), tokens=1))
        assert healthy(server.url)

    def test_a_missing_embedding_model_fails_alone(self, fresh, models):
        shutil.rmtree(weights(models, ".safetensors").parent)
        server = self.start(fresh, models)
        runtime = client(server.url, "bedrock-runtime")
        fails(lambda: runtime.invoke_model(modelId=TITAN_EMBED, body=json.dumps({"inputText": "a"})))
        assert converse(runtime, tokens=1)["usage"]["outputTokens"] == 1


class TestFullDisk:
    @pytest.fixture
    def small(self, tmp_path):
        """A disk of four megabytes."""
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small disk needs root")
        yield tmp_path
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)

    def test_a_write_fails_and_the_next_succeeds_once_there_is_room(self, fresh, small):
        server = fresh(data=small / "data").start()
        bedrock = client(server.url, "bedrock")

        def create(name):
            return bedrock.create_inference_profile(inferenceProfileName=name, modelSource={"copyFrom": HAIKU_ARN})

        kept = create("before")["inferenceProfileArn"]
        filler = small / "filler"
        with filler.open("wb") as file, pytest.raises(OSError):
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        # A database has a few pages of its own in hand, so the first writes may still fit.
        with pytest.raises(bedrock.exceptions.ClientError) as error:
            for i in range(2000):
                create(f"during {i}")
        assert error.value.response["Error"]["Code"] in SERVER_FAULTS, error.value.response
        assert bedrock.get_inference_profile(inferenceProfileIdentifier=kept)["status"] == "ACTIVE"
        filler.unlink()
        create("after")

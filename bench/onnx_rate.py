"""How fast onnxruntime embeds with the weights that the engine uses, on one thread. Prints a number per CPU second.

    PYTHON_WITH_TORCH bench/onnx_rate.py FOLDER_OF_MINILM TEXT

Needs torch, transformers, onnx and onnxruntime; `scripts/goldens` makes such an environment. `bench/direct.py` runs this
where ONNX_PYTHON names its interpreter.
"""

import os
import pathlib
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch
import transformers

ROUNDS = 5
CALLS = 50


class Encoder(torch.nn.Module):
    """The model with three inputs and one output, which is all that the exporter is to see."""

    def __init__(self, folder):
        super().__init__()
        self.model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, ids, mask, types):
        return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


def export(folder, path):
    """The encoder as an ONNX graph: the same weights, float32, any length."""
    ids = torch.ones((1, 8), dtype=torch.int64)
    names, free = ["input_ids", "attention_mask", "token_type_ids"], {0: "batch", 1: "length"}
    torch.onnx.export(
        Encoder(folder), (ids, ids, ids * 0), str(path), input_names=names, output_names=["hidden"],
        dynamic_axes={name: free for name in [*names, "hidden"]}, dynamo=False,
    )


def main(folder, text):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "model.onnx"
        export(folder, path)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

        def embed():
            words = tokenizer(text, truncation=True, max_length=256, return_tensors="np")
            inputs = {name: words[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
            (hidden,) = session.run(["hidden"], inputs)
            pooled = hidden[0].mean(axis=0)
            return pooled / numpy.linalg.norm(pooled)

        embed()
        best = 0.0
        for _ in range(ROUNDS):
            before = time.process_time()
            for _ in range(CALLS):
                embed()
            best = max(best, CALLS / (time.process_time() - before))
    print(f"{best:.1f}")


if __name__ == "__main__":
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    main(pathlib.Path(sys.argv[1]), sys.argv[2])

"""Makes minilm.json: what all-MiniLM-L6-v2 answers, computed in double precision by an independent forward pass and
by the `tokenizers` library. Run by hand when the texts change:

    pip install numpy tokenizers safetensors
    python make.py ~/.cache/outcrop/models/all-minilm-l6-v2 > minilm.json
"""

import json
import math
import sys

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

TEXTS = [
    "Amazon Bedrock answers through one API.",
    "",
    "Ünïcödé façade, naïve Straße, ΑΘΉΝΑ İstanbul — “quotes” … 東京タワー 서울 Москва नमस्ते 🦀 soft\u00adhyphen zero\u200bwidth",
    " ".join(f"Sentence {i} says that number {i * 37 % 101} is not the last." for i in range(40)),
    'fn main() { println!("{:?}", x[0]); } // [SEP] and [MASK] are marks, [sep] is not; $100.50 C++',
    "tab\tline\nreturn\r\x00\x07 \ufffd\u00a0\u3000" + "x" * 100 + " " + "y" * 101 + " supercalifragilisticexpialidocious",
]
IDS_ONLY = [
    "   ", "a", "[CLS]", "[PAD][UNK]", "[[SEP]]", "##ing", "don't", "e\u0301 \u00e9 \u1e69", "ﬁne ﬂow", "½ ² ① Ⅷ", "한국어 띄어쓰기",
    "ไทย ภาษา", "العَرَبِيَّة", "עִבְרִית", "हिन्दी", "日本語とカタカナ", "\U00020000\U0002a700", "a\u2028b\u2029c\u0085d", "👩‍👩‍👧 🏳️‍🌈",
    "ǅ ß ẞ ŉ ΐ", "ς Σ ΟΔΟΣ", "١٢٣ 123 1,234.56", "_under_score_ -dash- —em—", "«guillemets» ‹single› „low“", "€£¥₹ + < = > ^ ` | ~",
    "\ue000private\uf8ff", "\ufeffbom", "x\u0300\u0301\u0302y", "i̇ I İ ı", "https://example.com/a?b=c&d=%20#e", "user@example.org",
    "unaffable", "antidisestablishmentarianism", "zzzzqqqqxxxx", "\x7f\x80\x9f", "　全角　ＡＢＣ", "〆切 々 〇", "ｶﾀｶﾅ", "❤ ♥ ☃ ∑ ∞ ≠",
]


def main(folder):
    weights = {k: v.astype(np.float64) for k, v in load_file(f"{folder}/model.safetensors").items()}
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        cut = ids if len(ids) <= 256 else ids[:255] + ids[-1:]
        layers = forward(weights, cut)
        mean = layers[-1].mean(axis=0)
        cases.append({
            "text": text,
            "tokens": len(ids) - 2,
            "ids": cut,
            "vector": [round(float(x), 7) for x in mean / np.linalg.norm(mean)],
            # Of every layer: the first token's first four values and the last token's last four.
            "layers": [[round(float(x), 5) for x in [*states[0, :4], *states[-1, -4:]]] for states in layers],
        })
    ids = [{"text": text, "ids": tokenizer.encode(text).ids} for text in IDS_ONLY]
    json.dump({"cases": cases, "ids": ids}, sys.stdout, ensure_ascii=True, separators=(",", ":"))
    print()


def forward(weights, ids):
    def dense(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12) * weights[name + ".weight"] + weights[name + ".bias"]

    embeddings = "embeddings."
    x = weights[embeddings + "word_embeddings.weight"][ids] + weights[embeddings + "position_embeddings.weight"][: len(ids)]
    x = norm(x + weights[embeddings + "token_type_embeddings.weight"][0], embeddings + "LayerNorm")
    states = [x]
    for layer in range(6):
        at = f"encoder.layer.{layer}."
        query, key, value = (
            dense(x, f"{at}attention.self.{name}").reshape(-1, 12, 32).transpose(1, 0, 2) for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(32)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        context = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, 384)
        x = norm(dense(context, at + "attention.output.dense") + x, at + "attention.output.LayerNorm")
        inner = dense(x, at + "intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = norm(dense(inner, at + "output.dense") + x, at + "output.LayerNorm")
        states.append(x)
    return states


main(sys.argv[1])

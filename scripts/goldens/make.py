"""Makes the golden files of the engine: tiny random models as GGUF and what Hugging Face transformers computes with
them, and what onnxruntime computes with MiniLM's weights. Run through make.sh; the result is checked in.

    python make.py OUT_FOLDER [MINILM_FOLDER]
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers import Qwen3Config, Qwen3ForCausalLM

SEED = 20
# The engine keeps keys and values in half precision, so a step is only golden where the best token leads by more
# than that can move it.
MARGIN = 0.2
CONTINUATION = 12

MERGES = [
    "t h", "h e", "i n", "e r", "a n", "r e", "th e", "o n", "a t", "e n", "n d", "o r", "e s", "in g", "an d", "Ġ t",
    "Ġ a", "Ġt he", "Ġ w", "Ġ s", "Ġ o", "Ġo f", "Ġa nd", "c h", "l l", "Ġ c", "u t", "i t",
]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXTS = [
    "the thing and the other thing",
    "It's 12345 o'clock;  naïve 漢字 🦀\n\n\tfn main() { x += 1; }   ",
    "Then and there the ants of the west went in.",
]


def byte_letters():
    """GPT-2's letters for bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {}, 0
    for byte in range(256):
        if byte in printable:
            letters[byte] = chr(byte)
        else:
            letters[byte], extra = chr(256 + extra), extra + 1
    return [letters[byte] for byte in range(256)]


TOKENS = byte_letters() + [merge.replace(" ", "") for merge in MERGES] + SPECIALS
assert len(set(TOKENS)) == len(TOKENS)
VOCABULARY = len(TOKENS)
COMMON = dict(
    vocab_size=VOCABULARY,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=TOKENS.index("<|endoftext|>"),
    eos_token_id=TOKENS.index("<|im_end|>"),
    attn_implementation="eager",
)
SHAPES = {
    "llama": (LlamaForCausalLM, LlamaConfig(**COMMON, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**COMMON, rms_norm_eps=1e-6, rope_theta=100000.0, tie_word_embeddings=True)),
    "qwen3": (
        Qwen3ForCausalLM,
        Qwen3Config(**COMMON, head_dim=32, rms_norm_eps=1e-6, rope_theta=1000000.0, tie_word_embeddings=True),
    ),
}


def randomise(model):
    """Weights at which every part of the network moves the answer: plain initialisation leaves attention flat."""
    generator = torch.Generator().manual_seed(SEED)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith(("q_norm.weight", "k_norm.weight")):
            value = 1.5 + 0.3 * noise
        elif "norm" in name.lower() and name.endswith("weight"):
            value = 1.0 + 0.1 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed" in name or "lm_head" in name:
            # Small, so that the epsilon of the first norm counts.
            value = (0.05 if "embed" in name else 0.3) * noise
        else:
            value = noise / parameter.shape[-1] ** 0.5
        parameter.data.copy_(value)
    if model.config.tie_word_embeddings:
        # The same table makes the logits, so the last norm makes up for its smallness.
        model.model.norm.weight.data.mul_(6.0)
    return model.eval()


def rope_theta(config):
    return getattr(config, "rope_theta", None) or config.rope_parameters["rope_theta"]


def tokenizer():
    vocabulary = {token: index for index, token in enumerate(TOKENS[: -len(SPECIALS)])}
    found = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in MERGES]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    found.decoder = decoders.ByteLevel()
    found.add_special_tokens(SPECIALS)
    return found


def permuted(weight, heads):
    """Llama's rotary pairs are neighbours in GGUF and halves apart in transformers."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(path, architecture, model):
    config = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"tiny random {architecture}")
    writer.add_license("Apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_freq_base(rope_theta(config))
    if architecture == "llama":
        writer.add_rope_dimension_count(head)
        writer.add_vocab_size(VOCABULARY)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIALS else gguf.TokenType.NORMAL for t in TOKENS])
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_chat_template(TEMPLATE)
    parts = {
        "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
        "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    }  # fmt: skip
    outer = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for name, parameter in model.named_parameters():
        value = parameter.detach().float().numpy()
        stem, kind = name.rsplit(".", 1)
        if stem in outer:
            target = outer[stem]
        else:
            _, _, layer, part = stem.split(".", 3)
            target = f"blk.{layer}.{parts[part]}"
            if architecture == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
                heads = config.num_attention_heads if "q_proj" in part else config.num_key_value_heads
                value = permuted(value, heads)
        writer.add_tensor(f"{target}.{kind}", np.ascontiguousarray(value, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def margin(logits):
    best = torch.topk(logits, 2).values
    return float(best[0] - best[1])


def text_cases(model):
    generator = torch.Generator().manual_seed(SEED + 1)
    cases = []
    for length in (1, 9, 60, 150):
        # Among random prompts, the first whose whole continuation is decided clearly.
        for _ in range(2000):
            ids = torch.randint(0, VOCABULARY - len(SPECIALS), (length,), generator=generator).tolist()
            continuation, first = [], None
            with torch.no_grad():
                for _ in range(CONTINUATION):
                    logits = model(torch.tensor([ids + continuation])).logits[0, -1]
                    first = logits if first is None else first
                    if margin(logits) < MARGIN:
                        break
                    continuation.append(int(logits.argmax()))
            if len(continuation) == CONTINUATION:
                break
        else:
            raise SystemExit(f"no clear continuation of {length} tokens; try another seed")
        logits = [round(float(x), 4) for x in first]
        cases.append({"prompt": ids, "logits": logits, "continuation": continuation})
    return cases


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *".,;!?'-0123456789"]
WORDS += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
WORDS += ["the", "sea", "is", "deep", "and", "wide", "##ing", "##ed", "sail", "query", "passage", ":"]


def write_bert(path, model, pooling, head):
    config = model.config
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("tiny random bert")
    writer.add_license("Apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type(pooling)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    # In GGUF the pieces that begin a word are marked, not those that continue one.
    special = WORDS[:5]
    pieces = [w if w in special else w[2:] if w.startswith("##") else "\u2581" + w for w in WORDS]
    writer.add_token_list(pieces)
    writer.add_token_types([gguf.TokenType.CONTROL if w in special else gguf.TokenType.NORMAL for w in WORDS])
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_eos_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_mask_token_id(4)
    outer = {
        "embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
        "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
    }  # fmt: skip
    parts = {
        "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
    }  # fmt: skip
    for name, parameter in model.named_parameters():
        stem, kind = name.rsplit(".", 1)
        if stem.startswith("pooler"):
            continue
        target = outer.get(stem)
        if target is None:
            _, _, layer, part = stem.split(".", 3)
            target = f"blk.{layer}.{parts[part]}"
        writer.add_tensor(f"{target}.{kind}", np.ascontiguousarray(parameter.detach().float().numpy()))
    # A head that ranks: nothing looks at it where states are pooled in another way.
    for name, values in head.items():
        writer.add_tensor(name, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def rank_head(size):
    """BertForSequenceClassification's pooler and classifier, random."""
    random = np.random.default_rng(SEED)
    draw = lambda *shape: random.normal(0, size**-0.5, shape).astype(np.float32)
    return {
        "cls.weight": draw(size, size), "cls.bias": draw(size),
        "cls.output.weight": 4 * draw(1, size), "cls.output.bias": draw(1),
    }  # fmt: skip


RANK_PAIRS = [
    ("is the sea deep?", "The sea is deep and wide."),
    ("is the sea deep?", "sailing"),
    ("sail", "Ünïcödé, 漢 sea!"),
    ("", ""),
]


def rank_cases(words, model, head):
    """What a cross-encoder says of pairs. llama.cpp reads both texts as the first segment."""
    cases = []
    for query, document in RANK_PAIRS:
        plain = lambda text: words.encode(text, add_special_tokens=False).ids
        ids = [2, *plain(query), 3, *plain(document), 3]
        with torch.no_grad():
            state = model(torch.tensor([ids])).last_hidden_state[0][0].numpy()
        pooled = np.tanh(head["cls.weight"] @ state + head["cls.bias"])
        logit = float((head["cls.output.weight"] @ pooled + head["cls.output.bias"])[0])
        score = round(1 / (1 + float(np.exp(-logit))), 6)
        cases.append({"query": query, "document": document, "tokens": len(ids), "score": score})
    return cases


BERT_TEXTS = ["The sea is deep and wide.", "sailing", "query: is the sea deep? 42", "Ünïcödé, 漢 sea!", ""]


def bert(out):
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, attn_implementation="eager",
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    model.config.tie_word_embeddings = False
    randomise(model)
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    words = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=True)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    cases = []
    for text in BERT_TEXTS:
        ids = words.encode(text).ids
        with torch.no_grad():
            states = model(torch.tensor([ids])).last_hidden_state[0].numpy()
        unit = lambda v: [round(float(x), 6) for x in v / np.linalg.norm(v)]
        cases.append({"text": text, "ids": ids, "mean": unit(states.mean(0)), "cls": unit(states[0])})
    head = rank_head(config.hidden_size)
    write_bert(out / "bert.gguf", model, gguf.PoolingType.MEAN, head)
    return cases, rank_cases(words, model, head)


MINILM_TEXTS = [
    "Amazon Bedrock answers through one API.",
    "A cat sleeps on the sofa.",
    "Ünïcödé façade, naïve Straße — “quotes” … 東京タワー Москва 🦀",
    " ".join(f"Sentence {i} says that number {i * 37 % 101} is not the last." for i in range(12)),
]


def minilm(folder, work):
    """The same weights through onnxruntime: exported from transformers, mean over the tokens, unit length."""
    import onnxruntime
    from safetensors.torch import load_file

    config = BertConfig.from_json_file(f"{folder}/config.json")
    model = BertModel(config, add_pooling_layer=False)
    missing, _ = model.load_state_dict(load_file(f"{folder}/model.safetensors"), strict=False)
    assert not [name for name in missing if "position_ids" not in name], missing
    model.eval()

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.tensor([[101, 7592, 102]])
    path = f"{work}/minilm.onnx"
    axes = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}, "states": {0: "batch", 1: "tokens"}}
    torch.onnx.export(
        States(), (ids, torch.ones_like(ids)), path, input_names=["ids", "mask"], output_names=["states"],
        dynamic_axes=axes, dynamo=False, opset_version=17,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    words = Tokenizer.from_file(f"{folder}/tokenizer.json")
    words.no_truncation()
    words.no_padding()
    cases = []
    for text in MINILM_TEXTS:
        ids = np.array([words.encode(text).ids], dtype=np.int64)
        assert ids.shape[1] <= 256
        (states,) = session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
        mean = states[0].mean(0)
        vector = [round(float(x), 6) for x in mean / np.linalg.norm(mean)]
        cases.append({"text": text, "vector": vector})
    return cases


def main(out, minilm_folder=None):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    dump = lambda name, value: (out / name).write_text(json.dumps(value, separators=(",", ":")) + "\n")
    words = tokenizer()
    dump("tokens.json", [{"text": text, "ids": words.encode(text).ids} for text in TEXTS])
    for name, (kind, config) in SHAPES.items():
        model = randomise(kind(config))
        write_gguf(out / f"{name}.gguf", name, model)
        dump(f"{name}.json", text_cases(model))
    vectors, ranks = bert(out)
    dump("bert.json", vectors)
    dump("rank.json", ranks)
    if minilm_folder:
        import tempfile

        with tempfile.TemporaryDirectory() as work:
            dump("minilm-onnx.json", minilm(minilm_folder, work))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Make a language model of half a megabyte: random weights, a real tokenizer, replies that end.

The file is a whole GGUF (github.com/ggml-org/ggml/blob/master/docs/gguf.md) that llama.cpp serves
like any other. Three of the 64 dimensions are no noise, so that its replies are of use to tests:
one is the same for every token and works as a bias (words are likelier than bytes, and each reply
comes to an end), one marks the line break before a reply (after which "A" or "B" is likely), one
marks these letters (after which ")" is likely). So it says "B) truth what option risk".
"""

from __future__ import annotations

import random
import struct
from array import array
from pathlib import Path

WIDTH, BLOCKS, HEADS, HEADS_KV, FEED_FORWARD = 64, 2, 4, 2, 128
CONTEXT_TOKENS = 8192
ALIGNMENT = 32
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3
CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LETTERS = ("A", "B")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SAID = """
    the a and of to in is it that for you he she they we I
    not with as on be at by this have from or one had but what all
    were when there can more if out so up said time about would which do how
    their will other then could people right wrong help harm truth duty fair choose save five
    many risk life promise because would should lever track stranger friend honest careful option
"""
WORDS = SAID.split()
PLAIN_DIMENSIONS = 3
SAME, MARK = 8.0, 9.0
# Weights on the way out, found by trying: a reply has about a dozen tokens.
BYTE_BIAS, PIECE_BIAS, END_BIAS, NEXT_BIAS = -2.0, -3.0, 0.85, 3.5
A_BIAS = 0.5
"""Without it seed 0 says "B" nine times of ten."""


def write(path: Path, seed: int = 0) -> Path:
    """Write the model; the same seed gives the same bytes."""
    tokens, merges = vocabulary()
    tensors = _tensors(random.Random(seed), tokens)
    facts = _facts(tokens, merges)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(facts)) + b"".join(facts)
    infos, data = b"", b""
    for name, (shape, values) in tensors.items():
        infos += _text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        infos += struct.pack("<IQ", 0, len(data))
        data += _padded(values.tobytes())
    path.write_bytes(_padded(head + infos) + data)
    return path


def vocabulary() -> tuple[list[str], list[str]]:
    """Return the tokens by their number, and the merges that lead to the words."""
    tokens = list(_byte_symbols().values())
    merges: list[str] = []
    for word in WORDS:
        symbols = "Ġ" + word
        for end in range(2, len(symbols) + 1):
            if symbols[:end] not in tokens:
                tokens.append(symbols[:end])
                merges.append(f"{symbols[: end - 1]} {symbols[end - 1]}")
    return [*tokens, *CONTROLS], merges


def _byte_symbols() -> dict[int, str]:
    """Return the sign by which GPT-2's vocabulary writes each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + number) for number, byte in enumerate(hidden)
    }


def _tensors(chance: random.Random, tokens: list[str]) -> dict[str, tuple[list[int], array[float]]]:
    def noise(spread: float, *shape: int) -> tuple[list[int], array[float]]:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        return list(shape), array("f", (chance.gauss(0.0, spread) for _ in range(count)))

    ones = [WIDTH], array("f", [1.0] * WIDTH)
    narrow = WIDTH // HEADS * HEADS_KV
    tensors = {
        "token_embd.weight": _with_marks(noise(1.0, WIDTH, len(tokens)), tokens),
        "output_norm.weight": ones,
        "output.weight": _with_biases(noise(0.2, WIDTH, len(tokens)), tokens),
    }
    for block in range(BLOCKS):
        tensors |= {
            f"blk.{block}.{name}.weight": tensor
            for name, tensor in {
                "attn_norm": ones,
                "ffn_norm": ones,
                "attn_q": noise(0.2, WIDTH, WIDTH),
                "attn_k": noise(0.2, WIDTH, narrow),
                "attn_v": noise(0.2, WIDTH, narrow),
                "attn_output": _silent(noise(0.1, WIDTH, WIDTH)),
                "ffn_gate": noise(0.2, WIDTH, FEED_FORWARD),
                "ffn_up": noise(0.2, WIDTH, FEED_FORWARD),
                "ffn_down": _silent(noise(0.05, FEED_FORWARD, WIDTH)),
            }.items()
        }
    return tensors


def _with_marks(
    tensor: tuple[list[int], array[float]], tokens: list[str]
) -> tuple[list[int], array[float]]:
    shape, values = tensor
    line_break = tokens.index(_byte_symbols()[ord("\n")])
    # Nothing of its own: which letter comes next is up to what was said before.
    values[line_break * WIDTH : (line_break + 1) * WIDTH] = array("f", [0.0] * WIDTH)
    for number, token in enumerate(tokens):
        values[number * WIDTH] = SAME
        values[number * WIDTH + 1] = MARK if number == line_break else 0.0
        values[number * WIDTH + 2] = MARK if token in LETTERS else 0.0
    return shape, values


def _with_biases(
    tensor: tuple[list[int], array[float]], tokens: list[str]
) -> tuple[list[int], array[float]]:
    shape, values = tensor
    words = {"Ġ" + word for word in WORDS}
    for number, token in enumerate(tokens):
        bias = 0.0 if token in words else BYTE_BIAS if len(token) == 1 else PIECE_BIAS
        values[number * WIDTH] = END_BIAS if token == "<|im_end|>" else bias
        values[number * WIDTH + 1] = NEXT_BIAS if token in LETTERS else 0.0
        values[number * WIDTH + 1] += A_BIAS if token == LETTERS[0] else 0.0
        values[number * WIDTH + 2] = NEXT_BIAS if token == ")" else 0.0
    return shape, values


def _silent(tensor: tuple[list[int], array[float]]) -> tuple[list[int], array[float]]:
    """Keep what a block adds away from the dimensions that are no noise."""
    shape, values = tensor
    plain = PLAIN_DIMENSIONS * shape[0]
    values[:plain] = array("f", [0.0] * plain)
    return shape, values


def _facts(tokens: list[str], merges: list[str]) -> list[bytes]:
    end, types = len(tokens) - 1, [NORMAL_TOKEN] * (len(tokens) - len(CONTROLS))
    numbers = {
        "llama.context_length": CONTEXT_TOKENS,
        "llama.embedding_length": WIDTH,
        "llama.block_count": BLOCKS,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": HEADS_KV,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.bos_token_id": len(tokens) - len(CONTROLS),
        "tokenizer.ggml.eos_token_id": end,
    }
    words = {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.chat_template": TEMPLATE,
    }
    return [
        *(_text(key) + struct.pack("<I", STRING) + _text(word) for key, word in words.items()),
        *(_text(key) + struct.pack("<II", U32, number) for key, number in numbers.items()),
        _text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", F32, 1e-5),
        _text("tokenizer.ggml.add_bos_token") + struct.pack("<I?", BOOL, False),
        _text("tokenizer.ggml.tokens") + _texts(tokens),
        _text("tokenizer.ggml.merges") + _texts(merges),
        _text("tokenizer.ggml.token_type")
        + struct.pack("<IIQ", ARRAY, I32, len(tokens))
        + array("i", types + [CONTROL_TOKEN] * len(CONTROLS)).tobytes(),
    ]


def _texts(texts: list[str]) -> bytes:
    return struct.pack("<IIQ", ARRAY, STRING, len(texts)) + b"".join(map(_text, texts))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)

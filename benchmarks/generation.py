"""Tokens a second of greedy generation with a cache: ours against `transformers`, same weights."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from transformers import AutoModelForCausalLM

from llmtrain101 import checkpoint, tokens
from llmtrain101.generate import generate
from llmtrain101.model import LanguageModel, ModelConfig
from llmtrain101.seeds import generator

BOUND, PROMPT, NEW = 5, 16, 200


def seconds(run: Callable[[], torch.Tensor]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="each measured so often, in turn")
    rounds = parser.parse_args().rounds
    tokenizer = tokens.bytes_()
    config = ModelConfig.tiny(tokenizer.vocab_size, context_length=PROMPT + NEW)
    model = LanguageModel(config, generator=generator(0, "init"))
    with torch.no_grad():  # zero weights would say the same token for ever
        for name, weight in model.named_parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator(0, name)))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(folder, model, tokenizer)
        theirs = AutoModelForCausalLM.from_pretrained(folder).eval()
    for batch in (1, 16):
        prompt = torch.randint(256, (batch, PROMPT), generator=generator(batch, "prompt"))

        def run_ours(prompt: torch.Tensor = prompt) -> torch.Tensor:
            return generate(model, prompt, NEW)

        def run_theirs(prompt: torch.Tensor = prompt) -> torch.Tensor:
            options = {"max_new_tokens": NEW, "do_sample": False, "eos_token_id": None}
            return theirs.generate(prompt, attention_mask=torch.ones_like(prompt), **options)

        same = bool(torch.equal(run_ours(), run_theirs()))
        pairs = [(seconds(run_ours), seconds(run_theirs)) for _ in range(rounds)]
        ratio = statistics.median(b / a for a, b in pairs)
        ours, their = (statistics.median(column) for column in zip(*pairs, strict=True))
        verdict = "holds" if ratio >= BOUND and same else "falls short"
        print(
            f"batch {batch}: ours {batch * NEW / ours:,.0f} tokens/s, transformers "
            f"{batch * NEW / their:,.0f}; {ratio:.1f} times (bound {BOUND}), "
            f"same tokens: {same}: {verdict}"
        )


if __name__ == "__main__":
    main()

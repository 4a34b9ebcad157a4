"""Floating-point work a second of the training loop, against one large float32 matrix product.

The work of a step is counted as usual: 6 operations for each weight of a matrix and each token
(2 forward, 4 backward), and 12 * layers * tokens * context * width for attention. The optimiser's
own products are work as well, but not the model's: they take time here and are not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from llmtrain101.model import LanguageModel, ModelConfig, language_model_loss
from llmtrain101.seeds import generator, rng
from llmtrain101.train import TrainConfig, resolve_precision, text_batches, train

BOUND, BATCH, STEPS, SIZE = 0.5, 32, 60, 2048


def product_speed() -> float:
    """Operations a second of a 2048 x 2048 x 2048 product in float32, the median of 15."""
    a = torch.randn(SIZE, SIZE, generator=generator(0, "matrix"))
    seconds = []
    for _ in range(15):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return float(2 * SIZE**3 / statistics.median(seconds))


def loop_speed(precision: str, optimizer: str) -> float:
    """Operations a second of `train`, everything that it does included, the first steps not."""
    config = ModelConfig.tiny(65)
    model = LanguageModel(config, generator=generator(0, "init"))
    ids = rng(0, "text").integers(65, size=200_000)
    batches = text_batches(ids, BATCH, config.context_length, seed=0)
    settings = TrainConfig(max_steps=STEPS, precision=precision, optimizer=optimizer)
    history = train(model, batches, language_model_loss, settings, progress=False)
    step = statistics.median(np.diff([record["seconds"] for record in history])[10:])
    weights = sum(p.numel() for name, p in model.named_parameters() if name != "embed.weight")
    tokens = BATCH * config.context_length
    attention = 12 * config.n_layers * tokens * config.context_length * config.d_model
    return float((6 * weights * tokens + attention) / step)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="each measured so often, in turn")
    rounds = parser.parse_args().rounds
    kinds = [("float32", "muon"), ("float32", "adamw")]
    if resolve_precision("auto") == torch.bfloat16:
        kinds += [("bfloat16", "muon"), ("bfloat16", "adamw")]
    ratios: dict[tuple[str, str], list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            peak = product_speed()
            speed = loop_speed(*kind)
            ratios[kind].append(speed / peak)
            print(f"  {kind}: loop {speed / 1e9:.0f}, product {peak / 1e9:.0f} GFLOP/s", flush=True)
    print(f"{torch.get_num_threads()} threads, ModelConfig.tiny, {BATCH} x 64 tokens a step")
    for kind, values in ratios.items():
        ratio = statistics.median(values)
        verdict = "holds" if ratio >= BOUND else "falls short"
        print(
            f"{kind[0]}, {kind[1]}: {ratio:.2f} of the float32 product (bound {BOUND}): {verdict}"
        )


if __name__ == "__main__":
    main()

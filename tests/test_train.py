"""The loop: it learns, repeats itself exactly, resumes exactly, and stops when told."""

import _thread
import threading

import numpy as np
import pytest
import torch
from torch import nn

from llmtrain101.model import LanguageModel, ModelConfig, language_model_loss, next_token_loss
from llmtrain101.seeds import generator
from llmtrain101.train import (
    TrainConfig,
    optimizers_for,
    rate_share,
    resolve_precision,
    text_batches,
    train,
)

SHAPE = ModelConfig(vocab_size=7, context_length=8, d_model=16, n_layers=1, n_heads=2)
TEXT = np.tile(np.arange(7), 40)


def run(steps=12, *, seed=0, optimizer="muon", **options):
    model = LanguageModel(SHAPE, generator=generator(seed, "init"))
    config = TrainConfig(max_steps=steps, optimizer=optimizer)
    batches = text_batches(TEXT, 4, 8, seed=seed)
    history = train(model, batches, language_model_loss, config, progress=False, **options)
    return model, history


def losses(history):
    return [record["loss"] for record in history]


@pytest.mark.parametrize(("optimizer", "low"), [("muon", 0.2), ("adamw", 1.0)])
def test_it_learns_a_pattern_and_every_weight_moves(optimizer, low):
    before = LanguageModel(SHAPE, generator=generator(0, "init"))
    model, history = run(60, optimizer=optimizer)
    assert losses(history)[0] == pytest.approx(np.log(7), abs=1e-5)
    assert losses(history)[-1] < low
    for (name, new), old in zip(model.named_parameters(), before.parameters(), strict=True):
        assert not torch.equal(new, old), f"{name} did not move"


def test_frozen_weights_stay():
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    model.embed.weight.requires_grad_(False)
    before = model.embed.weight.clone()
    config = TrainConfig(max_steps=3)
    batches = text_batches(TEXT, 4, 8, seed=0)
    train(model, batches, language_model_loss, config, progress=False)
    assert torch.equal(model.embed.weight, before)


def test_the_seed_decides_the_history():
    assert losses(run()[1]) == losses(run()[1])
    assert losses(run()[1]) != losses(run(seed=1)[1])


def test_two_half_batches_are_one_batch():
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    inputs, targets = next(text_batches(TEXT, 4, 8, seed=0))
    language_model_loss(model, (inputs, targets)).backward()
    whole = model.head.weight.grad.clone()
    model.zero_grad()
    for half in (slice(0, 2), slice(2, 4)):
        (language_model_loss(model, (inputs[half], targets[half])) / 2).backward()
    torch.testing.assert_close(model.head.weight.grad, whole)


def test_a_resumed_run_ends_with_the_same_bits():
    whole, history = run(12)
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    config = TrainConfig(max_steps=12)
    optimizers = optimizers_for(model, config)

    def at_step_five(model, record):
        return record["step"] == 4

    first = train(
        model,
        text_batches(TEXT, 4, 8, seed=0),
        language_model_loss,
        config,
        optimizers=optimizers,
        on_step=[at_step_five],
        progress=False,
    )
    assert len(first) == 5
    again = LanguageModel(SHAPE, generator=generator(9, "init"))
    again.load_state_dict(model.state_dict())
    restored = optimizers_for(again, config)
    for new, old in zip(restored, optimizers, strict=True):
        new.load_state_dict(old.state_dict())
    rest = train(
        again,
        text_batches(TEXT, 4, 8, seed=0, first_step=5),
        language_model_loss,
        config,
        optimizers=restored,
        first_step=5,
        progress=False,
    )
    assert losses(first) + losses(rest) == losses(history)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_all_callbacks_run_even_when_the_first_stops():
    seen = []
    run(5, on_step=[lambda *_: True, lambda _, record: seen.append(record["step"])])
    assert seen == [0]


def test_ctrl_c_ends_after_the_step_and_keeps_the_model(capsys):
    def press(model, record):
        if record["step"] == 3:
            _thread.interrupt_main()  # what Ctrl-C does

    model, history = run(50, on_step=[press])
    assert 4 <= len(history) <= 5
    assert "Stopped after step" in capsys.readouterr().out
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


def test_it_runs_outside_the_main_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(run(2)))
    thread.start()
    thread.join()
    assert len(results[0][1]) == 2


def test_batches_that_end_are_named():
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    batch = next(text_batches(TEXT, 4, 8, seed=0))
    with pytest.raises(ValueError, match=r"batches ended after 1 steps but config.max_steps=3"):
        train(model, [batch], language_model_loss, TrainConfig(max_steps=3), progress=False)


def test_a_loss_that_is_no_number_stops_the_run():
    line = nn.Linear(1, 1)
    config = TrainConfig(max_steps=3, optimizer="adamw")
    with pytest.raises(ValueError, match="loss at step 0 is nan"):
        train(line, [None] * 3, lambda m, _: m.weight.sum() * float("nan"), config, progress=False)


def test_the_progress_bar_tells_loss_and_speed(capsys):
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    batches = text_batches(TEXT, 4, 8, seed=0)
    train(model, batches, language_model_loss, TrainConfig(max_steps=3))
    shown = capsys.readouterr().out
    assert "3/3" in shown and "loss" in shown and "tokens/s" in shown


def test_long_gradients_are_shortened():
    sizes = []
    line = nn.Linear(4, 1, bias=False)

    def steep(model, batch):
        return 1e6 * model.weight.sum()

    def watch(model, record):
        sizes.append(model.weight.grad.norm().item())

    config = TrainConfig(max_steps=1, optimizer="adamw", grad_clip=1.0)
    train(line, [None], steep, config, on_step=[watch], progress=False)
    assert sizes[0] == pytest.approx(1.0, abs=1e-4)


def test_every_window_is_seen_once_before_any_twice():
    ids = np.arange(81)  # 10 windows of 8, and the token that follows
    starts = [int(x[0, 0]) for x, _ in _take(text_batches(ids, 1, 8, seed=3), 10)]
    assert sorted(starts) == list(range(0, 80, 8))
    again = [int(x[0, 0]) for x, _ in _take(text_batches(ids, 1, 8, seed=3), 20)[10:]]
    assert sorted(again) == sorted(starts) and again != starts


def test_batches_from_the_middle_are_those_of_a_whole_run():
    whole = _take(text_batches(TEXT, 4, 8, seed=0), 30)
    later = _take(text_batches(TEXT, 4, 8, seed=0, first_step=17), 13)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(whole[17:], later, strict=True))


def _take(batches, n):
    return [next(batches) for _ in range(n)]


def test_a_text_that_is_too_short_is_named():
    with pytest.raises(ValueError, match="has 8 tokens, and one window needs 9"):
        next(text_batches(range(8), 2, 8, seed=0))
    assert next(text_batches(range(9), 2, 8, seed=0))[0].tolist() == [list(range(8))] * 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_steps", 0),
        ("optimizer", "sgd"),
        ("precision", "float8"),
        ("warmup_steps", 9999),
        ("decay", 1.5),
        ("learning_rate", -1.0),
        ("weight_decay", -0.1),
    ],
)
def test_impossible_settings_are_named(field, value):
    with pytest.raises(ValueError, match=f"{field} must.*{value}"):
        TrainConfig(**{field: value})


def test_without_decay_the_rate_stays():
    config = TrainConfig(max_steps=10, decay=0.0)
    assert {rate_share(step, config) for step in range(10)} == {1.0}


def test_auto_precision_is_one_of_two():
    assert resolve_precision("auto") in (torch.float32, torch.bfloat16)


def test_any_loss_will_do():
    def half_of_it(model, batch):
        return 0.5 * next_token_loss(model(batch[0]), batch[1])

    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    batches = text_batches(TEXT, 4, 8, seed=0)
    history = train(model, batches, half_of_it, TrainConfig(max_steps=1), progress=False)
    assert history[0]["loss"] == pytest.approx(0.5 * np.log(7), abs=1e-5)

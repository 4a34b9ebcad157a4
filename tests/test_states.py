"""A training state brings back every bit, and damage to one is named, not trained on."""

import json

import pytest
import torch
from torch import nn

from llmtrain101 import states, weights
from llmtrain101.states import newest_state, save_state


def net_and_optimizers():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return net, [
        torch.optim.AdamW(net[0].parameters(), lr=0.1, fused=True),
        torch.optim.SGD(net[2].parameters(), lr=0.1, momentum=0.9),
    ]


def step(net, optimizers, seed):
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(seed))
    loss = (net(x).squeeze() - x.sum(dim=1)).square().mean()
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()


def saved(folder, *steps):
    net, optimizers = net_and_optimizers()
    for i in range(max(steps) + 1):
        if i in steps:
            save_state(folder, i, net, optimizers, {"seed": 7, "name": "été", "rate": 0.1})
        step(net, optimizers, i)
    return net


def test_going_on_from_a_state_gives_the_bits_of_the_run_left_alone(tmp_path):
    net, optimizers = net_and_optimizers()
    for i in range(20):
        step(net, optimizers, i)
        if i == 11:
            save_state(tmp_path, 12, net, optimizers)
    state, problems = newest_state(tmp_path)
    assert (state.step, problems) == (12, [])
    again, fresh = net_and_optimizers()
    again.load_state_dict(state.model)
    for optimizer, values in zip(fresh, state.optimizers, strict=True):
        optimizer.load_state_dict(values)
    for i in range(12, 20):
        step(again, fresh, i)
    for name, weight in net.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_nested_settings_come_back_with_their_types():
    tree = {
        "a": [1, 2.5, None, True, "x", (0.9, 0.99)],
        3: {"t": torch.ones(2), "s": torch.tensor(4)},
    }
    tensors = {}
    flat = json.loads(json.dumps(states._flatten(tree, tensors)))
    again = states._unflatten(flat, tensors)
    assert again["a"] == tree["a"]
    assert type(again["a"][5]) is tuple
    assert torch.equal(again[3]["t"], torch.ones(2))
    assert again[3]["s"].shape == ()
    with pytest.raises(TypeError, match="holds tensors, numbers and strings, not <class 'set'>"):
        states._flatten({1}, {})


def test_the_two_newest_are_kept_and_leftovers_go(tmp_path):
    (tmp_path / "states" / "step-00000009.part").mkdir(parents=True)
    (tmp_path / "states" / "step-00000001.old").mkdir()
    saved(tmp_path, 1, 2, 10, 11)
    assert sorted(path.name for path in (tmp_path / "states").iterdir()) == [
        "step-00000010",
        "step-00000011",
    ]
    assert newest_state(tmp_path)[0].facts == {"seed": 7, "name": "été", "rate": 0.1}


def test_no_state_is_no_problem(tmp_path):
    assert newest_state(tmp_path) == (None, [])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "one bit of the weights": lambda state: flip(state / "model.safetensors"),
    "one bit of the optimisers": lambda state: flip(state / "optimizers.safetensors"),
    "one bit of the description": lambda state: flip(state / "state.json"),
    "weights cut off": lambda state: (state / "model.safetensors").write_bytes(b"\x08"),
    "description cut off": lambda state: (state / "state.json").write_text("{", encoding="utf-8"),
    "description of another kind": lambda state: (state / "state.json").write_text(
        "[]", encoding="utf-8"
    ),
    "weights missing": lambda state: (state / "model.safetensors").unlink(),
    "description missing": lambda state: (state / "state.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_is_named_and_the_one_before_it_is_offered(tmp_path, damage):
    saved(tmp_path, 5, 6)
    damage(tmp_path / "states" / "step-00000006")
    state, problems = newest_state(tmp_path)
    assert state.step == 5
    assert len(problems) == 1
    assert "step-00000006 is damaged (" in problems[0]
    damage(tmp_path / "states" / "step-00000005")
    state, problems = newest_state(tmp_path)
    assert state is None
    assert len(problems) == 2


def test_a_damaged_state_is_replaced_when_training_reaches_it_again(tmp_path):
    saved(tmp_path, 5, 6)
    flip(tmp_path / "states" / "step-00000006" / "model.safetensors")
    net, optimizers = net_and_optimizers()
    save_state(tmp_path, 6, net, optimizers)
    state, problems = newest_state(tmp_path)
    assert (state.step, problems) == (6, [])


def test_a_full_disk_leaves_the_old_states_whole(tmp_path, monkeypatch):
    saved(tmp_path, 5, 6)
    net, optimizers = net_and_optimizers()
    real, written = weights.save_file, []

    def full(tensors, path, metadata):
        real(tensors, path, metadata)
        written.append(path)
        if len(written) == 2:  # room for the weights, not for the optimisers
            raise weights.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(
        OSError, match="The disk is full: saving .*step-00000007 takes about 0.0 MB"
    ):
        save_state(tmp_path, 7, net, optimizers)
    assert len(written) == 2
    assert not list((tmp_path / "states").glob("*.part"))
    state, problems = newest_state(tmp_path)
    assert (state.step, problems) == (6, [])


def test_other_faults_of_the_disk_keep_their_own_message(tmp_path, monkeypatch):
    def broken(tensors, path, metadata):
        raise weights.SafetensorError("I/O error: Input/output error (os error 5)")

    monkeypatch.setattr(weights, "save_file", broken)
    with pytest.raises(OSError, match="Input/output error"):
        saved(tmp_path, 0)

"""Streams are named, apart, and the same on every machine."""

import torch

from llmtrain101.seeds import generator, rng, stream_seed


def test_the_number_behind_a_stream_is_fixed():
    # computed once with hashlib's blake2b; another number here would silently change every result
    assert stream_seed(0, "init") == int.from_bytes(_digest(b"0/init"), "big") >> 1
    assert 0 <= stream_seed(2**40, "x") < 2**63


def _digest(text):
    import hashlib

    return hashlib.blake2b(text, digest_size=8).digest()


def test_streams_do_not_move_each_other():
    data = generator(0, "data")
    before = torch.rand(2, generator=data)
    torch.rand(5, generator=generator(0, "init"))
    fresh = generator(0, "data")
    assert torch.equal(before, torch.rand(2, generator=fresh))
    assert torch.equal(torch.rand(2, generator=data), torch.rand(2, generator=fresh))


def test_seeds_and_names_make_other_numbers():
    draws = {rng(seed, name).random() for seed in (0, 1) for name in ("a", "b")}
    assert len(draws) == 4

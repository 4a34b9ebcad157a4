"""Each written-out derivative equals autograd's of the plain formula."""

import pytest
import torch
import torch.nn.functional as F

from llmtrain101 import kernels
from llmtrain101.model import attention, causal_mask, rotary_waves, rotate
from llmtrain101.seeds import generator


def randn(*shape, stream="x", dtype=torch.float64):
    return torch.randn(*shape, generator=generator(0, stream), dtype=dtype)


def assert_same_with_gradients(ours, plain, *inputs):
    """Both functions return one tensor; outputs and all gradients must agree."""
    results = []
    for function in (ours, plain):
        leaves = [x.clone().requires_grad_() for x in inputs]
        out = function(*leaves)
        out.backward(randn(*out.shape, stream="grad", dtype=out.dtype))
        results.append([out, *(leaf.grad for leaf in leaves)])
    torch.testing.assert_close(results[0], results[1])


def plain_rms_norm(x):
    return x / (x.square().mean(-1, keepdim=True) + kernels.EPSILON).sqrt()


def test_rms_norm_equals_its_formula_and_its_derivative():
    # float32: the norm is taken in float32 whatever comes in
    assert_same_with_gradients(
        kernels.rms_norm, plain_rms_norm, randn(2, 3, 8, dtype=torch.float32)
    )


def test_rms_norm_equals_torch():
    x = randn(5, 16, dtype=torch.float32)
    torch.testing.assert_close(kernels.rms_norm(x), F.rms_norm(x, (16,), eps=kernels.EPSILON))


def test_relu_squared_equals_its_formula_and_its_derivative():
    assert_same_with_gradients(kernels.relu_squared, lambda x: x.relu().square(), randn(4, 6))


def test_queries_keys_values_equal_the_plain_steps():
    B, T, H, d_head = 2, 5, 3, 4
    waves = rotary_waves(T, d_head)

    def ours(qkv):
        return torch.stack(kernels.queries_keys_values(qkv, waves))

    def plain(qkv):
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q, k = (rotate(plain_rms_norm(x), waves) for x in (q, k))
        return torch.stack([q, k, v])

    assert_same_with_gradients(ours, plain, randn(B, T, 3, H, d_head, dtype=torch.float32))


@pytest.mark.parametrize("T", [1, 7, 300])  # 300: past where torch's own attention takes over
@pytest.mark.parametrize("causal", [True, False])
def test_attention_equals_torch(T, causal):
    q, k, v = (randn(2, T, 12, stream=name) for name in "qkv")
    heads = [x.view(2, T, 3, 4).transpose(1, 2) for x in (q, k, v)]
    expected = F.scaled_dot_product_attention(*heads, is_causal=causal)
    expected = expected.transpose(1, 2).reshape(2, T, 12)
    torch.testing.assert_close(attention(q, k, v, n_heads=3, causal=causal), expected)


def test_attention_gradients_equal_torch():
    def ours(q, k, v):
        return attention(q, k, v, n_heads=1)

    def plain(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    assert_same_with_gradients(ours, plain, *(randn(2, 6, 4, stream=name) for name in "qkv"))


def test_causal_mask_lets_the_last_rows_see_what_came_before():
    mask = causal_mask(2, 4, torch.zeros(()))
    assert (mask == 0).tolist() == [[True, True, True, False], [True] * 4]


def test_keep_freed_memory_is_accepted_or_declined_without_error():
    assert kernels.keep_freed_memory() in (True, False)

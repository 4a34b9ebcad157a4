"""The model's small operations with their derivatives written out.

Left to itself, autograd stores and passes over more than these formulas need; on a CPU, where a
tiny model's matrices are quick, that was a third of a training step. `tests/test_kernels.py` holds
each equal to the plain formula and its derivative.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-6  # inside every RMSNorm, as in NanoChatConfig.rms_norm_eps


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        scale = _inverse_rms(x)
        y = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        y, scale = ctx.saved_tensors
        return _rms_norm_backward(grad, y, scale)


def _inverse_rms(x: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    return (norm.square_().div_(x.shape[-1]).add_(EPSILON)).rsqrt_().to(x.dtype)


def _rms_norm_backward(grad: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """With y = x * scale: the part of the gradient along y cannot change y, and is taken out."""
    along = (grad * y).mean(-1, keepdim=True)
    return torch.addcmul(grad, y, along, value=-1).mul_(scale)


class _ReluSquared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        positive: Tensor = ctx.saved_tensors[0]
        return (grad * positive).mul_(2)


class _QueriesKeysValues(torch.autograd.Function):
    """Split, normalise and rotate in one go: the rotation keeps lengths, so the two commute."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        B, T, _, H, d_head = qkv.shape
        apart = qkv.permute(2, 0, 3, 1, 4)  # (3, B, H, T, d_head)
        qk, v = apart[:2], apart[2].contiguous()
        scale = _inverse_rms(qk)
        out = qkv.new_empty(2, B, H, T, d_head)
        _rotate_into(out, qk, cos, sin)
        out.mul_(scale)
        ctx.save_for_backward(out, scale, cos, sin)
        return out[0], out[1], v

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        out, scale, cos, sin = ctx.saved_tensors
        _, B, H, T, d_head = out.shape
        grad = _rms_norm_backward(torch.stack(grads[:2]), out, scale)
        whole = out.new_empty(B, T, 3, H, d_head)
        apart = whole.permute(2, 0, 3, 1, 4)
        back = torch.empty_like(grad)  # rotating straight into `apart` takes three times as long
        _rotate_into(back, grad, cos, -sin)  # by the same angle, the other way
        apart[:2].copy_(back)
        apart[2].copy_(grads[2])
        return whole, None, None


def _rotate_into(out: Tensor, x: Tensor, cos: Tensor, sin: Tensor) -> None:
    (p, q), (out_p, out_q) = x.chunk(2, dim=-1), out.chunk(2, dim=-1)
    torch.mul(p, cos, out=out_p).addcmul_(q, sin)
    torch.mul(q, cos, out=out_q).addcmul_(p, sin, value=-1)


def rms_norm(x: Tensor) -> Tensor:
    """Scale each vector to a root mean square of 1; the last axis is the vector.

    Examples
    --------
    >>> round(rms_norm(torch.tensor([3.0, 4.0])).square().mean().item(), 3)
    1.0
    """
    out: Tensor = _RMSNorm.apply(x)  # type: ignore[no-untyped-call]
    return out


def relu_squared(x: Tensor) -> Tensor:
    """Negative numbers become 0, the others their square (So et al. 2021).

    Examples
    --------
    >>> relu_squared(torch.tensor([-2.0, 3.0])).tolist()
    [0.0, 9.0]
    """
    out: Tensor = _ReluSquared.apply(x)  # type: ignore[no-untyped-call]
    return out


def queries_keys_values(qkv: Tensor, waves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries and keys normalised and rotated, values as they are, heads apart.

    The same as `rotate(rms_norm(q), waves)` for queries and keys (`model.rotate`).

    Parameters
    ----------
    qkv : Tensor of shape (B, T, 3, H, d_head)
    waves : Tensor of shape (2, T, d_head / 2)
        Cosine and sine of each position's angles.

    Returns
    -------
    three Tensors of shape (B, H, T, d_head)
    """
    cos, sin = waves.to(qkv.dtype)
    q, k, v = _QueriesKeysValues.apply(qkv, cos, sin)  # type: ignore[no-untyped-call]
    return q, k, v


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, *, causal: bool) -> Tensor:
    """Mean of the values, weighted by the softmax of how well each query fits the keys.

    On a CPU and for short texts three batched products are faster than torch's own (measured for 64
    tokens, forward and backward: 0.7 times its time in float32, 0.15 times in bfloat16).

    Parameters
    ----------
    q : Tensor of shape (B, H, T, d_head)
    k, v : Tensor of shape (B, H, S, d_head)
    mask : Tensor that broadcasts to (B * H, T, S), optional
        Added to the scores: 0 where a key may be seen, hugely negative where not.
    causal : bool
        Whether the mask hides the future and nothing else.
    """
    B, H, T, d_head = q.shape
    S = k.shape[2]
    if q.device.type != "cpu" or T * S > 256 * 256:
        if causal or mask is None:
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        mask = mask.expand(B * H, T, S).view(B, H, T, S)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    q, k, v = q.reshape(B * H, T, d_head), k.reshape(B * H, S, d_head), v.reshape(B * H, S, d_head)
    beta = 0 if mask is None else 1
    scores = torch.baddbmm(
        q.new_zeros(1) if mask is None else mask, q, k.mT, alpha=d_head**-0.5, beta=beta
    )
    return torch.bmm(scores.softmax(-1), v).view(B, H, T, d_head)


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for the next step instead of returning it at once.

    A training step frees and takes the same few megabytes again; with glibc's defaults each time
    is a system call and a fresh page (measured: 10 to 20 % of a tiny model's step). Elsewhere
    nothing is done.

    Returns
    -------
    bool
        Whether the C library took the settings.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has no mallopt
        return False
    trim, pad, from_system = -1, -2, -3  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD
    settings = {from_system: 32 << 20, trim: 1 << 30, pad: 64 << 20}  # bytes
    return all([mallopt(name, value) == 1 for name, value in settings.items()])

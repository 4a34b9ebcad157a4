"""Text from a language model, one token at a time, with a cache of what was already computed."""

from __future__ import annotations

import torch
from torch import Tensor

from llmtrain101.decode import CachedModel, Decoder
from llmtrain101.model import LanguageModel


def choose(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw the next token of each row from its logits.

    Parameters
    ----------
    logits : float Tensor of shape (B, V)
    temperature : float
        Logits are divided by it: below 1 the likely becomes likelier, 0 takes the likeliest.
    top_k : int, optional
        Only the `k` likeliest tokens may be drawn (more where several share the last place).
    top_p : float, optional
        Only the likeliest tokens that together reach this probability may be drawn
        (Holtzman et al. 2020).
    generator : torch.Generator, optional
        Draws the tokens; not needed at temperature 0.

    Returns
    -------
    int64 Tensor of shape (B,)

    Examples
    --------
    >>> choose(torch.tensor([[0.0, 2.0, 1.0]]), temperature=0).tolist()
    [1]
    """
    if temperature < 0:
        raise ValueError(f"temperature must not be negative, got {temperature}.")
    if temperature == 0:
        return logits.argmax(-1)
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}.")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be in (0, 1], got {top_p}.")
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        last = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < last, -torch.inf)
    if top_p is not None and top_p < 1:
        ordered, order = logits.sort(descending=True)
        probability = ordered.softmax(-1)
        before = probability.cumsum(-1) - probability  # what the likelier tokens hold together
        out = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= top_p)
        logits = logits.masked_fill(out, -torch.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator).squeeze(-1)


@torch.no_grad()  # not inference_mode: what comes out may be trained on (reinforcement learning)
def generate(
    model: LanguageModel,
    ids: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    end_id: int | None = None,
) -> Tensor:
    """Continue each row of ids by up to `max_new_tokens` tokens.

    Where the text outgrows the context length, the oldest half of what the model sees is forgotten:
    positions that it was never trained on would only confuse it.

    Parameters
    ----------
    model : LanguageModel
        Causal; it is put into evaluation mode.
    ids : int64 Tensor of shape (B, T)
        The prompts, all of one length, at least one token each.
    max_new_tokens : int
    temperature, top_k, top_p, generator
        As in `choose`; temperature 0 is greedy.
    end_id : int, optional
        The token that ends a text: a row that drew it is filled with it, and generation stops once
        every row has.

    Returns
    -------
    int64 Tensor of shape (B, T + new tokens)

    Raises
    ------
    ValueError
        If there is no prompt, or the model is not causal.

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> tuple(generate(model, torch.tensor([[1, 2, 3]]), 5).shape)
    (1, 8)
    """
    if not model.config.causal:
        raise ValueError("Only a causal model can generate: this one was made with causal=False.")
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(
            f"ids must have shape (batch, tokens) with at least one token, got {tuple(ids.shape)}."
        )
    if temperature > 0 and generator is None:
        raise ValueError(
            "Drawing tokens needs a generator, for example seeds.generator(0, 'sample'); "
            "or take temperature=0."
        )
    model.eval()
    B, context = len(ids), model.config.context_length
    decoder = (Decoder if ids.device.type == "cpu" else CachedModel)(model, B)
    columns = list(ids.split(1, dim=1))  # of shape (B, 1) each
    logits = decoder.begin(ids[:, -context:])
    ended = torch.zeros(B, dtype=torch.bool, device=ids.device)
    for left in reversed(range(max_new_tokens)):
        chosen = choose(
            logits, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator
        )
        if end_id is not None:
            chosen = torch.where(ended, end_id, chosen)
            ended |= chosen == end_id
        columns.append(chosen.unsqueeze(1))
        if not left or (end_id is not None and bool(ended.all())):
            break
        if decoder.length < context:
            logits = decoder.step(chosen)
        else:
            logits = decoder.begin(torch.cat(columns[-max(1, context // 2) :], dim=1))
    return torch.cat(columns, dim=1)

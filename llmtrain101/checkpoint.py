"""Models on disk: folders that `transformers` reads, and reading those that it wrote.

Reading a folder never runs code, and a folder is never half old and half new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmtrain101.folders import replacing
from llmtrain101.model import (
    Classifier,
    LanguageModel,
    ModelConfig,
    SpanFinder,
    Tagger,
    Transformer,
)
from llmtrain101.tokens import Tokenizer
from llmtrain101.weights import (
    FLOATS,
    header,
    read_json,
    read_tensors,
    space_for,
    write_tensors,
)

_WEIGHTS = "model.safetensors"
_LONGEST_CONTEXT = 1 << 20

# Where NanoChatConfig can say something that our one architecture cannot: key, what we can
# represent, and what a file that does not name the key means (the default of transformers 5).
_FIXED: dict[str, tuple[Any, Any]] = {
    "final_logit_softcapping": (None, 15.0),
    "hidden_act": ("relu2", "relu2"),
    "attention_bias": (False, False),
    "tie_word_embeddings": (False, False),
    "rms_norm_eps": (1e-6, 1e-6),
}
_SHAPE = {
    "vocab_size": "vocab_size",
    "context_length": "max_position_embeddings",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "d_ff": "intermediate_size",
}
_CLASSES: dict[str, type[Transformer]] = {
    "LanguageModel": LanguageModel,
    "Classifier": Classifier,
    "Tagger": Tagger,
    "SpanFinder": SpanFinder,
}


def save(folder: str | Path, model: Transformer, tokenizer: Tokenizer) -> None:
    """Write a model and its tokenizer as a Hugging Face folder.

    A causal `LanguageModel` is written as a `NanoChatForCausalLM`, which
    `transformers.AutoModelForCausalLM.from_pretrained` loads weight for weight. `transformers` has
    no such encoder and none of our other heads; they are written under the model type
    `"llmtrain101"`, which its `AutoModel` refuses instead of computing something else, and which
    `load` reads. `AutoTokenizer` reads the tokenizer in every case.

    All files are written beside the old ones first, so a full disk changes nothing. If the old
    weights would not fit the new description they go first: at no moment do files of two models lie
    together.

    Examples
    --------
    >>> import tempfile
    >>> from llmtrain101.seeds import generator
    >>> from llmtrain101.tokens import characters
    >>> tokenizer = characters("hello")
    >>> config = ModelConfig.tiny(tokenizer.vocab_size)
    >>> model = LanguageModel(config, generator=generator(0, "init"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(folder, model, tokenizer)
    ...     again, _ = load(folder)
    >>> bool(torch.equal(again.embed.weight, model.embed.weight))
    True
    """
    folder = Path(folder)
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(
            f"The tokenizer has {tokenizer.vocab_size} ids and the model "
            f"{model.config.vocab_size}: they do not belong together."
        )
    hugging_face = isinstance(model, LanguageModel) and model.config.causal
    config = (_nanochat if hugging_face else _own)(model, tokenizer)
    texts = {"config.json": json.dumps(config, indent=2) + "\n", **tokenizer.files()}
    weights = model.state_dict()
    tensors = _to_nanochat(weights, model.config) if hugging_face else weights
    size = sum(tensor.nbytes for tensor in tensors.values())
    with space_for(folder, size), ExitStack() as stack:
        # left in the opposite order: the weights are put in place last
        parts = {name: stack.enter_context(replacing(folder / name)) for name in (_WEIGHTS, *texts)}
        write_tensors(parts[_WEIGHTS], tensors)
        for name, text in texts.items():
            parts[name].write_text(text, encoding="utf-8", newline="\n")
        if any(_read_text(folder / name) != text for name, text in texts.items()):
            (folder / _WEIGHTS).unlink(missing_ok=True)


def load(folder: str | Path) -> tuple[Transformer, Tokenizer]:
    """Read the model and the tokenizer of a folder that `save`, or `transformers`, has written.

    Weights in float16 or bfloat16 become float32.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If the folder holds what this architecture cannot represent, or is damaged.

    See Also
    --------
    load_model : for a folder without a tokenizer.
    """
    tokenizer = Tokenizer.load(folder)
    return load_model(folder), tokenizer


def load_model(folder: str | Path) -> Transformer:
    """Read the model only.

    Examples
    --------
    >>> load_model("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: nowhere has no config.json: is it the folder of a model?
    """
    folder = Path(folder)
    settings = read_json(folder / "config.json")
    hugging_face = settings.get("model_type") != "llmtrain101"
    if hugging_face:
        kind, config = "LanguageModel", _config_of_nanochat(folder, settings)
        n_outputs = config.vocab_size
    else:
        kind, config, n_outputs = _config_of_own(folder, settings)
    _check_present(folder)
    theirs = _names(config) if hugging_face else {}
    shapes = _shapes(config, n_outputs)
    expected = {
        name: (shapes[ours][0] // len(theirs.get(ours, [ours])), shapes[ours][1])
        for ours in shapes
        for name in theirs.get(ours, [ours])
    }
    found = header(folder / _WEIGHTS, FLOATS)
    if found != expected:
        odd = sorted(set(found.items()) ^ set(expected.items()))[0][0]
        raise ValueError(
            f"{folder / _WEIGHTS} does not fit config.json: {odd} is {found.get(odd, 'missing')}, "
            f"expected {expected.get(odd, 'no such tensor')}."
        )
    tensors = read_tensors(folder / _WEIGHTS)
    if hugging_face:
        tensors = {
            ours: torch.cat([tensors[name] for name in names]) for ours, names in theirs.items()
        }
    model = _build(kind, config, n_outputs)
    model.load_state_dict(tensors)
    return model


def _build(kind: str, config: ModelConfig, n_outputs: int) -> Transformer:
    made_from = _CLASSES[kind]
    generator = torch.Generator()  # draws weights that are overwritten
    if made_from in (LanguageModel, SpanFinder):
        return made_from(config, generator=generator)
    return made_from(config, n_outputs, generator=generator)


def _shapes(config: ModelConfig, n_outputs: int) -> dict[str, tuple[int, int]]:
    """Our parameters and their shapes."""
    D, d_ff = config.d_model, config.d_ff
    shapes = {"embed.weight": (config.vocab_size, D), "head.weight": (n_outputs, D)}
    for i in range(config.n_layers):
        shapes[f"blocks.{i}.attention.qkv.weight"] = (3 * D, D)
        shapes[f"blocks.{i}.attention.out.weight"] = (D, D)
        shapes[f"blocks.{i}.feed_forward.up.weight"] = (d_ff, D)
        shapes[f"blocks.{i}.feed_forward.down.weight"] = (D, d_ff)
    return shapes


def _names(config: ModelConfig) -> dict[str, list[str]]:
    """Our parameters, and those of NanoChat that lie one below the other in each."""
    names = {"embed.weight": ["model.embed_tokens.weight"], "head.weight": ["lm_head.weight"]}
    for i in range(config.n_layers):
        ours, theirs = f"blocks.{i}", f"model.layers.{i}"
        names[f"{ours}.attention.qkv.weight"] = [
            f"{theirs}.self_attn.{part}_proj.weight" for part in ("q", "k", "v")
        ]
        names[f"{ours}.attention.out.weight"] = [f"{theirs}.self_attn.o_proj.weight"]
        names[f"{ours}.feed_forward.up.weight"] = [f"{theirs}.mlp.fc1.weight"]
        names[f"{ours}.feed_forward.down.weight"] = [f"{theirs}.mlp.fc2.weight"]
    return names


def _to_nanochat(weights: Mapping[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    return {
        name: part.clone()  # the file format takes no two tensors that share memory
        for ours, names in _names(config).items()
        for name, part in zip(names, weights[ours].chunk(len(names)), strict=True)
    }


def _nanochat(model: Transformer, tokenizer: Tokenizer) -> dict[str, Any]:
    """config.json of a NanoChatForCausalLM, by hand: importing transformers takes seconds."""
    config = {
        "architectures": ["NanoChatForCausalLM"],
        "model_type": "nanochat",
        "dtype": str(model.embed.weight.dtype).removeprefix("torch."),
    }
    config |= {theirs: getattr(model.config, ours) for ours, theirs in _SHAPE.items()}
    config |= {key: ours for key, (ours, _) in _FIXED.items()}
    special = {role: tokenizer.special.get(f"{role}_token") for role in ("bos", "eos", "pad")}
    ids = {f"{r}_token_id": t and tokenizer.backend.token_to_id(t) for r, t in special.items()}
    rotary = {"rope_theta": 10_000.0, "rope_type": "default"}
    return config | ids | {"num_key_value_heads": model.config.n_heads, "rope_parameters": rotary}


def _own(model: Transformer, _: Tokenizer) -> dict[str, Any]:
    kind = type(model).__name__
    if _CLASSES.get(kind) is not type(model):
        raise ValueError(f"Cannot save a {kind}, expected one of {', '.join(_CLASSES)}.")
    about = {"class": kind, "n_outputs": model.head.weight.shape[0], **asdict(model.config)}
    return {"model_type": "llmtrain101", "architectures": [kind], "llmtrain101": about}


def _config_of_own(folder: Path, settings: dict[str, Any]) -> tuple[str, ModelConfig, int]:
    about = settings.get("llmtrain101")
    about = dict(about) if isinstance(about, dict) else {}
    kind, causal = about.get("class"), about.get("causal")
    if kind not in _CLASSES or not isinstance(causal, bool):
        raise ValueError(f"{folder / 'config.json'} is damaged: class is {kind!r}.")
    n_outputs = _whole(folder, about, "n_outputs")
    shape = {name: _whole(folder, about, name) for name in _SHAPE}
    return str(kind), _checked(folder, causal=causal, **shape), n_outputs


def _config_of_nanochat(folder: Path, settings: dict[str, Any]) -> ModelConfig:
    """The shape of a NanoChat model; what it may hold that we cannot represent is refused."""
    where, kind = folder / "config.json", settings.get("model_type")
    if kind != "nanochat":
        raise ValueError(
            f"{where} describes a model of type {kind!r}; llmtrain101 reads nanochat only. "
            "Use transformers.AutoModel for others."
        )
    shape = {ours: _whole(folder, settings, theirs) for ours, theirs in _SHAPE.items()}
    d_head = shape["d_model"] // shape["n_heads"]
    fixed = {key: (ours, settings.get(key, default)) for key, (ours, default) in _FIXED.items()}
    for key, ours in (("num_key_value_heads", shape["n_heads"]), ("head_dim", d_head)):
        given = settings.get(key)
        fixed[key] = (ours, ours if given is None else given)
    rotary = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    theta = settings.get("rope_theta", 10_000.0)
    expected = {"rope_theta": 10_000.0, "rope_type": "default"}
    fixed["rope_parameters"] = (expected, {"rope_type": "default", "rope_theta": theta, **rotary})
    for key, (ours, given) in fixed.items():
        if given != ours:
            raise ValueError(
                f"{where} has {key} = {given!r}, which llmtrain101 cannot represent: its models "
                f"have {ours!r}. Use transformers for this one."
            )
    return _checked(folder, causal=True, **shape)


def _whole(folder: Path, settings: dict[str, Any], key: str) -> int:
    value = settings.get(key)
    if type(value) is not int or value < 1:
        raise ValueError(f"{folder / 'config.json'} is damaged: {key} is {value!r}.")
    return value


def _checked(folder: Path, **shape: Any) -> ModelConfig:
    """Limits that the weights do not check: they are compared with the shape made from this."""
    if shape["context_length"] > _LONGEST_CONTEXT:
        raise ValueError(
            f"{folder / 'config.json'} has a context of {shape['context_length']:,} tokens; "
            f"llmtrain101 reads up to {_LONGEST_CONTEXT:,}."
        )
    if shape["n_layers"] > 10_000:
        raise ValueError(f"{folder / 'config.json'} has {shape['n_layers']:,} layers: too many.")
    try:
        return ModelConfig(**shape)
    except ValueError as error:
        raise ValueError(f"{folder / 'config.json'} is damaged: {error}") from None


def _check_present(folder: Path) -> None:
    if (folder / _WEIGHTS).is_file():
        return
    others = sorted(folder.glob("*.bin")) + sorted(folder.glob("*.pt*"))
    if others:
        raise ValueError(
            f"{others[0]} is a pickle, which can run any code when it is read, so it is not. "
            "Save the model as safetensors."
        )
    if (folder / f"{_WEIGHTS}.index.json").is_file():
        raise ValueError(
            f"The weights in {folder} are split over several files, which llmtrain101 does not "
            "read: load it with transformers and save it with a larger max_shard_size."
        )
    raise FileNotFoundError(f"{folder} has no {_WEIGHTS}: it is no model, or saving was cut off.")


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None

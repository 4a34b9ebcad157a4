"""A saved folder is the same model in transformers, and its folders are the same model here."""

import json
import os
import struct

import pytest
import torch
import transformers

from llmtrain101 import checkpoint, weights
from llmtrain101.checkpoint import load, load_model, save
from llmtrain101.generate import generate
from llmtrain101.model import (
    Classifier,
    LanguageModel,
    ModelConfig,
    SpanFinder,
    Tagger,
    next_token_loss,
)
from llmtrain101.seeds import generator
from llmtrain101.tokens import Tokenizer, bytes_, characters

ALPHABET = "abcdefghijklmnopqrstuvwxyz .,\n"


def random_model(kind=LanguageModel, *outputs, seed=0, tokenizer=None, **shape):
    vocab_size = (tokenizer or characters(ALPHABET)).vocab_size
    config = ModelConfig.tiny(vocab_size, **{"d_model": 24, "n_heads": 2, **shape})
    model = kind(config, *outputs, generator=generator(seed, "init"))
    with torch.no_grad():  # the initial head is zero: every model would be the same function
        for weight in model.parameters():
            weight.normal_(std=0.2, generator=generator(seed, str(tuple(weight.shape))))
    return model.eval()


@pytest.fixture
def tokenizer():
    return characters(ALPHABET)


@pytest.fixture
def ids():
    return torch.randint(0, len(ALPHABET), (3, 20), generator=generator(0, "ids"))


@pytest.fixture
def folder(tmp_path, tokenizer):
    save(tmp_path / "model", random_model(), tokenizer)
    return tmp_path / "model"


def nanochat(**changes):
    shape = {
        "vocab_size": 34,
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "max_position_embeddings": 32,
        "final_logit_softcapping": None,
    }
    config = transformers.NanoChatConfig(**(shape | changes))
    torch.manual_seed(0)
    model = transformers.NanoChatForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.2)
    return model.eval()


def assert_same_function(ours, theirs, ids):
    """Logits, loss and every gradient, to float32 rounding."""
    mine, other = ours(ids), theirs(ids).logits
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)
    assert mine.std() > 0.1  # the comparison means something
    next_token_loss(mine[:, :-1], ids[:, 1:]).backward()
    theirs(ids, labels=ids).loss.backward()
    gradients = {name: weight.grad for name, weight in ours.named_parameters()}
    expected = {name: weight.grad for name, weight in theirs.named_parameters()}
    named = checkpoint._to_nanochat(gradients, ours.config)
    assert named.keys() == expected.keys()
    for name, gradient in named.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-6, msg=name)
        assert gradient.abs().max() > 1e-4, name


def test_our_folder_is_the_same_model_in_transformers(folder, ids):
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert type(theirs) is transformers.NanoChatForCausalLM
    assert_same_function(random_model(), theirs, ids)


def test_a_transformers_folder_is_the_same_model_here(tmp_path, ids):
    theirs = nanochat()
    theirs.save_pretrained(tmp_path)
    ours = load_model(tmp_path)
    assert ours.config == ModelConfig(
        vocab_size=34, context_length=32, d_model=24, n_layers=3, n_heads=3, d_ff=40
    )
    assert_same_function(ours, theirs, ids)


def test_greedy_generation_is_the_same_token_for_token(folder, ids):
    model, tokenizer = load(folder)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    made = []
    for prompt in ids[:, :5].split(1):
        mine = generate(model, prompt, 50, temperature=0.0, end_id=tokenizer.end_id)
        other = theirs.generate(prompt, max_new_tokens=50, do_sample=False)
        assert mine.tolist() == other.tolist()
        made += mine[0, 5:].tolist()
    assert len(made) > 60 and len(set(made)) > 8  # long, and not one letter again and again
    assert tokenizer.end_id in made  # both stopped there


def test_text_to_text_is_the_same_through_both_libraries(folder):
    model, tokenizer = load(folder)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    prompt = "to be , or not"
    assert theirs(prompt).input_ids == tokenizer.encode(prompt)
    made = generate(model, torch.tensor([tokenizer.encode(prompt)]), 20)[0].tolist()
    assert theirs.decode(made) == tokenizer.decode(made)
    assert theirs.decode(made).startswith(prompt)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert (config.eos_token_id, config.pad_token_id) == (tokenizer.end_id, tokenizer.pad_id)


def test_back_and_forth_changes_no_bit(folder, tmp_path):
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    theirs.save_pretrained(tmp_path / "theirs")
    ours, again = load_model(folder), load_model(tmp_path / "theirs")
    for name, weight in ours.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_the_same_model_makes_the_same_bytes(folder, tmp_path, tokenizer):
    save(tmp_path / "again", random_model(), tokenizer)
    save(tmp_path / "other", random_model(seed=1), tokenizer)
    first, again, other = (
        weights.sha256(path / "model.safetensors")
        for path in (folder, tmp_path / "again", tmp_path / "other")
    )
    assert first == again != other


def test_half_precision_is_read_as_float32(tmp_path, ids):
    nanochat().to(torch.bfloat16).save_pretrained(tmp_path)
    model = load_model(tmp_path)
    assert model.embed.weight.dtype == torch.float32
    torch.testing.assert_close(model(ids), nanochat()(ids).logits, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("kind", "outputs", "causal"),
    [
        (LanguageModel, (), False),
        (Classifier, (4,), False),
        (Classifier, (4,), True),
        (Tagger, (5,), False),
        (SpanFinder, (), False),
    ],
)
def test_what_transformers_lacks_comes_back_here_and_is_refused_there(
    tmp_path, tokenizer, ids, kind, outputs, causal
):
    model = random_model(kind, *outputs, causal=causal)
    save(tmp_path, model, tokenizer)
    again, same = load(tmp_path)
    assert type(again) is kind
    assert again.config == model.config
    assert torch.equal(again.eval()(ids), model(ids))
    assert same.encode("abc") == tokenizer.encode("abc")
    with pytest.raises((ValueError, KeyError), match="llmtrain101"):
        transformers.AutoModel.from_pretrained(tmp_path)
    assert transformers.AutoTokenizer.from_pretrained(tmp_path).encode("abc") == [4, 5, 6]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"final_logit_softcapping": 15.0}, "final_logit_softcapping = 15.0.*cannot represent"),
        ({"num_key_value_heads": 1}, "num_key_value_heads = 1"),
        ({"attention_bias": True}, "attention_bias = True"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings = True"),
        ({"rms_norm_eps": 1e-5}, "rms_norm_eps = 1e-05"),
        ({"hidden_act": "silu"}, "hidden_act = 'silu'"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}, "rope_theta.: 500000"),
    ],
)
def test_what_we_cannot_represent_is_refused_by_name(tmp_path, changes, message):
    nanochat(**changes).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path)


def test_a_key_that_is_missing_means_the_default_of_transformers(folder):
    change(folder, lambda config: config.pop("final_logit_softcapping"))
    with pytest.raises(ValueError, match="final_logit_softcapping = 15.0"):
        load_model(folder)


def change(folder, edit):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    edit(config)
    path.write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(model_type="gpt2"), "of type 'gpt2'; llmtrain101 reads nanochat only"),
        (lambda c: c.update(hidden_size="24"), "damaged: hidden_size is '24'"),
        (lambda c: c.update(hidden_size=-24), "damaged: hidden_size is -24"),
        (
            lambda c: c.update(num_attention_heads=7, num_key_value_heads=7),
            "damaged: d_model / n_heads must be a whole",
        ),
        (lambda c: c.update(num_hidden_layers=3), "does not fit.*layers.2.* is missing, expected"),
        (lambda c: c.update(vocab_size=1 << 40), "does not fit config.json"),
        (lambda c: c.update(max_position_embeddings=1 << 40), "context of 1,099,511,627,776"),
        (lambda c: c.update(num_hidden_layers=1 << 40), "1,099,511,627,776 layers: too many"),
        (lambda c: c.update(head_dim=6), "head_dim = 6"),
        (lambda c: c.update(model_type="llmtrain101"), "class is None"),
        (lambda c: c.update(model_type="llmtrain101", llmtrain101=[]), "class is None"),
    ],
)
def test_a_description_that_does_not_hold_is_refused_before_memory_is_taken(folder, edit, message):
    change(folder, edit)
    with pytest.raises(ValueError, match=message):
        load_model(folder)


def header_of(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(path, header, body):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_damaged_weights_are_refused(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for damage, message in (
        (whole[:-1], "should have .* bytes, and has"),
        (whole + b"x", "should have .* bytes, and has"),
        (whole[:100], "damaged: its header would be"),
        (b"", "damaged: its header would be 0 bytes"),
        (b"\xff" * 8 + whole[8:], "damaged: its header would be 18,446,744"),
        (whole[:8] + b"[" + whole[9:], "damaged: its header cannot be read"),
        (whole[:8] + b"[" * (len(whole) - 8), "damaged: its header cannot be read"),
    ):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match=message):
            load_model(folder)


def test_other_types_of_number_and_overlapping_tensors_are_refused(folder):
    path = folder / "model.safetensors"
    header, body = header_of(path)
    header["lm_head.weight"]["dtype"] = "I32"
    with_header(path, header, body)
    with pytest.raises(ValueError, match="numbers of type I32; llmtrain101 reads BF16, F16, F32"):
        load_model(folder)
    header["lm_head.weight"]["dtype"] = "F32"
    header["lm_head.weight"]["data_offsets"] = [0, 4]
    with_header(path, header, body)
    with pytest.raises(ValueError, match="is damaged"):
        load_model(folder)


def test_pickles_and_split_weights_are_refused_and_missing_files_named(folder):
    path = folder / "model.safetensors"
    path.unlink()
    with pytest.raises(FileNotFoundError, match="has no model.safetensors: it is no model, or sav"):
        load_model(folder)
    (folder / "model.safetensors.index.json").touch()
    with pytest.raises(ValueError, match="split over several files"):
        load_model(folder)
    (folder / "pytorch_model.bin").touch()
    with pytest.raises(ValueError, match="pytorch_model.bin is a pickle, which can run any code"):
        load_model(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="has no config.json"):
        load_model(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match="has no tokenizer.json"):
        load(folder)


def test_a_tokenizer_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has 258 ids and the model 33: they do not belong"):
        save(tmp_path, random_model(), bytes_())


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("stopped_at", range(8))
def test_wherever_saving_is_cut_off_no_two_models_are_mixed(folder, monkeypatch, stopped_at):
    """Stop at the n-th change of a visible file: old, new, or no weights at all."""
    old = snapshot(folder)
    other = bytes_()
    new_folder = folder.with_name("new")
    save(new_folder, random_model(tokenizer=other), other)
    new = snapshot(new_folder)
    changes = iter(range(stopped_at))

    def stop_before(change):
        def changed(*args, **kwargs):
            if next(changes, None) is None:
                raise KeyboardInterrupt
            return change(*args, **kwargs)

        return changed

    unlink = checkpoint.Path.unlink
    monkeypatch.setattr("os.replace", stop_before(os.replace))
    monkeypatch.setattr(
        checkpoint.Path,
        "unlink",
        lambda self, **k: (
            unlink(self, **k) if ".part" in self.name else stop_before(unlink)(self, **k)
        ),
    )
    try:
        save(folder, random_model(tokenizer=other), other)
    except KeyboardInterrupt:
        pass
    now = snapshot(folder)
    assert not [name for name in now if name.endswith(".part")]
    if "model.safetensors" in now:
        assert now in (old, new)
    else:
        with pytest.raises(FileNotFoundError, match="saving was cut off"):
            load(folder)


def test_a_full_disk_while_saving_leaves_the_old_model_whole(folder, monkeypatch):
    old = snapshot(folder)

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise weights.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(OSError, match="The disk is full: saving .*model takes about 0.. MB"):
        save(folder, random_model(seed=1), Tokenizer.load(folder))
    assert snapshot(folder) == old

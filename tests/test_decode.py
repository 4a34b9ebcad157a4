"""The quick step gives the model's logits."""

import pytest
import torch

from llmtrain101.decode import CachedModel, Decoder
from tests.test_model import ids, language_model


@pytest.mark.parametrize("kind", [Decoder, CachedModel])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_logits_equal_the_models(kind, batch_size):
    model, text = language_model(), ids(batch_size, 16)
    decoder = kind(model, batch_size)
    logits = [decoder.begin(text[:, :5])]
    logits += [decoder.step(text[:, i]) for i in range(5, 16)]
    torch.testing.assert_close(torch.stack(logits, dim=1), model(text)[:, 4:])


def test_a_new_prompt_forgets_the_old_one():
    model, text = language_model(), ids(1, 12)
    decoder = Decoder(model, 1)
    decoder.begin(ids(1, 16, stream="other"))
    decoder.begin(text[:, :4])
    torch.testing.assert_close(decoder.step(text[:, 4]), model(text[:, :5])[:, -1])


def test_the_precision_of_training_is_left_as_it_was():
    model = language_model()
    model.compute_dtype = torch.bfloat16
    logits = Decoder(model, 1).begin(ids(1, 3))
    assert model.compute_dtype == torch.bfloat16 and logits.dtype == torch.float32


@pytest.mark.parametrize("kind", [Decoder, CachedModel])
def test_what_cannot_be_read_is_said(kind):
    decoder = kind(language_model(), 1)
    with pytest.raises(ValueError, match=r"call begin\(\) first"):
        decoder.step(torch.tensor([1]))
    for wrong in (ids(2, 4), ids(1, 4)[0], ids(1, 4)[:, :0], ids(1, 17)):
        with pytest.raises(ValueError, match=r"shape \(batch_size, T\) = \(1, 1 to 16\), got"):
            decoder.begin(wrong)
    decoder.begin(ids(1, 15))
    with pytest.raises(ValueError, match=r"shape \(batch_size,\) = \(1,\), got \(2,\)"):
        decoder.step(torch.tensor([1, 2]))
    decoder.step(torch.tensor([1]))
    with pytest.raises(ValueError, match=r"context of 16 tokens is full: begin\(\) again"):
        decoder.step(torch.tensor([1]))

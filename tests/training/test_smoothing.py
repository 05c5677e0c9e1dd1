"""Outliers move from activations into weights, and nothing that a model says changes."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from surefill_training.inputs import load_tokenizer
from surefill_training.smoothing import _largest_activations, smooth
from tiny_models import make_checkpoint


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_a_smoothed_model_says_the_same_with_smaller_outliers(architecture, tmp_path):
    folder = make_checkpoint(tmp_path / "m", architecture, hidden=128)
    model = AutoModelForCausalLM.from_pretrained(folder)
    layer = model.model.layers[1]
    with torch.no_grad():
        layer.input_layernorm.weight[5] = 40.0
        layer.mlp.up_proj.weight[7] *= 40.0
        layer.self_attn.v_proj.weight[9] *= 40.0
        if architecture == "qwen2":
            layer.self_attn.v_proj.bias.normal_()
    ids = torch.randint(6, 512, (2, 90), generator=torch.Generator().manual_seed(0))

    def outliers():
        largest = _largest_activations(model, ids.tolist())
        return [float(values.max() / values.median()) for values in list(largest.values())[4:]]

    with torch.no_grad():
        wanted, before = model(ids).logits, outliers()
        smooth(model, load_tokenizer(folder / "tokenizer.json"))
        found, after = model(ids).logits, outliers()
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3 * float(wanted.std()))
    # Queries, keys and values; values of attention; feed-forward down.
    assert all(after[at] < before[at] / 2 for at in (0, 1, 3))

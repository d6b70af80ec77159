"""The decoder computes what transformers' own modules compute, family by family."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from burnish.model.attention import reference_attention
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder

SHAPE = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
CONFIGS = {
    "llama": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "llama with an untied head and llama3 positions": LlamaConfig(
        **SHAPE, tie_word_embeddings=False, rope_parameters=LLAMA3
    ),
    "mistral with a window of 5": MistralConfig(**SHAPE, sliding_window=5),
    "qwen2": Qwen2Config(**SHAPE),
    "qwen3": Qwen3Config(**SHAPE),
    "gemma3 with a window of 5": Gemma3TextConfig(**SHAPE, sliding_window=5, query_pre_attn_scalar=8),
}


def pair(name: str) -> tuple[torch.nn.Module, Decoder]:
    """The same random weights in transformers' module and in ours, in float64."""
    torch.manual_seed(0)
    config = CONFIGS[name]
    theirs = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    for parameter in theirs.parameters():  # norms start at one value everywhere, which would hide a mistake
        parameter.data += 0.1 * torch.randn_like(parameter)
    ours = build_decoder(config.to_dict(), dict(theirs.state_dict()), dtype=torch.float64, device=torch.device("cpu"))
    return theirs, ours


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_equal_transformers(name: str) -> None:
    theirs, ours = pair(name)
    ids = torch.randint(0, 97, (23,))
    forest = plant([Segment(ids.tolist(), [1.0] * 23)])
    expected = theirs(ids[None]).logits[0]
    logits = ours.hidden(forest) @ ours.head_weight.T
    # transformers computes norms and the waves in float32 even in a float64 model: hence 1e-4 and not 1e-9
    assert (logits - expected).abs().max() < 1e-4


@pytest.mark.parametrize("name", CONFIGS)
def test_a_tree_equals_its_rows_one_by_one(name: str) -> None:
    _, ours = pair(name)
    prompt, answers = [5, 6, 7, 8, 9, 10], [[11, 12, 13], [14, 15], [16, 17, 18, 19]]
    tree = plant(
        [
            Segment(prompt, [0.0] * 6),
            *(Segment(a, [1.0] * len(a), parent=0, row=i) for i, a in enumerate(answers)),
        ]
    )
    together = ours.logprobs(ours.hidden(tree), tree)
    apart = []
    for answer in answers:
        row = plant([Segment(prompt + answer, [0.0] * 6 + [1.0] * len(answer))])
        apart.append(ours.logprobs(ours.hidden(row), row))
    assert (together - torch.cat(apart)).abs().max() < 1e-9
    dense = ours(tree.tokens_T, tree.position_T, reference_attention(tree))
    assert (dense - ours.hidden(tree)).abs().max() < 1e-9


def test_a_packed_row_is_untouched_by_its_neighbour() -> None:
    _, ours = pair("llama")
    row = Segment([1, 2, 3, 4], [1.0] * 4)
    first = plant([Segment([9, 9, 9], [1.0] * 3), row])
    other = plant([Segment([8, 7, 6], [1.0] * 3), row])
    assert torch.equal(ours.hidden(first)[3:], ours.hidden(other)[3:])


def test_gradients_of_logprobs_equal_those_of_a_plain_log_softmax() -> None:
    from burnish.model.logprobs import target_logprobs

    torch.manual_seed(1)
    target, upstream = torch.randint(0, 50, (9,)), torch.randn(9, dtype=torch.float64)
    for train_head in (False, True):
        hidden = torch.randn(9, 16, dtype=torch.float64, requires_grad=True)
        weight = torch.randn(50, 16, dtype=torch.float64, requires_grad=train_head)
        leaves = [hidden, weight] if train_head else [hidden]
        ours = target_logprobs(hidden, weight, target)
        plain = (hidden @ weight.T).log_softmax(-1).gather(1, target[:, None])[:, 0]
        assert torch.allclose(ours, plain, atol=1e-12)
        for a, b in zip(
            torch.autograd.grad(ours, leaves, upstream), torch.autograd.grad(plain, leaves, upstream), strict=True
        ):
            assert torch.allclose(a, b, atol=1e-12)

"""Generation for many requests: what the cache, the slots and the shared runs must not change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from burnish.core.errors import DataError, ModelError
from burnish.generate import engine
from burnish.generate.engine import generate, stream
from burnish.generate.request import Completion, Request
from burnish.model.load import build_decoder
from burnish.model.prefixes import find_prefixes
from tests.unit.generate.decoders import KINDS, VOCAB, generate_naively, make_decoder, random_tokens


def assert_same(found: Sequence[Completion], expected: Sequence[Completion], tolerance: float) -> None:
    """The same tokens and ends, and log-probabilities within the tolerance."""
    for one, other in zip(found, expected, strict=True):
        assert (one.tokens, one.stopped) == (other.tokens, other.stopped)
        assert one.logprobs == pytest.approx(other.logprobs, abs=tolerance)


@pytest.fixture(autouse=True)
def shares_all_that_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """These requests are too few for sharing to pay."""
    monkeypatch.setattr(engine, "WORTH_SHARING", 0)


def mixed_requests() -> list[Request]:
    """Ten requests: three levels of shared beginnings, equal prompts, a prompt of one token, several lengths."""
    shared, deeper, deepest = random_tokens(0, 40), random_tokens(1, 35), random_tokens(10, 33)
    prompts = [
        shared + random_tokens(2, 3),
        shared + random_tokens(3, 9),
        shared + deeper + random_tokens(4, 1),
        shared + deeper + deepest + random_tokens(5, 6),
        shared + deeper + deepest + random_tokens(5, 6),
        shared,
        random_tokens(6, 1),
        random_tokens(7, 12),
        random_tokens(8, 50),
        random_tokens(9, 12),
    ]
    return [Request(prompt, 3 + 2 * index) for index, prompt in enumerate(prompts)]


@pytest.mark.parametrize("kind", KINDS)
def test_generation_equals_reading_everything_anew_for_each_token(kind: str) -> None:
    decoder, requests = make_decoder(kind), mixed_requests()
    expected = [generate_naively(decoder, request) for request in requests]
    assert len({completion.tokens[:3] for completion in expected}) > 6  # the answers differ, so the prompts were read
    assert_same(generate(decoder, requests, stop_ids=()), expected, 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_three_slots_for_ten_requests_give_what_one_by_one_gives(kind: str) -> None:
    decoder, requests = make_decoder(kind, torch.float32), mixed_requests()
    one_by_one = [generate(decoder, [request], stop_ids=(), slots=1)[0] for request in requests]
    assert_same(generate(decoder, requests, stop_ids=(), slots=3), one_by_one, 1e-3)


def test_sharing_beginnings_changes_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, requests = make_decoder("gemma3"), mixed_requests()
    assert len(find_prefixes([request.prompt for request in requests]).runs) == 3
    shared = generate(decoder, requests, stop_ids=())
    monkeypatch.setattr(engine, "find_prefixes", lambda prompts, worth: find_prefixes(prompts, least=10_000))
    assert_same(generate(decoder, requests, stop_ids=()), shared, 1e-5)


def test_prompts_that_do_not_fit_one_pass_start_in_later_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, requests = make_decoder("llama"), mixed_requests()
    at_once = generate(decoder, requests, stop_ids=())
    monkeypatch.setattr(engine, "TOKENS_PER_PASS", 20)
    assert_same(generate(decoder, requests, stop_ids=()), at_once, 1e-5)


def test_slots_that_grow_keep_what_they_hold() -> None:
    decoder, shared = make_decoder("llama"), random_tokens(0, 40)
    short = [Request(random_tokens(1, 5), 4), Request(random_tokens(2, 5), 9)]  # start first: they share nothing
    long = [Request(shared + random_tokens(3, 2), 30), Request(shared + random_tokens(4, 20), 30)]
    expected = [generate_naively(decoder, request) for request in short + long]
    assert_same(generate(decoder, short + long, stop_ids=(), slots=2), expected, 1e-5)


def test_a_stop_token_ends_a_sequence_and_is_not_part_of_it() -> None:
    decoder, requests = make_decoder("llama"), mixed_requests()
    free = generate(decoder, requests, stop_ids=())
    stop = {free[7].tokens[4], free[9].tokens[0]}
    completions = generate(decoder, requests, stop_ids=stop, slots=3)
    assert_same(completions, [generate_naively(decoder, request, tuple(stop)) for request in requests], 1e-5)
    assert completions[9] == Completion((), (), True)
    assert not any(stop & set(completion.tokens) for completion in completions)


def test_the_same_requests_give_the_same_numbers_twice() -> None:
    decoder = make_decoder("llama", torch.bfloat16)
    requests = [Request(r.prompt, r.max_new_tokens, 0.8, index) for index, r in enumerate(mixed_requests())]
    assert generate(decoder, requests, stop_ids=(), slots=4) == generate(decoder, requests, stop_ids=(), slots=4)


def test_a_drawn_sequence_depends_on_its_seed_and_not_on_its_neighbours() -> None:
    decoder = make_decoder("qwen3")
    requests = [Request(r.prompt, r.max_new_tokens, 1.5, index % 3) for index, r in enumerate(mixed_requests())]
    together = generate(decoder, requests, stop_ids=(), slots=4)
    assert_same(together, [generate(decoder, [request], stop_ids=())[0] for request in requests], 1e-5)
    assert together[3].tokens != together[4].tokens[: len(together[3].tokens)]  # one prompt, two seeds


def test_sixteen_samples_of_one_prompt_share_its_computation() -> None:
    prompt = random_tokens(0, 64)
    requests = [Request(prompt, 8, 1.0, seed) for seed in range(16)]
    (run,) = find_prefixes([request.prompt for request in requests]).runs
    assert run.tokens == prompt[:-1]
    completions = generate(make_decoder("llama"), requests, stop_ids=())
    assert len({completion.tokens for completion in completions}) > 8


def test_long_sequences_have_fewer_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, requests = make_decoder("llama"), mixed_requests()
    expected = generate(decoder, requests, stop_ids=())
    # the longest needs 50 own tokens and room for 19 - 1 more: 150 tokens hold two such, 70 one
    for tokens in (150, 70):
        monkeypatch.setattr(engine, "TOKENS_IN_SLOTS", tokens)
        assert_same(generate(decoder, requests, stop_ids=()), expected, 1e-5)


def test_streaming_yields_the_tokens_of_generate() -> None:
    decoder, request = make_decoder("llama"), Request(random_tokens(0, 9), 12)
    (completion,) = generate(decoder, [request], stop_ids=())
    assert tuple(stream(decoder, request, stop_ids=())) == completion.tokens
    stop = completion.tokens[5]
    before = completion.tokens[: completion.tokens.index(stop)]
    assert tuple(stream(decoder, request, stop_ids=[stop])) == before


def test_tokens_equal_those_of_transformers() -> None:
    torch.manual_seed(3)
    sizes = {"vocab_size": VOCAB, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    config = LlamaConfig(**sizes, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.4)
    model = LlamaForCausalLM(config).float().eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    decoder = build_decoder(config.to_dict(), model.state_dict(), dtype=torch.float32, device=torch.device("cpu"))
    requests = mixed_requests()
    for request, completion in zip(requests, generate(decoder, requests, stop_ids=(), slots=4), strict=True):
        ids = torch.tensor([request.prompt])
        made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=request.max_new_tokens)
        assert tuple(made[0, ids.shape[1] :].tolist()) == completion.tokens


def test_progress_counts_up_to_the_number_of_requests() -> None:
    seen: list[int] = []
    generate(make_decoder("llama"), mixed_requests(), stop_ids=(), slots=3, progress=seen.append)
    assert seen == list(range(1, 11))


def test_nothing_asked_is_nothing_given() -> None:
    decoder = make_decoder("llama")
    assert generate(decoder, [], stop_ids=()) == []
    assert generate(decoder, [Request((1, 2), 0)], stop_ids=()) == [Completion((), (), False)]
    assert list(stream(decoder, Request((1,), 0), stop_ids=())) == []


@pytest.mark.parametrize(
    ("request_", "seen"),
    [
        (Request(random_tokens(0, 250), 7), "250 prompt + 7 new = 257 of 256 tokens"),
        (Request((), 7), "0 tokens"),
        (Request((1, VOCAB), 7), str(VOCAB)),
        (Request((1, -1), 7), "-1"),
        (Request((1,), -7), "max_new_tokens -7"),
        (Request((1,), 7, float("nan")), "temperature nan"),
    ],
)
def test_a_request_that_cannot_be_met_is_named(request_: Request, seen: str) -> None:
    decoder = make_decoder("llama")
    with pytest.raises(DataError) as caught:
        generate(decoder, [Request((1,), 2), request_], stop_ids=())
    assert caught.value.where == "request 1"
    assert seen in caught.value.seen
    with pytest.raises(DataError):
        stream(decoder, request_, stop_ids=())


def test_a_request_may_fill_the_context_to_its_last_token() -> None:
    (completion,) = generate(make_decoder("llama"), [Request(random_tokens(0, 250), 6)], stop_ids=())
    assert len(completion.tokens) == 6


def test_a_model_that_computes_nan_is_refused() -> None:
    decoder = make_decoder("llama")
    decoder.model.norm.weight[0] = float("nan")
    with pytest.raises(ModelError):
        generate(decoder, [Request((1, 2), 3)], stop_ids=())


def test_generation_leaves_a_trained_model_able_to_train() -> None:
    decoder = make_decoder("llama", torch.float32).requires_grad_(True)
    generate(decoder, mixed_requests(), stop_ids=(), slots=3)
    next(iter(stream(decoder, Request((1, 2), 3), stop_ids=())))
    assert not torch.is_inference_mode_enabled()
    assert all(parameter.grad is None and not parameter.is_inference() for parameter in decoder.parameters())

"""Requests that come and go while others are at work: nobody's answer may change."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from burnish.core.errors import DataError
from burnish.generate.engine import Engine
from burnish.generate.request import Completion, Request
from burnish.model.bank import Bank, Factors
from burnish.model.decoder import Decoder
from tests.unit.generate.decoders import KINDS, VOCAB, generate_naively, make_decoder, random_tokens


def answers(engine: Engine, requests: Sequence[Request], *, every: int = 1) -> list[list[int]]:
    """Submits one request every so many passes and works until all are done."""
    numbers: list[int] = []
    found: dict[int, list[int]] = {}
    passes = 0
    while len(numbers) < len(requests) or engine.waiting or engine.active:
        if passes % every == 0 and len(numbers) < len(requests):
            numbers.append(engine.submit(requests[len(numbers)]))
        for event in engine.step():
            found.setdefault(event.request, []).append(event.token)
        passes += 1
    return [found[number] for number in numbers]


def talks() -> list[Request]:
    """Four that begin alike, two of them with a further turn, one that is asked again, and three of their own."""
    system, first, second = random_tokens(0, 70), random_tokens(1, 40), random_tokens(2, 60)
    prompts = [
        system + first,
        system + second,
        random_tokens(3, 9),
        system + first + random_tokens(4, 45),
        system + second + random_tokens(5, 20),
        random_tokens(6, 100),
        system + first,
        system + first + random_tokens(4, 45) + random_tokens(7, 10),
        random_tokens(8, 1),
    ]
    return [Request(prompt, 4 + index % 5) for index, prompt in enumerate(prompts)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [1, 2, 20])
def test_requests_that_come_one_by_one_are_answered_as_if_each_were_alone(kind: str, every: int) -> None:
    decoder, requests = make_decoder(kind), talks()
    expected = [list(generate_naively(decoder, request).tokens) for request in requests]
    engine = Engine(decoder, stop_ids=(), slots=4, tokens_per_pass=24, remember=1000)
    assert answers(engine, requests, every=every) == expected
    assert answers(engine, requests, every=every) == expected  # now with all of it remembered


def test_all_at_once_with_one_beginning_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, system = make_decoder("qwen3"), random_tokens(0, 90)
    requests = [Request(system + random_tokens(1 + index, 5), 6) for index in range(8)]
    engine = Engine(decoder, stop_ids=(), slots=8, remember=2000)
    for request in requests:
        engine.submit(request)
    read = 0
    found: dict[int, list[int]] = {}
    while engine.waiting or engine.active:
        before = engine.active
        for event in engine.step():
            found.setdefault(event.request, []).append(event.token)
        read += max(0, engine.active - before)
    assert list(found.values()) == [list(generate_naively(decoder, request).tokens) for request in requests]
    assert engine.memory is not None
    # 95 + 5 tokens of the first, and what is kept of the other seven is 95 + 5 each
    assert engine.memory.held == 8 * 100


def test_a_beginning_met_again_and_again_is_attended_to_where_it_lies() -> None:
    decoder, system = make_decoder("gemma3"), random_tokens(0, 150)
    requests = [Request(system + random_tokens(1 + index, 5), 6) for index in range(6)]
    engine = Engine(decoder, stop_ids=(), slots=8, remember=2000)
    expected = [list(generate_naively(decoder, request).tokens) for request in requests]
    assert answers(engine, requests, every=50) == expected
    assert engine.memory is not None
    # the first keeps 155 + 5, the second copies and keeps as much; to the others only 5 + 5 are their own: too little
    assert engine.memory.held == 2 * 160


def test_what_is_remembered_stays_within_its_limit() -> None:
    decoder = make_decoder("qwen3")
    engine = Engine(decoder, stop_ids=(), slots=2, remember=200)
    for seed in range(12):
        answers(engine, [Request(random_tokens(seed, 50 + 10 * seed), 3)])
        assert engine.memory is not None
        assert engine.memory.held <= 200


def test_a_request_given_up_frees_its_slot_and_changes_no_other() -> None:
    decoder, requests = make_decoder("qwen3"), talks()
    expected = [list(generate_naively(decoder, request).tokens) for request in requests]
    for chance in range(20):
        rng = random.Random(chance)
        engine = Engine(decoder, stop_ids=(), slots=4, tokens_per_pass=24, remember=300 * (chance % 2))
        numbers = [engine.submit(request) for request in requests]
        found: dict[int, list[int]] = {number: [] for number in numbers}
        left = set(rng.sample(numbers, 4))
        gone: set[int] = set()
        while engine.waiting or engine.active:
            if left and rng.random() < 0.4:
                gone.add(left.pop())
                engine.cancel(max(gone))
                for number in gone:
                    engine.cancel(number)
            for event in engine.step():
                assert event.request not in gone
                found[event.request].append(event.token)
        for number, tokens in zip(numbers, expected, strict=True):
            assert found[number] == tokens if number not in gone else found[number] == tokens[: len(found[number])]
        assert (engine.active, engine.waiting) == (0, 0)


def factors(seed: int, rank: int) -> dict[str, Factors]:
    """A random update of the queries of every layer, and of the first layer's output for odd seeds."""
    source = torch.Generator().manual_seed(seed)
    made: dict[str, Factors] = {}
    for layer in range(3):
        names = [f"model.layers.{layer}.self_attn.q_proj"]
        names += ["model.layers.0.mlp.down_proj"] if seed % 2 and not layer else []
        for name in names:
            inputs, outputs = (48, 32) if name.endswith("down_proj") else (32, 32)
            a = 0.2 * torch.randn(rank, inputs, generator=source, dtype=torch.float64)
            made[name] = a, torch.randn(outputs, rank, generator=source, dtype=torch.float64)
    return made


def merged(kind: str, updates: dict[str, Factors]) -> Decoder:
    decoder = make_decoder(kind)
    for name, (a, b) in updates.items():
        decoder.get_submodule(name).weight.data += b @ a  # type: ignore[operator, union-attr]
    return decoder


@pytest.mark.parametrize("kind", ["qwen3", "gemma3"])
def test_adapters_mixed_in_a_batch_answer_as_each_merged_alone(kind: str) -> None:
    decoder = make_decoder(kind)
    updates = {f"adapter {seed}": factors(seed, 1 + seed % 3) for seed in range(1, 6)}
    alone = {key: merged(kind, update) for key, update in updates.items()} | {"": make_decoder(kind)}
    decoder.bank = Bank(decoder)
    for key, update in updates.items():
        decoder.bank.add(key, update)
    rng = random.Random(0)
    prompts = [request.prompt for request in talks()]
    requests = [Request(prompts[rng.randrange(9)], 6, adapter=rng.choice(list(alone))) for _ in range(40)]
    engine = Engine(decoder, stop_ids=(), slots=7, tokens_per_pass=50, remember=3000)
    numbers = [engine.submit(request) for request in requests]
    found: dict[int, list[tuple[int, float]]] = {number: [] for number in numbers}
    while engine.waiting or engine.active:
        for event in engine.step():
            found[event.request].append((event.token, event.logprob))
    for number, request in zip(numbers, requests, strict=True):
        expected = generate_naively(alone[request.adapter], request)
        assert [token for token, _ in found[number]] == list(expected.tokens)
        assert [logprob for _, logprob in found[number]] == pytest.approx(expected.logprobs, abs=1e-5)
    said = {generate_naively(one, Request(prompts[5], 1)).logprobs for one in alone.values()}
    assert len(said) == 6  # they do differ


def test_the_base_beside_adapters_is_the_base_to_the_last_bit() -> None:
    plain, decoder, request = make_decoder("qwen3", torch.bfloat16), make_decoder("qwen3", torch.bfloat16), talks()[0]
    decoder.bank = Bank(decoder)
    decoder.bank.add("one", factors(1, 3))

    def logprobs(one: Decoder) -> list[float]:
        engine = Engine(one, stop_ids=())
        engine.submit(request)
        return [event.logprob for _ in range(request.max_new_tokens) for event in engine.step()]

    assert logprobs(decoder) == logprobs(plain)


def test_an_adapter_that_went_is_not_answered_for() -> None:
    decoder, request = make_decoder("qwen3"), talks()[0]
    decoder.bank = Bank(decoder)
    for seed in (1, 2, 3):
        decoder.bank.add(f"{seed}", factors(seed, seed))
    decoder.bank.remove("2")
    engine = Engine(decoder, stop_ids=())
    with pytest.raises(DataError, match="not loaded"):
        engine.submit(Request(request.prompt, 3, adapter="2"))
    with pytest.raises(ValueError, match="is not loaded"):
        decoder.bank.assign(["2"])
    third = Request(request.prompt, 6, adapter="3")
    assert answers(engine, [third])[0] == list(generate_naively(merged("qwen3", factors(3, 3)), third).tokens)


def test_an_update_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    decoder = make_decoder("qwen3")
    decoder.bank = Bank(decoder)
    wrong = {"model.layers.0.self_attn.q_proj": (torch.zeros(2, 31), torch.zeros(32, 2))}
    for updates in (wrong, {"lm_head": (torch.zeros(2, 32), torch.zeros(VOCAB, 2))}):
        with pytest.raises(Exception, match="does not fit"):
            decoder.bank.add("wrong", updates)
    nan = {"model.layers.0.self_attn.q_proj": (torch.full((2, 32), torch.nan), torch.zeros(32, 2))}
    with pytest.raises(Exception, match="not finite"):
        decoder.bank.add("nan", nan)
    assert decoder.bank.keys == ()


class _Only:
    """A guide that lets one token after another through."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens, self.at = tokens, 0

    def allowed(self) -> Tensor | None:
        return torch.arange(VOCAB) == self.tokens[self.at]

    def take(self, token: int) -> None:
        assert token == self.tokens[self.at]
        self.at += 1


def test_penalties_bias_and_guides_choose_the_token_and_leave_its_probability_as_it_is() -> None:
    decoder = make_decoder("qwen3")
    prompt = random_tokens(0, 9)
    plain = Engine(decoder, stop_ids=())
    (free,) = answers(plain, [Request(prompt, 8)])
    (forced,) = answers(plain, [Request(prompt, 3, bias=((6, 1000.0),))])
    assert forced == [6, 6, 6]
    assert free[0] != 6
    (fresh,) = answers(plain, [Request(prompt, 20, presence_penalty=1000.0)])
    assert len(set(fresh)) == 20
    assert fresh[0] == free[0]
    (guided,) = answers(plain, [Request(prompt, 3, guide=_Only([7, 3, 9]))])
    assert guided == [7, 3, 9]
    engine = Engine(decoder, stop_ids=())
    engine.submit(Request(prompt, 1, bias=((6, 1000.0),), top=3))
    (event,) = engine.step()
    naive: Completion = generate_naively(decoder, Request(prompt, 1))
    assert event.top[0] == (naive.tokens[0], pytest.approx(naive.logprobs[0]))
    assert event.logprob < event.top[0][1]

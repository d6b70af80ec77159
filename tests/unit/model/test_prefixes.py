"""The forest of shared beginnings."""

from __future__ import annotations

import random

from burnish.model.prefixes import find_prefixes


def test_a_common_beginning_becomes_one_run() -> None:
    prefixes = find_prefixes([(1, 2, 3, 4, 5), (1, 2, 3, 9), (7, 7, 7)], least=3)
    assert [(run.tokens, run.start, run.parent) for run in prefixes.runs] == [((1, 2, 3), 0, -1)]
    assert prefixes.paths == ((0,), (0,), ())
    assert [prefixes.covered(prompt) for prompt in range(3)] == [3, 3, 0]


def test_beginnings_nest() -> None:
    prefixes = find_prefixes([(1, 2, 3, 4, 5), (1, 2, 3, 4, 6), (1, 2, 8), (1, 2, 9)], least=2)
    assert [(run.tokens, run.start, run.parent) for run in prefixes.runs] == [((1, 2), 0, -1), ((3, 4), 2, 0)]
    assert prefixes.paths == ((0, 1), (0, 1), (0,), (0,))


def test_every_prompt_keeps_its_last_token_to_itself() -> None:
    # the third prompt ends where the others part, so the run stops a token earlier
    prefixes = find_prefixes([(1, 2, 3, 4), (1, 2, 3, 5), (1, 2, 3), (1, 2, 3)], least=2)
    assert [run.tokens for run in prefixes.runs] == [(1, 2)]
    assert prefixes.paths == ((0,),) * 4


def test_a_short_prompt_does_not_hinder_the_sharing_of_longer_ones() -> None:
    prefixes = find_prefixes([(1,), (1, 2, 3, 4, 5), (1, 2, 3, 4, 6)], least=3)
    assert [run.tokens for run in prefixes.runs] == [(1, 2, 3, 4)]
    assert prefixes.paths == ((), (0,), (0,))


def test_what_is_too_short_is_not_shared() -> None:
    assert find_prefixes([(1, 2, 3, 4), (1, 2, 3, 5)], least=4).runs == ()
    assert find_prefixes([], least=1).paths == ()
    assert find_prefixes([(1, 2, 3)], least=1).runs == ()


def test_what_saves_too_little_is_left_to_each_or_to_those_deeper() -> None:
    # (1, 2) saves 2 · 2 tokens, (3, 4) after it 1 · 2, both together for the first two prompts 1 · 4
    prompts = [(1, 2, 3, 4, 5), (1, 2, 3, 4, 6), (1, 2, 8)]
    assert [run.tokens for run in find_prefixes(prompts, least=2, worth=2).runs] == [(1, 2), (3, 4)]
    assert [run.tokens for run in find_prefixes(prompts, least=2, worth=4).runs] == [(1, 2)]
    assert find_prefixes(prompts, least=2, worth=5).runs == ()
    longer = [(1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6, 8), (1, 9)]
    (run,) = find_prefixes(longer, least=1, worth=6).runs
    assert (run.tokens, run.start) == ((1, 2, 3, 4, 5, 6), 0)


def test_runs_and_own_parts_make_up_every_prompt() -> None:
    source = random.Random(0)
    prompts = [tuple(source.randrange(2) for _ in range(source.randrange(1, 12))) for _ in range(300)]
    prefixes = find_prefixes(prompts, least=2)
    assert len(prefixes.runs) > 20
    for prompt, path in zip(prompts, prefixes.paths, strict=True):
        parents = [prefixes.runs[run].parent for run in path]
        assert parents == [-1, *path][: len(path)]
        read = [token for run in path for token in prefixes.runs[run].tokens]
        assert read == list(prompt[: len(read)])
        assert len(read) < len(prompt)


def test_thousands_of_prompts_each_the_beginning_of_the_next_do_not_exhaust_the_stack() -> None:
    prompts = [(1,) * length for length in range(1, 2001)]
    assert len(find_prefixes(prompts).runs) > 0

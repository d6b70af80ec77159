"""The prompted opponent: made from train, chosen on dev, written down in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from burnish.core.errors import DataError, RecipeError
from burnish.core.records import Chat
from burnish.evals.arms import Decoding, answers
from burnish.evals.progress import ticker
from burnish.evals.prompt_examples import make_examples
from burnish.evals.prompt_instructions import written_instructions
from burnish.evals.prompt_search import Choice, choose_prompt
from burnish.evals.prompts import Candidate, PromptMaker, candidates, candidates_with
from burnish.evals.task import answer_losses
from burnish.evals.task_data import TaskData
from burnish.graders.registry import Grader
from burnish.graders.settings import higher_is_better, score_on_dev
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

MOST_EXAMPLES = 16  # unless the recipe asks for more
CHARACTERS_PER_TOKEN = 4  # a guess for a list of names, which may fill a quarter of the context


def make_prompts(
    data: TaskData, renderer: Renderer, decoding: Decoding, instructions: str | None, seed: int
) -> PromptMaker:
    """With the user's instructions where there are any, alone and together with those written from train."""
    written = ""
    if data.train:
        longest = CHARACTERS_PER_TOKEN * data.context // 4
        written = written_instructions(data.train, data.kind, most_characters=longest)
    wordings = {"written": written}
    if instructions:
        wordings = {"given": instructions, "given and written": f"{instructions}\n\n{written}"}
    room = max(data.context - decoding.max_new_tokens, 1)
    return PromptMaker(renderer, wordings, make_examples(data.train, data.kind, seed), room)


def choose_opponent(
    decoder: Decoder,
    maker: PromptMaker,
    data: TaskData,
    decoding: Decoding,
    grade: Grader,
    *,
    most_examples: int | None,
    say: Callable[[str], None],
    exactly: int | None = None,
) -> Choice:
    """The best of all ways to prompt, on dev, by the score that the verdict is about (chrF for a judge); with `exactly`
    of those that show so many examples.

    Raises DataError: neither dev nor train holds a conversation. RecipeError: so many examples do not fit.
    """
    if not data.dev:
        raise DataError(
            "There is no conversation in dev or train to choose the prompt on.",
            next_move="leave `prompted` out of evaluate.opponents, or give conversations to train on",
        )
    metric, sign = score_on_dev(data.metric), 1 if higher_is_better(data.metric) else -1
    limit = MOST_EXAMPLES if most_examples is None else most_examples
    wordings = list(maker.wordings)
    if exactly is None:
        tried = candidates(wordings, _examples_that_fit(maker, data, limit))
    else:
        _check_fit(maker, data, exactly)
        tried = candidates_with(wordings, exactly)

    def score(prompts: Sequence[list[int]], rows: Sequence[Chat]) -> list[float]:
        if data.metric.type == "loss":
            return [-loss for loss in answer_losses(decoder, maker.renderer, prompts, rows)]
        tick = ticker(say, "  answers on dev", len(prompts))
        outputs = answers(decoder, maker.renderer, prompts, decoding, tick)
        return [sign * grade(output.text, row)[metric] for output, row in zip(outputs, rows, strict=True)]

    return choose_prompt(
        maker,
        tried,
        data.dev,
        answer_tokens=decoding.max_new_tokens,
        score=score,
        say=say,
    )


def _examples_that_fit(maker: PromptMaker, data: TaskData, limit: int) -> int:
    """How many examples fill at most half the context, up to `limit`; instructions stand in the other half."""
    for count in range(min(limit, len(maker.examples.pool)), 0, -1):
        messages = maker.messages(Candidate(count, "balanced"), data.dev[0])
        if len(maker.render(messages)) <= data.context // 2:
            return count
    return 0


def _check_fit(maker: PromptMaker, data: TaskData, examples: int) -> None:
    fitting = _examples_that_fit(maker, data, examples)
    if fitting < examples:
        raise RecipeError(
            f"The prompt of the opponent `{examples} examples` has no room for so many.",
            where="evaluate.opponents",
            seen=f"{fitting} of {len(maker.examples.pool)} in train fit into half the context of {data.context} tokens",
            next_move=f"write `examples: {fitting}`" if fitting else "leave this opponent out",
        )


def opponent_json(maker: PromptMaker, choice: Choice, data: TaskData) -> dict[str, Any]:
    """For arms.json: everything needed to make the prompt again, and the first one as the model sees it."""
    winner = choice.winner
    shown = maker.renderer.tokenizer.decode(maker.prompt(winner, data.test[0]), skip_special_tokens=False)
    return {
        "instructions": maker.wordings.get(winner.wording, ""),
        "examples": winner.examples,
        "strategy": winner.strategy,
        "winner": winner.to_json(),
        "chosen_on_dev": [{"candidate": trial.candidate.name, **trial.to_json()} for trial in choice.trials],
        "prompt": shown,
    }

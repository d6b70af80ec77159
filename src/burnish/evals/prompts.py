"""The prompts that the base model may be given instead of training: instructions and examples from train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Tools
from burnish.evals.prompt_examples import Examples
from burnish.render.renderer import Renderer

Strategy: TypeAlias = Literal["none", "balanced", "nearest"]
Layout: TypeAlias = Literal["turns", "message"]
NO_WORDING = "no"


@dataclass(frozen=True)
class Candidate:
    """One way to prompt.

    wording: which of the maker's instructions are given. strategy: balanced examples are the same for every question,
    nearest ones are those most like it. layout: examples as earlier turns of the chat with the instructions as system
    message, or all in one message of the user.
    """

    examples: int
    strategy: Strategy = "none"
    layout: Layout = "turns"
    wording: str = NO_WORDING

    @property
    def name(self) -> str:
        shown = f"{self.examples} {self.strategy} examples" if self.examples else "no examples"
        place = "as turns" if self.layout == "turns" else "in one message"
        return f"{self.wording} instructions, {shown}, {place}"

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self)}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Candidate:
        """The inverse of `to_json`."""
        return Candidate(value["examples"], value["strategy"], value["layout"], value["wording"])


def candidates_with(wordings: Sequence[str], examples: int) -> list[Candidate]:
    """The ways to show just so many examples."""
    main, *others = wordings
    tried = [Candidate(examples, "nearest", wording=main), Candidate(examples, "balanced", wording=main)]
    tried += [Candidate(examples, "nearest"), Candidate(examples, "nearest", "message", main)]
    return tried + [Candidate(examples, "nearest", wording=other) for other in others]


def candidates(wordings: Sequence[str], most_examples: int) -> list[Candidate]:
    """The ways worth trying: the first wording in many forms, no wording and the others where they may help most.

    On small chat models nearest examples as turns did best by far, and more of them mostly did better.
    """
    main, *others = wordings
    tried = [Candidate(0, wording=main), Candidate(0, layout="message", wording=main)]
    numbers = _numbers(most_examples)
    tried += [Candidate(k, "nearest", wording=main) for k in numbers]
    if numbers:
        some, few = (max(k for k in numbers if k <= most) for most in (8, 4))
        tried += [Candidate(some, "nearest"), Candidate(some, "balanced", wording=main)]
        tried += [Candidate(few, "nearest", "message", main)]
        tried += [Candidate(some, "nearest", wording=other) for other in others]
    return tried + [Candidate(0, wording=other) for other in others]


def _numbers(most: int) -> list[int]:
    """How many examples to try: powers of two, and `most` unless a power is nearly as much."""
    powers = [k for k in (2, 4, 8, 16, 32, 64) if k <= most]
    clearly_more = most > 0 and (not powers or most >= 1.5 * powers[-1])
    return [*powers, most] if clearly_more else powers


@dataclass(frozen=True)
class PromptMaker:
    """Makes the prompt of any candidate for any row. `wordings`: name → instructions. `room`: its most tokens."""

    renderer: Renderer
    wordings: Mapping[str, str]
    examples: Examples
    room: int

    def messages(self, candidate: Candidate, row: Chat) -> list[Message]:
        """The whole conversation up to the answer."""
        chosen = self._chosen(candidate, row)
        own_system = "\n\n".join(message.content for message in row.prompt if message.role == "system")
        told = self.wordings.get(candidate.wording, "")
        system = "\n\n".join(part for part in (own_system, told if told not in own_system else "") if part)
        turns = [message for message in row.prompt if message.role != "system"]
        if candidate.layout == "message":
            return _in_one_message(system, chosen, turns)
        shown = [message for example in chosen for message in example.messages if message.role != "system"]
        return [Message("system", system)] * bool(system) + shown + turns

    def prompt(self, candidate: Candidate, row: Chat) -> list[int]:
        """Token ids. Where not all examples fit, fewer are shown, and in the end the row's own prompt alone."""
        return self._fitting(candidate, row)[1]

    def fitting(self, candidate: Candidate, row: Chat) -> list[Message]:
        """The messages behind `prompt`."""
        return self._fitting(candidate, row)[0]

    def _fitting(self, candidate: Candidate, row: Chat) -> tuple[list[Message], list[int]]:
        shown = candidate
        while True:
            messages = self.messages(shown, row)
            ids = self.render(messages, row.tools)
            if len(ids) <= self.room:
                return messages, ids
            if not shown.examples:
                return list(row.prompt), self.render(row.prompt, row.tools)
            # in proportion to what is too much, and one less at least
            shown = replace(shown, examples=min(shown.examples - 1, shown.examples * self.room // len(ids)))

    def render(self, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Ids of a conversation; for a template that knows no system message, with it before the first question."""
        try:
            return self.renderer.prompt(messages, tools)
        except DataError:
            if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
                raise
            first = Message("user", f"{messages[0].content}\n\n{messages[1].content}")
            return self.renderer.prompt([first, *messages[2:]], tools)

    def _chosen(self, candidate: Candidate, row: Chat) -> list[Chat]:
        if candidate.strategy == "nearest":
            return self.examples.nearest(row.prompt, candidate.examples)
        return self.examples.balanced(candidate.examples)


def _in_one_message(system: str, chosen: Sequence[Chat], turns: Sequence[Message]) -> list[Message]:
    """Everything in one message: the classic layout, Input and Output by turns, ending where the answer belongs."""
    shown = [f"Input: {_plain(example.prompt)}\nOutput: {example.answer}" for example in chosen]
    asked = f"Input: {_plain(turns)}\nOutput:" if chosen else _plain(turns)
    return [Message("user", "\n\n".join(part for part in (system, *shown, asked) if part))]


def _plain(messages: Sequence[Message]) -> str:
    """One message as it is, several with their roles; system messages stand elsewhere."""
    turns = [message for message in messages if message.role != "system"]
    if len(turns) == 1:
        return turns[0].content
    return "\n".join(f"{message.role}: {message.content}" for message in turns)

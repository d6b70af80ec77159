"""Messages → token ids, with the message and the weight of every token. Training, evaluation, chat and serving all
render here, so what is trained is what is served.

The chat template is rendered once. The answer of a turn is what follows the generation prompt of the turns before it,
up to and with the token that ends the turn; only that is learnt. Text in a message that looks like a special token
stays text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerFast

from burnish.core.errors import DataError, ModelError
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text, Tools
from burnish.render.page import Page, Talk, hide_special, write_page, write_prompt
from burnish.render.special import SpecialNames, special_names
from burnish.render.template import FAILURES, compile_template
from burnish.render.tokens import Cut, Piece, tokenise
from burnish.render.tools import Part, Shown, check_shown, parts_shown, shown

# For models without a template: a plain one, exported with the tuned model.
PLAIN_TEMPLATE = (
    "{{ bos_token if bos_token }}"
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{{ eos_token if message['role'] == 'assistant' }}\n\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
PROBE = (Message("user", "A question."), Message("assistant", "An answer."))


@dataclass(frozen=True)
class Rendered:
    """One row as the model reads it. `weights` counts a token's prediction, `message_T` says whose text it is."""

    ids: list[int]
    weights: list[float]
    message_T: list[int]  # index of the message, -1 for what belongs to none
    turns_left_out: int = 0  # assistant turns whose prefix is not what serving would show

    @property
    def trained(self) -> int:
        """How many tokens are learnt."""
        return sum(weight > 0 for weight in self.weights)


@dataclass(frozen=True)
class RenderedPair:
    """Two answers to one prompt, each with the prompt before it; only the answers have weight."""

    chosen: Rendered
    rejected: Rendered

    @property
    def tokens(self) -> int:
        """Those of both sequences: more than a forest computes, which reads the prompt once."""
        return len(self.chosen.ids) + len(self.rejected.ids)


@dataclass(frozen=True)
class Renderer:
    """A tokenizer with its chat template. `own_template` is False where the model came without one.

    `tool_parts` is what the template writes down of tools.
    """

    tokenizer: PreTrainedTokenizerFast
    template: str
    stop_ids: frozenset[int]
    own_template: bool = True
    special: Mapping[str, int] = field(default_factory=dict)
    tool_parts: frozenset[Part] = frozenset()

    @cached_property
    def names(self) -> SpecialNames:
        """The names of special tokens, ready to be looked for."""
        return special_names(self.special)

    @cached_property
    def stop_names(self) -> tuple[str, ...]:
        """The names of the special tokens at which generation stops."""
        return tuple(name for name, index in self.special.items() if index in self.stop_ids)

    def text(self, messages: Sequence[Message], tools: Tools = (), *, generation_prompt: bool = False) -> str:
        """The conversation as one string.

        Raises DataError: the template refuses it; ModelError: it is no template, or takes more than a template may.
        """
        return self._text([shown(message) for message in messages], tools, generation_prompt)

    def _text(self, messages: Sequence[Shown], tools: Tools, generation_prompt: bool) -> str:
        values = {
            **self.tokenizer.special_tokens_map,
            "messages": messages,
            "tools": [dict(tool) for tool in tools] or None,
            "documents": None,
            "add_generation_prompt": generation_prompt,
        }
        try:
            return compile_template(self.template).text(values)
        except ModelError:
            raise
        except FAILURES as error:
            raise DataError(
                "The model's chat template refuses this conversation.",
                seen=(str(error) or type(error).__name__)[:200],
                where="roles: " + ", ".join(message["role"] for message in messages),
                next_move="most templates want user and assistant in turn, with at most one system message first",
            ) from error

    def prompt(self, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Ids of the conversation so far and the beginning of the answer: what generation continues."""
        page = write_prompt(self._talk(messages, tools), self.names)
        return tokenise(self.tokenizer, [page.pieces])[0].ids_T

    def row(self, row: Chat | Text | Rated | Prompt) -> Rendered:
        """Ids and weights of a row as it stands: of a rated answer, that answer has weight; of a prompt, nothing."""
        (page,) = self.pages(row)
        return placed(page, tokenise(self.tokenizer, [page.pieces])[0])

    def pair(self, row: Pair) -> RenderedPair:
        """Both answers after their prompt. Raises DataError: the template refuses it, or makes both answers equal."""
        pages = self.pages(row)
        cuts = tokenise(self.tokenizer, [page.pieces for page in pages])
        check_distinct(cuts)
        return RenderedPair(*map(placed, pages, cuts))

    def pages(self, row: Row) -> tuple[Page, ...]:
        """The sequences that a row is made of, not yet cut into tokens: one, or the two of a pair.

        Raises DataError: the template refuses the row, or does not show its tools.
        """
        match row:
            case Chat():
                asked = [n for n, message in enumerate(row.messages) if message.role == "assistant" and message.trained]
                return (self._page(row.messages, row.tools, asked),)
            case Rated():
                return (self._last_answer(row.messages, row.tools),)
            case Pair():
                chosen, rejected = (row.answered(said) for said in (row.chosen, row.rejected))
                return self._last_answer(chosen, row.tools), self._last_answer(rejected, row.tools)
            case Prompt():
                return (write_prompt(self._talk(row.prompt, row.tools), self.names),)
            case Text():
                return (self._plain(row.text),)

    def whole(self, row: Chat) -> Page:
        """The conversation as it stands, of which nothing is learnt."""
        return self._page(row.messages, row.tools, ())

    def _page(self, messages: Sequence[Message], tools: Tools, answers: Iterable[int]) -> Page:
        return write_page(self._talk(messages, tools), answers, self.stop_names, self.names)

    def _last_answer(self, messages: Sequence[Message], tools: Tools) -> Page:
        """A conversation of which the last message alone is learnt."""
        return replace(self._page(messages, tools, [len(messages) - 1]), left_out=0)

    def _plain(self, text: str) -> Page:
        """All of a text is learnt, with its beginning and its end."""
        first, last = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        before = [Piece(0, token=first)] if first is not None else []
        after = [Piece(len(text), token=last)] if last is not None else []
        end = len(text) + 1
        return Page((*before, Piece(0, text, literal=True), *after), ((0, range(end)),), ends=lambda: [end])

    def _talk(self, messages: Sequence[Message], tools: Tools) -> Talk:
        check_shown(messages, tools, self.tool_parts)
        return Talk(*hide_special([shown(message) for message in messages], tools, self.names), self._text)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of generated ids, without special tokens."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))


def placed(page: Page, cut: Cut) -> Rendered:
    """A page with its tokens: the message and the weight of each."""
    ids, starts = cut
    message_T: list[int] = []
    for index, end in enumerate(page.ends()):
        message_T += [index] * (bisect_left(starts, end) - len(message_T))
    message_T += [-1] * (len(ids) - len(message_T))
    weights = [0.0] * len(ids)
    for index, characters in page.learnt:
        tokens = range(bisect_left(starts, characters.start), bisect_left(starts, characters.stop))
        for t in tokens:
            weights[t], message_T[t] = 1.0, index
    return Rendered(ids, weights, message_T, page.left_out)


def check_distinct(cuts: Sequence[Cut]) -> None:
    """Raises DataError: the two sequences of a pair are the same."""
    if len(cuts) == 2 and cuts[0].ids_T == cuts[1].ids_T:
        raise DataError("The model's chat template makes the same of the chosen and the rejected answer.")


def make_renderer(tokenizer: PreTrainedTokenizerFast, generation: Mapping[str, Any] | None = None) -> Renderer:
    """A renderer for this tokenizer. Generation stops at the model's stop tokens and at the one that ends a turn."""
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    special = {
        token.content: index
        for index, token in tokenizer.added_tokens_decoder.items()
        if token.special and token.content
    }
    named = (generation or {}).get("eos_token_id")
    stops = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}
    renderer = Renderer(tokenizer, template or PLAIN_TEMPLATE, frozenset(stops), bool(template), special)
    return replace(renderer, stop_ids=frozenset(stops | _turn_end(renderer)), tool_parts=parts_shown(renderer.text))


def _turn_end(renderer: Renderer) -> set[int]:
    """The special token that the template writes right after an answer."""
    after = renderer.text(PROBE).rpartition(PROBE[1].content)[2]
    found = sorted((after.index(name), index) for name, index in renderer.special.items() if name in after)
    return {found[0][1]} if found else set()

"""A prompt in other words; its answer stays. Of a prompt that stands in a frame, only what is inside changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from typing import TypeAlias

from burnish.core.asking import Answer
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.data.cleaning.places import strings_in
from burnish.data.grow import checks
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.reply import plain_reply
from burnish.data.normalised import normalised

Answered: TypeAlias = Chat | Pair | Rated | Prompt
FEWEST_FRAMED = 20  # prompts: fewer may begin alike by chance
INSTRUCTION = (
    "Say messages in other words. Keep their meaning, language and point of view, and all names and numbers. Do not "
    "answer them.\n\n"
)
# Small models see from examples what they do not see from an instruction, and a label keeps them from answering.
GIVEN, MADE = 'Message: "{}"', 'In other words: "{}"'
EXAMPLES = (
    ("How long does it take until my parcel is here?", "When can I expect my parcel to arrive?"),
    (
        "I can't open the window in room 12, please send somebody.",
        "Could someone come? The window in room 12 is stuck.",
    ),
    ("Name three animals that live in the desert.", "Give me the names of three desert animals."),
)


@dataclass(frozen=True)
class Frame:
    """What stands before and after the text proper of every prompt, such as an instruction on a line of its own."""

    before: str = ""
    after: str = ""

    def inside(self, text: str) -> str:
        """The text proper. A prompt that does not stand in the frame is one as a whole."""
        if self._holds(text):
            return text[len(self.before) : len(text) - len(self.after)]
        return text

    def around(self, made: str, text: str) -> str:
        """The made text in the place of the one inside `text`."""
        return f"{self.before}{made}{self.after}" if self._holds(text) else made

    def _holds(self, text: str) -> bool:
        long_enough = len(text) > len(self.before) + len(self.after)
        return long_enough and text.startswith(self.before) and text.endswith(self.after)


def frame_of(texts: Sequence[str]) -> Frame:
    """The whole lines, or the label up to a colon, with which all prompts begin, and the lines with which all end."""
    if len(set(texts)) < FEWEST_FRAMED:
        return Frame()
    before = _shared(texts)
    before = before[: max(before.rfind(end) + len(end) if end in before else 0 for end in ("\n", ": "))]
    after = _shared([text[len(before) :][::-1] for text in texts])[::-1]
    return Frame(before, after[after.find("\n") :] if "\n" in after else "")


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with: what the first and the last in alphabetical order do."""
    pairs = zip(min(texts), max(texts), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def asked_text(row: Row) -> str | None:
    """What the user asked last; None where a row has no such prompt."""
    if isinstance(row, Text) or not row.prompt:
        return None
    last = row.prompt[-1]
    return last.content if last.role == "user" and last.content.strip() else None


def request(row: Answered, frame: Frame) -> tuple[Message, ...]:
    """What the model is told: the instruction, the examples as turns, and the text."""
    turns = [(GIVEN.format(given), MADE.format(made)) for given, made in EXAMPLES]
    said = [*chain.from_iterable(turns), GIVEN.format(frame.inside(row.prompt[-1].content).strip())]
    first = Message("user", INSTRUCTION + said[0])
    return (first, *(Message("assistant" if at % 2 else "user", text) for at, text in enumerate(said[1:], start=1)))


def paraphrased(row: Answered, frame: Frame, answer: Answer) -> Row:
    """The row with the prompt that the reply holds. Raises Rejected."""
    whole = row.prompt[-1].content
    given = frame.inside(whole)
    made = plain_reply(answer, given)
    if normalised(made) == normalised(given):
        raise Rejected("made_same")
    checks.check_not_refused(made, given)
    checks.check_not_about_text(made, given)
    checks.check_length(made, given)
    checks.check_same_numbers(made, given)
    checks.check_not_answered(made, given)
    checks.check_speaker(made, given)
    checks.check_negation(made, given)
    checks.check_facts(made, given, _facts(row))
    checks.check_language(made, given)
    checks.check_related(made, given)
    spacing = given[: len(given) - len(given.lstrip())], given[len(given.rstrip()) :]
    return with_prompt(row, frame.around(f"{spacing[0]}{made}{spacing[1]}", whole))


def with_prompt(row: Answered, text: str) -> Row:
    """The row with another last question. Earlier answers stay as context only: their own row teaches them."""
    earlier = (context_only(message) for message in row.prompt[:-1])
    prompt = (*earlier, replace(row.prompt[-1], content=text))
    if isinstance(row, Chat):
        return replace(row, messages=(*prompt, row.messages[-1]))
    return replace(row, prompt=prompt)


def context_only(message: Message) -> Message:
    """The message, not learnt where it is an answer."""
    return replace(message, trained=False) if message.role == "assistant" else message


def _facts(row: Answered) -> list[str]:
    """The strings of the answer that may be taken from the prompt."""
    match row:
        case Chat():
            return _strings(row.messages[-1].content)
        case Rated():
            return _strings(row.answer)
        case Prompt():
            return [text for _, text in strings_in(row.reference)]
        case Pair():
            return []


def _strings(answer: str) -> list[str]:
    """Those inside of JSON, else the answer as a whole."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return [answer]
    return [text for _, text in strings_in(value)] or [answer]

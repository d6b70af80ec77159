"""What one rendering of a chat template may take: processor time, and what it makes of text and lists.

Loops, calls and filters are steps. What can make something large asks first (`room`) or hands over what it made
(`kept`). So a template of a stranger ends soon, in any thread and on any system, whatever it does.
"""

from __future__ import annotations

from collections.abc import ItemsView, Mapping, ValuesView
from time import thread_time
from typing import TypeVar

from burnish.core.errors import ModelError

SECONDS = 1.0  # of processor time; an ordinary conversation takes a thousandth of it
UNITS = 4_000_000  # a unit is a character: at most 4 bytes
UNITS_A_CHARACTER = 32  # more units for each character of the conversation
CHARACTERS_A_SECOND = 1_000_000  # and a second more for so many
STEP, ITEM = 8, 16  # units of a step, and of an item of a list
STEPS_A_LOOK = 8  # steps between two looks at the clock
MUCH = 10_000  # units that are worth a look
MOST_BITS = 4096  # of a whole number

Value = TypeVar("Value")


class Meter:
    """The allowance of one rendering. `given` is what the template was given: of more, more may be made.

    Every method raises ModelError where the allowance does not suffice.
    """

    __slots__ = ("_given", "_steps", "_until", "left")

    def __init__(self, given: object) -> None:
        self.left = UNITS
        self._until = thread_time() + SECONDS
        self._steps = 0
        self._given: object | None = given

    def _weigh(self) -> bool:
        """Allows more for a long conversation. Weighed only where it is needed: ordinary ones never come here."""
        if self._given is None:
            return False
        characters, self._given = weight(self._given, 1 << 40), None
        self.left += UNITS_A_CHARACTER * characters
        self._until += characters / CHARACTERS_A_SECOND
        return True

    def step(self, count: int = 1) -> None:
        """Counts so many steps."""
        self._steps += 1
        self.left -= STEP * count
        if self.left < 0:
            self.spend(0)
        if not self._steps % STEPS_A_LOOK:
            self._look()

    def spend(self, units: int) -> None:
        """Pays for what was made or is about to be."""
        self.left -= units
        if self.left < 0 and not (self._weigh() and self.left >= 0):
            raise too_costly("it makes more text than the conversation could need")

    def room(self, units: int) -> None:
        """Asks whether so much may be made at once, without paying for it."""
        if units > self.left:
            self.spend(units)
            self.left += units

    def kept(self, made: Value) -> Value:
        """Pays for what an operation made and returns it."""
        if isinstance(made, str):
            self.spend(len(made))
        elif isinstance(made, list | tuple | dict):
            self.spend(ITEM * len(made))
            # One list may stand in another many times over: to write or compare it would take for ever.
            units = weight(made, max(UNITS, self.left))
            self.room(units)
            if units > MUCH:
                self._look()
        elif isinstance(made, int):
            check_bits(made.bit_length())
        return made

    def _look(self) -> None:
        if thread_time() > self._until and not (self._weigh() and thread_time() <= self._until):
            raise too_costly(f"it takes more than {SECONDS:g} s for one conversation")


def weight(value: object, most: int) -> int:
    """Units of a value: its characters and a step an item, counted as often as written; it ends above `most`."""
    total, waiting = 0, [value]
    while waiting and total <= most:
        one = waiting.pop()
        total += STEP
        if isinstance(one, str):
            total += len(one)
        elif isinstance(one, list | tuple | ItemsView | ValuesView):
            waiting += one
        elif isinstance(one, Mapping):
            waiting += one.keys()
            waiting += one.values()
    return total


def check_bits(bits: int) -> None:
    """Raises ModelError: a whole number of so many bits is too large."""
    if bits > MOST_BITS:
        raise too_costly(f"it makes a number of {bits} bits")


def too_costly(seen: str) -> ModelError:
    """The error for a template that goes beyond its limits."""
    return ModelError(
        "The model's chat template does more than any chat template has to.",
        where="the chat template of the model's tokenizer",
        seen=seen,
        next_move="use another model: the template is broken or hostile",
    )

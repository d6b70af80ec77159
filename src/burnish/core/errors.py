"""One tree of errors. Each says what is wrong, where, the value seen and the next move, and carries the exit code.

BurnishError (1)
├── RecipeError (2)   the command or the recipe is wrong
├── ModelError (2)    the model named cannot be used
├── DataError (3)     the data is wrong
├── GateError (4)     --gate was asked for and the verdict does not meet it
├── ParityError (1)   an exported form does not answer as the trained model did
├── MissingTool (1)   something is not installed
├── RankLost (1)      another process of this training ended
└── Stopped (75)      stopped and saved: run again to go on
"""


class BurnishError(Exception):
    """Base of all errors that a user may see. Printed without a traceback."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", seen: str = "", next_move: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.seen = seen
        self.next_move = next_move

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.seen:
            lines.append(f"  seen:  {self.seen}")
        if self.next_move:
            lines.append(f"  next:  {self.next_move}")
        return "\n".join(lines)


class RecipeError(BurnishError, ValueError):
    """The command line or the recipe is wrong."""

    exit_code = 2


class ModelError(BurnishError, ValueError):
    """The model that was named is absent, damaged or of a kind that cannot be used."""

    exit_code = 2


class DataError(BurnishError, ValueError):
    """The data is absent, unreadable or leaves nothing to train on."""

    exit_code = 3


class GateError(BurnishError):
    """The verdict does not meet what `--gate` asked for."""

    exit_code = 4


class ParityError(BurnishError):
    """An exported form does not answer as the trained model did."""


class MissingTool(BurnishError):  # noqa: N818 - the name says what happened, as FileNotFound does
    """An optional package or program is not installed."""


class RankLost(BurnishError):  # noqa: N818 - named after what happened
    """Another process of this training ended or cannot be reached; that one says why."""


class Stopped(BurnishError):  # noqa: N818 - not a fault: the work is saved
    """The run was interrupted, or the disk is full; what was done is saved and the same command goes on."""

    exit_code = 75

"""Which rank each matrix gets: `ranks: {down_proj: 32, "layers.0.*": 4}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from burnish.core.errors import RecipeError


def pattern(glob: str) -> str:
    """A glob over the last parts of a dotted name, as the regular expression that peft's `rank_pattern` takes."""
    return ".*".join(re.escape(part) for part in glob.split("*"))


def rank_of(name: str, ranks: Mapping[str, int], r: int) -> int:
    """The rank of the first glob that fits the end of `name`, from a dot on; else `r`. peft has the same rule."""
    fits = (rank for glob, rank in ranks.items() if re.fullmatch(rf"(.*\.)?{pattern(glob)}", name))
    return next(fits, r)


def check_ranks(names: Iterable[str], ranks: Mapping[str, int]) -> None:
    """Raises RecipeError: a glob that fits none of the adapted matrices."""
    known = list(names)
    for glob in ranks:
        if not any(re.fullmatch(rf"(.*\.)?{pattern(glob)}", name) for name in known):
            raise RecipeError(
                "`adapt.ranks` names no matrix that is adapted.",
                seen=glob,
                next_move=f"write it as `down_proj`, `layers.0.*` or in full, such as {known[0]}"
                if known
                else "check `adapt.targets`",
            )

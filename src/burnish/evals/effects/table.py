"""Side effects as tables of texts, which verdict.md and report.html both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from burnish.evals.effects.memorised import SPAN
from burnish.evals.effects.records import ArmEffects, Exposure, GroupColumn, SideEffects, Spread
from burnish.evals.statistics import Mean
from burnish.evals.wording import PERCENT, difference_text, p_text, score_text

COPIED = " The well prompted model may copy from the rows of train that stand in its prompt as examples."


@dataclass(frozen=True)
class Table:
    """A title, the first row as head, and a remark below. Cells may hold texts of unknown origin."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


def answers_table(effects: SideEffects, names: Mapping[str, str]) -> Table | None:
    """Length, form, repetition, refusals and verbatim spans, a column an arm; None where nothing was generated."""
    arms = effects.arms
    if not arms:
        return None
    lines = [
        ("length in words: median, 95 of 100, longest", [_spread(arm.words) for arm in arms]),
        ("length in tokens: median, 95 of 100, longest", [_spread(arm.tokens) if arm.tokens else "" for arm in arms]),
        ("cut off by the limit of tokens", [_share(arm, "cut_off") for arm in arms]),
        (f"valid: {effects.valid_means}", [_share(arm, "valid") for arm in arms]),
        ("goes round in circles", [_share(arm, "looping") for arm in arms]),
        ("refuses", [_share(arm, "refused") for arm in arms]),
        (f"{SPAN} words or more as in one row of train", [_share(arm, "verbatim") for arm in arms]),
        ("longest such span, in words", ["" if arm.longest_verbatim is None else str(arm.longest_verbatim)
                                         for arm in arms]),
    ]  # fmt: skip
    rows = tuple((what, *cells) for what, cells in lines if any(cells))
    remark = "Shares of the answers, with 95 % intervals."
    if effects.train_rows:
        remark += (
            f" {effects.train_rows:,} rows of train were searched; what also stands in the prompt or in several rows "
            "is not counted."
        )
        remark += COPIED if any(arm.arm == "prompted" for arm in arms) else ""
    return Table("Answers", ("", *(names[arm.arm] for arm in arms)), rows, remark)


def _spread(spread: Spread) -> str:
    return f"{spread.median}, {spread.p95}, {spread.longest}"


def _share(arm: ArmEffects, key: str) -> str:
    return share_text(arm.shares[key]) if key in arm.shares else ""


def share_text(share: Mean) -> str:
    """ "2.5 % (1.1 to 5.3)"."""
    low, high = (score_text("accuracy", bound).removesuffix(PERCENT) for bound in (share.low, share.high))
    return f"{score_text('accuracy', share.mean)} ({low} to {high})"


def refusals_table(effects: SideEffects, names: Mapping[str, str]) -> Table | None:
    """Refusals in the suites of the memory check."""
    if not effects.refusals:
        return None
    arms = list(effects.refusals[0].refused)
    rows = tuple((one.suite, *(share_text(one.refused[arm]) for arm in arms)) for one in effects.refusals)
    remark = "By a list of English wordings at the beginning of an answer."
    return Table("Refusals in the memory check", ("suite", *(names[arm] for arm in arms)), rows, remark)


def calibration_table(effects: SideEffects, names: Mapping[str, str]) -> Table | None:
    """How sure each arm is of its labels, and how often it is right."""
    if not effects.calibration:
        return None
    rows = tuple(
        (names[one.arm], str(one.n), _percent(one.confidence), _percent(one.accuracy), f"{one.ece:.3f}")
        for one in effects.calibration
    )
    remark = (
        "Confidence: the probability of the likeliest label among all labels; right: that label is the expected one, "
        "whatever was answered. Calibration error (ECE): how far "
        "confidence and accuracy lie apart, over bins of equal numbers; 0 is best. It is never quite 0: in small bins "
        "chance alone adds to it."
    )
    return Table("Calibration", ("", "rows", "mean confidence", "right", "calibration error"), rows, remark)


def exposure_table(effects: SideEffects, names: Mapping[str, str]) -> Table | None:
    """What is remembered of the canaries."""
    if not effects.exposure:
        return None
    rows = tuple((names[one.arm], f"{one.bits:.1f}", f"{one.first} of {one.canaries}") for one in effects.exposure)
    return Table(
        "Canaries", ("", "exposure in bits", "likelier than all others"), rows, _exposure_remark(effects.exposure)
    )


def _exposure_remark(exposure: Sequence[Exposure]) -> str:
    one = exposure[0]
    return (
        f"{one.canaries} rows with a random number were planted into train. Exposure tells how far up their numbers "
        f"rank among others: {one.chance:.1f} bits by chance, {one.most:.0f} when remembered in full."
    )


def groups_table(column: GroupColumn, names: Mapping[str, str], metric: str) -> Table:
    """The score that decides, by the values of one column."""
    arms = list(column.groups[0].scores)
    rows = [(one.group, str(one.n), *(_mean(metric, one.scores[arm]) for arm in arms)) for one in column.groups]
    gaps = [
        f"Largest gap of {names[gap.arm]}: {difference_text(metric, gap.gap).lstrip('+')} between {gap.best} and "
        f"{gap.worst} (p {p_text(gap.p)})."
        if gap.best != gap.worst
        else f"No gap in {names[gap.arm]}."
        for gap in column.gaps
    ]
    remark = " ".join([*gaps, *filter(None, [column.warning])])
    head = (column.column, "rows", *(names[arm] for arm in arms))
    return Table(f"By {column.column}: {column.metric}", head, tuple(rows), remark)


def _mean(metric: str, mean: Mean) -> str:
    low, high = (score_text(metric, bound).removesuffix(PERCENT) for bound in (mean.low, mean.high))
    return f"{score_text(metric, mean.mean)} ({low} to {high})"


def _percent(value: float) -> str:
    return score_text("accuracy", value)


def effect_tables(effects: SideEffects | None, names: Mapping[str, str], metric: str) -> list[Table]:
    """All tables that hold anything. `names` maps an arm to how a reader knows it."""
    if effects is None:
        return []
    made = (answers_table, refusals_table, calibration_table, exposure_table)
    tables = [table for table in (make(effects, names) for make in made) if table is not None]
    return tables + [groups_table(column, names, metric) for column in effects.groups]

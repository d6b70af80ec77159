"""What stands beside the verdict in verdict.md and report.html: what the judge says, what people preferred, and
what was kept of the training where that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.evals.arena.result import ArenaResult, read_arena
from burnish.evals.judge.records import JudgedComparison, JudgedVerdict
from burnish.evals.verdict_records import Verdict
from burnish.evals.wording import difference_text, p_text, visible

Name = Callable[[str], str]  # arm → as a reader knows it


@dataclass(frozen=True)
class Section:
    """A heading, sentences, a table with its head (or none), and smaller remarks. Plain text throughout."""

    title: str
    lines: tuple[str, ...]
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def further_sections(folder: RunFolder, verdict: Verdict, arm_name: Name) -> tuple[Section, ...]:
    """Those for which there is something in the run's folder. Raises BurnishError: the votes cannot be read."""
    judged = () if verdict.judged is None else (judge_section(verdict.judged, verdict.task.confidence, arm_name),)
    arena = read_arena(folder) if folder.arena.exists() else None
    people = (arena_section(arena, arm_name),) if arena and arena.pairs else ()
    training = read_json(folder.training) if folder.training.exists() else {}
    choice = training.get("choice") if isinstance(training, Mapping) else None
    return (*judged, *people, *((kept_section(choice),) if choice else ()))


def kept_section(choice: Mapping[str, Any]) -> Section:
    """The checkpoints and scales that were looked at after training, from training.json, and the one that was kept."""
    points = sorted(choice["points"], key=lambda point: (point["step"], point["scale"]))
    kept = (choice["step"], choice["scale"])
    return Section(
        title="What was kept of the training",
        lines=(f"{choice['scale']:g} of the update of step {choice['step']}.",),
        head=("step", "scale", "loss on dev", "forgotten, nats a token", ""),
        rows=tuple(
            (
                str(point["step"]),
                f"{point['scale']:g}",
                f"{point['dev_loss']:.3f}",
                difference_text("loss", point["forgetting"], unit=False),
                _said_of(point, kept, choice["limit"]),
            )
            for point in points
        ),
        notes=(
            "Forgotten: rise of the loss over the base's on forty passages that the verdict does not ask. Scale 0 is "
            "the base.",
        ),
    )


def _said_of(point: Mapping[str, Any], kept: tuple[int, float], limit: float) -> str:
    if (point["step"], point["scale"]) == kept:
        return "kept"
    return f"beyond the limit of {limit:g}" if point["forgetting"] > limit else ""


def judge_section(judged: JudgedVerdict, confidence: str, arm_name: Name) -> Section:
    """Who won by the judge's word, and how much that word is worth."""
    agreement = judged.agreement
    notes = [
        "Each comparison was asked twice, with the answers in both orders. It is won or lost when both say so; all "
        "else is a tie. A judge may be wrong, may be talked round by an answer, and may like what is long."
    ]
    if agreement.first_share is not None:
        notes.append(f"Where it decided, it took the answer shown first in {100 * agreement.first_share:.0f} %.")
    if agreement.longer_share is not None:
        notes.append(f"Where both orders agreed, the longer answer won in {100 * agreement.longer_share:.0f} %.")
    if agreement.repeated:
        notes.append(f"Asked again, it repeated itself in {agreement.repeated_same} of {agreement.repeated} cases.")
    leans = [
        f"{visible(arm_name(one.opponent))} {one.lean.mean:+.2f} ({one.lean.low:+.2f} to {one.lean.high:+.2f})"
        for one in judged.comparisons
        if one.lean is not None
    ]
    if leans:
        notes.append(
            "Its log-odds for the specialist, averaged over both orders, which cancels a liking for one place and "
            f"decides nothing here: against {', '.join(leans)} nats."
        )
    return Section(
        title="What the judge says",
        lines=(f"Judge: {visible(judged.judge)}. {judged.reason}",),
        head=("the specialist against", "difference", f"{confidence} interval", "p", "won / lost / tie", "of the ties"),
        rows=tuple(_judged_row(one, arm_name) for one in judged.comparisons),
        notes=tuple(notes),
    )


def _judged_row(one: JudgedComparison, arm_name: Name) -> tuple[str, ...]:
    low, high = (difference_text("judged", bound, unit=False) for bound in (one.low, one.high))
    kinds = (
        (one.equal, "equal answers"),
        (one.flipped, "contradicting orders"),
        (one.unsure, "undecided in one order"),
        (one.unreadable, "unreadable"),
    )
    return (
        visible(arm_name(one.opponent)),
        difference_text("judged", one.delta),
        f"{low} to {high}",
        p_text(one.p_holm),
        f"{one.won} / {one.lost} / {one.n - one.won - one.lost}",
        ", ".join(f"{count} {kind}" for count, kind in kinds if count) or "–",
    )


def arena_section(arena: ArenaResult, arm_name: Name) -> Section:
    """Whom people preferred, without knowing whose answer was whose."""
    rows = tuple(
        (
            visible(arm_name(pair.opponent)),
            f"{pair.won} / {pair.lost} / {pair.tied}",
            f"{100 * pair.rate:.0f} % ({100 * pair.low:.0f} to {100 * pair.high:.0f})",
            pair.status,
        )
        for pair in arena.pairs
    )
    strengths = ", ".join(
        f"{visible(arm_name(one.arm))} {one.value:+.2f} ({one.low:+.2f} to {one.high:+.2f})" for one in arena.strengths
    )
    notes = [
        "Win rate: a tie counts half. Its 95 % interval and its word hold however often one looks and whenever one "
        "stops; they rest on the first vote for each pair of answers.",
        f"Strengths (Bradley-Terry, log-odds against the average, ties half, 95 % over rows): {strengths}.",
    ]
    if arena.shared:
        notes.append(f"{arena.shared} pairs of answers were judged by several; they agreed on {arena.agreed}.")
    if arena.outdated:
        notes.append(f"{arena.outdated} votes on answers of an earlier evaluation are left out.")
    return Section(
        title="What people preferred",
        lines=(f"{arena.votes} blind votes by {arena.voters} {'person' if arena.voters == 1 else 'persons'}.",),
        head=("the specialist against", "won / lost / tie", "win rate (95 %)", "says"),
        rows=rows,
        notes=tuple(notes),
    )

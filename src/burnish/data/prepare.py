"""The data stage: files → train.jsonl, dev.jsonl, test.jsonl, what happened to every other row, and the card.

A pure function of the files, the settings and the seed. Every row that comes in is written to exactly one of the three,
or to dropped.jsonl. Rows pass through one at a time; what is kept of all of them is a few numbers each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import BurnishError
from burnish.core.files import write_json, write_jsonl, write_text
from burnish.core.records import Chat, Pair, Row, Text
from burnish.core.run_folder import RunFolder
from burnish.data.canaries import Planted, plant
from burnish.data.card import (
    DataCard,
    Duplicates,
    PartFacts,
    Private,
    equation,
    licences_beside,
    markdown,
    part_measured,
)
from burnish.data.cleaning.features import KINDS
from burnish.data.cleaning.labels import are_label_rows
from burnish.data.cleaning.languages_of_set import languages_of
from burnish.data.croissant import write_croissant
from burnish.data.duplicates.cluster import Clusters
from burnish.data.duplicates.fingerprint import Fingerprinter
from burnish.data.duplicates.near import NearPairs
from burnish.data.grow.made import Grown, LocalWriter
from burnish.data.intake import PARTS, Collected, nothing_left, take_in
from burnish.data.ledger import Counts, Ledger
from burnish.data.lines import Lines, fit, lines_of, mixed
from burnish.data.measure import LENGTHS, LengthsOf, measure
from burnish.data.reasons import REASONS
from burnish.data.review.marks import Marks, read_marks
from burnish.data.selection import (
    Selection,
    begin,
    cluster,
    drop_duplicates,
    drop_leaks,
    find_near,
    judge_rows,
    unknown,
)
from burnish.data.settings import DataSettings
from burnish.data.shape import answer_shape
from burnish.data.splitting.assign import assign, newer_than_test
from burnish.data.splitting.sizes import choose_sizes, said
from burnish.data.store import RowStore

MOST_LOOKED_AT = 20_000  # rows by which the kind of answers is told
GROUP_DIGITS = 12
GROUP_SHIFT = np.uint64(64 - 4 * GROUP_DIGITS)  # of a cluster's name, whose first digits name the group
Say = Callable[[str], None]


def prepare(
    settings: DataSettings,
    folder: RunFolder,
    *,
    base: Path,
    seed: int,
    lengths_of: LengthsOf,
    context: int,
    say: Say,
    local_writer: LocalWriter | None = None,
    columns: Sequence[str] = (),
) -> DataCard:
    """Runs the stage. `lengths_of` gives the lengths of rendered rows, `context` how many the model takes.
    `local_writer` is needed only to let a model on this machine make rows. `columns` stay with the rows of test.

    Raises DataError: a file is unusable, its format is unknown, or too little is left to train on.
    """
    folder.data.mkdir(parents=True, exist_ok=True)
    with Ledger(folder) as ledger, closing(RowStore(folder.data)) as store:
        rows = _collect(settings, store, tuple(columns), ledger, base, say)
        marks = _marks(settings, rows, base, say)
        selection = begin(rows, ledger, marks)
        judge_rows(selection, settings)
        near = find_near(selection, settings, base)
        drop_duplicates(selection, near, settings)
        _drop_leaks(selection, near, settings, "benchmark", "test", "dev")
        lengths_N = _measure(selection, settings, seed, lengths_of, context if settings.longer == "drop" else None)
        _check_left(selection)
        clusters = cluster(selection, near, *PARTS[:3])
        _split(selection, settings, clusters, seed, say)
        # Near duplicates stand on one side already, as far as that can be; what is left is one row inside another.
        _drop_leaks(selection, None, settings, "test", "dev")
        pieces = fit(selection, lengths_N, settings.longer, lengths_of=lengths_of, context=context)
        _check_left(selection)
        lines = {part: lines_of(selection, lengths_N, pieces, part) for part in PARTS[:3]}
        grown = Grown()
        if settings.grow.on:
            from burnish.data.growing import grow_train, without_replaced  # reads what models reply

            train = partial(_finished, selection, clusters, lines["train"])
            grown = grow_train(
                settings, folder, selection, train, base=base, seed=seed, lengths_of=lengths_of, context=context,
                local_writer=local_writer, say=say,
            )  # fmt: skip
            lines["train"] = without_replaced(selection, lines["train"], train(), grown)
        lines["train"] = mixed(selection, lines["train"], settings, seed)
        first = next(_finished(selection, clusters, lines["train"]), None)
        planted = plant(settings.canaries, first, seed, lengths_of)
        card = _card(settings, selection, clusters, lines, grown, planted, base, seed, context)
        _say_result(card, say)
        _write(folder, selection, clusters, lines, grown, planted, card)
    return card


def _collect(
    settings: DataSettings, store: RowStore, columns: tuple[str, ...], ledger: Ledger, base: Path, say: Say
) -> Collected:
    """The rows of all files. The format of the train file wins in the others where its keys are there."""
    rows = Collected(store, Fingerprinter(store.folder), columns)
    layout = take_in("train", settings.train_files, settings, rows, ledger, base=base, say=say, like=None)
    for part, file in (("dev", settings.dev), ("test", settings.test)):
        if file is not None:
            take_in(part, [file], settings, rows, ledger, base=base, say=say, like=layout)
    if settings.decontaminate:
        take_in("benchmark", settings.decontaminate, settings, rows, ledger, base=base, say=say, like=None)
    return rows


def _marks(settings: DataSettings, rows: Collected, base: Path, say: Say) -> Marks:
    if settings.review is None:
        return Marks()
    marks = read_marks(base / Path(settings.review).expanduser())
    gone = unknown(rows, marks)
    if gone:
        say(f"{len(gone)} marks of {settings.review} name rows that are there no more: {', '.join(gone[:5])}")
    return marks


def _drop_leaks(selection: Selection, near: NearPairs | None, settings: DataSettings, *held: str) -> None:
    """Leaves out what gives a row of these parts away."""
    learnt = {"benchmark": ("train", "dev"), "test": ("train", "dev"), "dev": ("train",)}
    for part in held:
        drop_leaks(selection, near, settings, learnt=learnt[part], held=part)


def _check_left(selection: Selection) -> None:
    """Raises DataError: no row is left of a part that came from files of its own."""
    for part in dict.fromkeys(source.part for source in selection.rows.sources):
        if not selection.among(part).any():
            raise nothing_left(part, selection.ledger.dropped[part], selection.ledger.first_dropped[part])


def _measure(
    selection: Selection, settings: DataSettings, seed: int, lengths_of: LengthsOf, most: int | None
) -> NDArray[np.void]:
    counts = {"train": settings.rows, "dev": None, "test": settings.test_rows}
    lengths_N = np.zeros(len(selection.alive_N), LENGTHS)
    for part, count in counts.items():
        found_N = measure(selection, part, count, seed=seed, lengths_of=lengths_of, most=most)
        lengths_N[selection.among(part)] = found_N[selection.among(part)]
    return lengths_N


def _split(selection: Selection, settings: DataSettings, clusters: Clusters, seed: int, say: Say) -> None:
    """Moves rows of train to test and dev where the user gave no file for these."""
    numbers = selection.numbers("train")
    own_test, own_dev = settings.test is not None, settings.dev is not None
    sizes = choose_sizes(
        len(numbers),
        test_gain=settings.test_gain,
        test_share=settings.test_share,
        dev_share=settings.dev_share,
        own_test=own_test,
        own_dev=own_dev,
    )
    features, times = selection.features[numbers], selection.rows.times()[numbers]
    selection.part_N[numbers] = assign(
        clusters.name_N[numbers],
        selection.rows.keys()[numbers],
        np.unique(features["answer"], return_inverse=True)[1] if are_label_rows(features) else None,
        times if settings.time is not None else None,
        sizes,
        seed,
    )
    if settings.time is not None and not own_test:
        newer = newer_than_test(times, selection.part_N[numbers])
        say(f"test holds the newest rows; {newer} newer ones stand with older rows that say the same")


def _card(
    settings: DataSettings,
    selection: Selection,
    clusters: Clusters,
    lines: Mapping[str, Lines],
    grown: Grown,
    planted: Planted,
    base: Path,
    seed: int,
    context: int,
) -> DataCard:
    # The shape guides prompts and training, so it is taken without looking at the test.
    learnt = _shown(selection, "train", "dev")
    ledger = selection.ledger
    card = DataCard(
        sources=tuple(source for source in selection.rows.sources if source.part != "benchmark"),
        rows_in=sum(source.rows for source in selection.rows.sources if source.part != "benchmark"),
        parts={
            "train": _part(lines["train"], clusters, grown, planted),
            **{part: _part(lines[part], clusters, Grown(), Planted()) for part in PARTS[1:3]},
        },
        dropped=_counts(ledger.dropped),
        rows_cut=selection.rows.rows_cut,
        prompts_with_several_answers=prompts_with_several_answers(selection),
        own_test=settings.test is not None,
        shape=answer_shape(learnt),
        instructions=settings.instructions,
        seed=seed,
        context=context,
        changed=_counts(ledger.changed),
        flagged=_counts(ledger.flagged),
        licences_found=licences_beside(_local_files(settings, base)),
        duplicates=_duplicates(selection, clusters, settings),
        leaks_kept=len(selection.leaked),
        licence=settings.licence,
        languages=languages_of(selection.features[selection.among(*PARTS[:3])]),
        searched=tuple(settings.decontaminate),
        private=Private(settings.private.action, tuple(settings.private.kinds)),
        split_by="time" if settings.time is not None else "group",
        test_can_show=said(int(selection.among("test").sum()), settings.test_gain),
        observations=tuple(selection.observations),
        kinds=_kinds(selection, lines, grown, planted),
        made={how: count for how, count in (*selection.made.items(), ("canaries", len(planted.rows))) if count},
        made_by=grown.models,
        grown=grown.kinds,
    )  # fmt: skip
    if card.rows_in + card.rows_made != card.rows_written + card.rows_dropped:
        raise BurnishError("Rows were lost: this is a fault in Burnish.", seen=equation(card))
    return card


def _counts(counts: Counts) -> dict[str, dict[str, int]]:
    return {part: dict(reasons.most_common()) for part, reasons in counts.items() if part != "benchmark"}


def _part(lines: Lines, clusters: Clusters, grown: Grown, planted: Planted) -> PartFacts:
    added, lengths = (*(one.row for one in grown.made), *planted.rows), (*grown.lengths, *planted.lengths)
    # Groups are counted as numbers: a million names would take more memory than all else that is known of the rows.
    numbers_G = np.unique(clusters.name_N[lines.row_M] >> GROUP_SHIFT)
    further = {row.group for row in added}
    if further:
        further.difference_update(f"{number:0{GROUP_DIGITS}x}" for number in numbers_G)
    tokens_M = np.append(lines.tokens_M, np.array([length.tokens for length in lengths], np.int64))
    learnt = int(lines.learnt_M.sum()) + sum(length.learnt for length in lengths)
    return part_measured(tokens_M, groups=len(numbers_G) + len(further), learnt=learnt)


def _duplicates(selection: Selection, clusters: Clusters, settings: DataSettings) -> Duplicates:
    sizes = np.bincount(clusters.cluster_N[selection.among(*PARTS[:3])])
    several = sizes[sizes > 1]
    return Duplicates(
        clusters=len(several),
        rows=int(several.sum()),
        largest=int(several.max(initial=0)),
        near=settings.duplicates.near != "off",
        loosened=clusters.loosened,
        parted=clusters.parted,
        semantic=settings.duplicates.semantic,
    )


def _kinds(selection: Selection, lines: Mapping[str, Lines], grown: Grown, planted: Planted) -> dict[str, int]:
    rows = np.concatenate([part.row_M for part in lines.values()])
    counts = np.bincount(selection.features["kind"][rows], minlength=len(KINDS))
    made = Counter(type(row) for row in (*(one.row for one in grown.made), *planted.rows))
    total = {kind.__name__.lower(): int(count) + made[kind] for kind, count in zip(KINDS, counts, strict=True)}
    return {kind: count for kind, count in total.items() if count}


def _local_files(settings: DataSettings, base: Path) -> list[Path]:
    names = [name for name in (*settings.train_files, settings.dev, settings.test) if name and "://" not in name]
    return [base / Path(name).expanduser() for name in names]


def _shown(selection: Selection, *parts: str) -> list[Row]:
    """The rows of these parts, or a fair sample of them."""
    numbers = selection.numbers(*parts)
    if len(numbers) > MOST_LOOKED_AT:
        numbers = np.sort(numbers[np.argsort(selection.rows.keys()[numbers])[:MOST_LOOKED_AT]])
    return [selection.row(number) for number in numbers.tolist()]


def prompts_with_several_answers(selection: Selection) -> int:
    """How many prompts of train and dev stand with more than one answer: noise where only one can be right."""
    numbers = selection.numbers("train", "dev")
    asked_answered = np.stack(
        [selection.fingerprints.asked_N[numbers], selection.fingerprints.answer_N[numbers]], axis=1
    )
    pairs = np.unique(asked_answered[asked_answered[:, 1] != 0], axis=0)
    return int((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum())


def _say_result(card: DataCard, say: Say) -> None:
    for part, reasons in card.dropped.items():
        for reason, count in reasons.items():
            say(f"{part}: {count} dropped, {reason}: {REASONS[reason]}")
    say(card.test_can_show)
    say(f"{equation(card)}; answers: {card.shape.kind}")


def _write(
    folder: RunFolder,
    selection: Selection,
    clusters: Clusters,
    lines: Mapping[str, Lines],
    grown: Grown,
    planted: Planted,
    card: DataCard,
) -> None:
    paths = {"train": folder.train, "dev": folder.dev, "test": folder.test}
    for part, path in paths.items():
        added = (*(one.row for one in grown.made), *planted.rows) if part == "train" else ()
        kept = _finished(selection, clusters, lines[part], with_meta=part == "test")
        write_jsonl(path, (row.to_json() for row in chain(kept, added)))
    if grown.tried:
        write_jsonl(folder.made, (one.to_json() for one in grown.made))
    write_json(folder.data_card, card.to_json())
    write_text(folder.data_card.with_suffix(".md"), markdown(card))
    write_croissant(folder, card)


def _finished(selection: Selection, clusters: Clusters, lines: Lines, *, with_meta: bool = False) -> Iterator[Row]:
    """The rows of a part with their groups; copies of a row get names of their own. What is known beside what is learnt
    is of use to the test alone: without it train stays the same whatever columns the verdict groups by.
    """
    # A row's name is made of its key. Only where a key stands several times need the names be remembered.
    repeated_M = _repeated(selection.rows.keys()[lines.row_M])
    seen: Counter[str] = Counter()
    for number, stored, repeated in zip(lines.row_M, lines.stored_M, repeated_M, strict=True):
        row = selection.rows.store[int(stored)]
        name = row.id
        if repeated:
            seen[name] += 1
            name = row.id if seen[name] == 1 else f"{name}-{seen[name]}"
        if not with_meta and isinstance(row, Chat | Pair | Text) and row.meta:
            row = replace(row, meta={})
        yield replace(row, id=name, group=f"{clusters.name_N[number] >> GROUP_SHIFT:0{GROUP_DIGITS}x}")


def _repeated(keys_M: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of these keys stand there several times."""
    ordered = np.sort(keys_M)
    found: NDArray[np.bool_] = np.isin(keys_M, ordered[1:][ordered[1:] == ordered[:-1]])
    return found

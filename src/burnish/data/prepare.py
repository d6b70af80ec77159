"""The data stage: files → train.jsonl, dev.jsonl, test.jsonl, dropped.jsonl and the card.

A pure function of the files, the settings and the seed. Every row that comes in is written to exactly one of the four.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.core.files import write_json, write_jsonl, write_text
from burnish.core.records import Row
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, markdown, part_facts
from burnish.data.clean import drop_duplicates, drop_overlaps, storable
from burnish.data.group import asked_keys, prompts_with_several_answers, with_groups
from burnish.data.intake import Part, take_in
from burnish.data.reasons import REASONS
from burnish.data.sample import choose
from burnish.data.settings import DataSettings
from burnish.data.shape import answer_shape
from burnish.data.split import Parts, split


def prepare(
    settings: DataSettings,
    folder: RunFolder,
    *,
    base: Path,
    seed: int,
    length_of: Callable[[Row], int],
    context: int,
    say: Callable[[str], None],
) -> DataCard:
    """Runs the stage. `length_of` gives the tokens of a rendered row, `context` how many the model takes.

    Raises DataError: a file is unusable, its format is unknown, or too little is left to train on.
    """
    train, dev, test = _without_overlaps(*_read_parts(settings, base, say))
    tokens_by_id: dict[str, int] = {}

    def chosen(part: Part, count: int | None) -> Part:
        kept, dropped, tokens = choose(part.rows, count, seed=seed, length_of=length_of, context=context)
        tokens_by_id.update(tokens)
        return part.after(with_groups(kept, part.name), dropped)

    train = chosen(train, settings.rows)
    dev = dev and chosen(dev, None)
    test = test and chosen(test, settings.test_rows)
    parts = split(
        train.rows,
        own_dev=dev.rows if dev else None,
        own_test=test.rows if test else None,
        shares=(settings.test_share, settings.dev_share),
        seed=seed,
    )
    inputs = [part for part in (train, dev, test) if part]
    card = _card(settings, inputs, parts, tokens_by_id, seed, context)
    _say_result(card, say)
    _write(folder, parts, inputs, card)
    return card


def _read_parts(
    settings: DataSettings, base: Path, say: Callable[[str], None]
) -> tuple[Part, Part | None, Part | None]:
    """Train, dev and test as the files hold them; dev and test are None where the user gave no file."""
    train, layout = take_in("train", settings.train_files, settings, base=base, say=say, like=None)
    own = {
        name: take_in(name, [file], settings, base=base, say=say, like=layout)[0]
        for name, file in (("dev", settings.dev), ("test", settings.test))
        if file is not None
    }
    return train, own.get("dev"), own.get("test")


def _without_overlaps(train: Part, dev: Part | None, test: Part | None) -> tuple[Part, Part | None, Part | None]:
    """The test is sacred: what it asks leaves train and dev. It is never changed itself."""
    train = train.after(*drop_duplicates(train.rows))
    if test:
        asked = asked_keys(test.rows)
        train = train.after(*drop_overlaps(train.rows, asked, "overlaps_test"))
        dev = dev and dev.after(*drop_overlaps(dev.rows, asked, "overlaps_test"))
    if dev:
        train = train.after(*drop_overlaps(train.rows, asked_keys(dev.rows), "overlaps_dev"))
    return train, dev, test


def _card(
    settings: DataSettings, inputs: list[Part], parts: Parts, tokens_by_id: dict[str, int], seed: int, context: int
) -> DataCard:
    # The shape guides prompts and training, so it is taken without looking at the test.
    learnt = parts.train + parts.dev
    written = {"train": parts.train, "dev": parts.dev, "test": parts.test}
    card = DataCard(
        sources=tuple(source for part in inputs for source in part.sources),
        rows_in=sum(part.rows_in for part in inputs),
        parts={name: part_facts(rows, tokens_by_id) for name, rows in written.items()},
        dropped={part.name: part.reasons for part in inputs if part.dropped},
        rows_cut=sum(part.cut for part in inputs),
        prompts_with_several_answers=prompts_with_several_answers(learnt),
        own_test=settings.test is not None,
        shape=answer_shape(learnt),
        instructions=settings.instructions,
        seed=seed,
        context=context,
    )
    if card.rows_in != card.rows_written + card.rows_dropped:
        raise BurnishError(
            "Rows were lost: this is a fault in Burnish.",
            seen=f"{card.rows_in} in, {card.rows_written} written, {card.rows_dropped} dropped",
        )
    return card


def _say_result(card: DataCard, say: Callable[[str], None]) -> None:
    for part, reasons in card.dropped.items():
        for reason, count in reasons.items():
            say(f"{part}: {count} dropped, {reason}: {REASONS[reason]}")
    sizes = " + ".join(f"{part.rows} {name}" for name, part in card.parts.items())
    say(f"{card.rows_in} rows in = {sizes} + {card.rows_dropped} dropped; answers: {card.shape.kind}")


def _write(folder: RunFolder, parts: Parts, inputs: list[Part], card: DataCard) -> None:
    for path, rows in ((folder.train, parts.train), (folder.dev, parts.dev), (folder.test, parts.test)):
        write_jsonl(path, (row.to_json() for row in rows))
    write_jsonl(folder.dropped, (storable(dropped) for part in inputs for dropped in part.dropped))
    write_json(folder.data_card, card.to_json())
    write_text(folder.data_card.with_suffix(".md"), markdown(card))

import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import BurnishError, DataError
from burnish.core.records import Chat, Row
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, read_card
from burnish.data.prepare import prepare
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from burnish.render.batch import Length

NASTY = [
    *(json.dumps({"prompt": f"Ticket {n}", "completion": "bug" if n % 2 else "wish"}) for n in range(40)),
    "not json",
    "[1]",
    '{"prompt": "no answer"}',
    '{"prompt": "", "completion": "bug"}',
    '{"prompt": "x", "completion": " "}',
    '{"prompt": "\\ud800", "completion": "bug"}',
    '{"prompt": "Ticket 1", "completion": "bug"}',
    '{"prompt": "ticket 1!", "completion": "wish"}',
    json.dumps({"prompt": "long " * 300, "completion": "bug"}),
]


def characters(row: Row) -> int:
    return len(json.dumps(row.to_json()["messages"] if isinstance(row, Chat) else row.to_json()))


def lengths(rows: Iterable[Row]) -> Iterator[Length]:
    return (Length(characters(row), characters(row)) for row in rows)


def run(
    folder: Path,
    settings: dict[str, Any],
    *,
    seed: int = 0,
    out: str = "run",
    say: Callable[[str], None] = lambda _: None,
) -> tuple[DataCard, RunFolder]:
    run_folder = RunFolder(folder / out)
    card = prepare(
        DataSettings(**settings), run_folder, base=folder, seed=seed, lengths_of=lengths, context=1000, say=say
    )
    return card, run_folder


def write(folder: Path, name: str, lines: list[str]) -> str:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def tickets(count: int, start: int = 0) -> list[str]:
    return [json.dumps({"prompt": f"Ticket {n}", "completion": f"Answer {n}"}) for n in range(start, start + count)]


def files(folder: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.data.iterdir())}


def test_rows_in_are_rows_written_and_rows_dropped(tmp_path: Path) -> None:
    said: list[str] = []
    card, folder = run(tmp_path, {"train": write(tmp_path, "t.jsonl", NASTY)}, say=said.append)
    written = [row for path in (folder.train, folder.dev, folder.test) for row in read_rows(path)]
    dropped = [json.loads(line) for line in folder.dropped.read_text("utf-8").splitlines()]
    assert card.rows_in == len(NASTY) == len(written) + len(dropped)
    assert card.dropped["train"] == {
        "not_json": 1,
        "not_object": 1,
        "missing_field": 1,
        "empty_prompt": 1,
        "empty_answer": 1,
        "broken_character": 1,
        "exact_duplicate": 1,
        "too_long": 1,
    }
    lines = sorted(int(one["source"].split(":")[1]) for one in dropped)
    assert lines == [41, 42, 43, 44, 45, 46, 47, 49]
    assert len({row.id for row in written}) == len(written)
    assert said[0] == "train: t.jsonl: prompt/completion (prompt, completion; 49 rows); row 1: Ticket 0 → wish"
    assert said[-1].startswith("49 rows in = ")


def test_the_card_holds_what_was_found(tmp_path: Path) -> None:
    card, folder = run(tmp_path, {"train": write(tmp_path, "t.jsonl", NASTY), "instructions": "bug or wish?"})
    assert read_card(folder.data_card) == card
    assert card.shape.labels == ("bug", "wish")
    assert card.instructions == "bug or wish?"
    assert {name: part.rows for name, part in card.parts.items()} == {
        "train": len(read_rows(folder.train)),
        "dev": len(read_rows(folder.dev)),
        "test": len(read_rows(folder.test)),
    }
    text = (folder.data / "card.md").read_text("utf-8")
    assert "49 rows in = " in text
    assert card.sources[0].sha256 in text
    assert "the line is not JSON" in text


def test_the_stage_is_a_pure_function_of_files_settings_and_seed(tmp_path: Path) -> None:
    settings = {"train": write(tmp_path, "t.jsonl", NASTY)}
    first, again, other = (files(run(tmp_path, settings, seed=seed, out=str(n))[1]) for n, seed in enumerate((0, 0, 1)))
    assert first == again
    assert first["test.jsonl"] != other["test.jsonl"]


def test_shuffling_the_file_changes_no_part(tmp_path: Path) -> None:
    lines = tickets(60)
    write(tmp_path, "a.jsonl", lines)
    write(tmp_path, "b.jsonl", random.Random(0).sample(lines, len(lines)))
    parts = [
        [{row.id for row in read_rows(path)} for path in (folder.train, folder.dev, folder.test)]
        for folder in (run(tmp_path, {"train": f"{name}.jsonl", "rows": 40}, out=name)[1] for name in "ab")
    ]
    assert parts[0] == parts[1]


def test_no_group_straddles_two_parts(tmp_path: Path) -> None:
    lines = [json.dumps({"prompt": f"Ticket {n % 20}{'!' * (n % 3)}", "completion": f"Answer {n}"}) for n in range(90)]
    write(tmp_path, "t.jsonl", lines)
    for seed in range(8):
        _, folder = run(tmp_path, {"train": "t.jsonl"}, seed=seed, out=str(seed))
        sides = [{row.group for row in read_rows(path)} for path in (folder.train, folder.dev, folder.test)]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 20


def test_an_own_test_file_is_only_test_and_its_questions_leave_train_and_dev(tmp_path: Path) -> None:
    settings = {
        "train": write(tmp_path, "t.jsonl", tickets(30)),
        "dev": write(tmp_path, "d.jsonl", tickets(5, start=28)),
        "test": write(tmp_path, "e.jsonl", [*tickets(3, start=32), *tickets(1, start=32), *tickets(2)]),
    }
    card, folder = run(tmp_path, settings)
    # test keeps its 6 rows, duplicate included; train loses 0 and 1 to test, 28 and 29 to dev; dev loses 32 to test
    assert {name: part.rows for name, part in card.parts.items()} == {"train": 26, "dev": 4, "test": 6}
    assert card.dropped == {"train": {"leak_exact": 2, "overlaps_dev": 2}, "dev": {"leak_exact": 1}}
    assert card.own_test
    assert all(row.source.startswith("e.jsonl:") for row in read_rows(folder.test))
    assert len({row.id for row in read_rows(folder.test)}) == 6


def test_rows_and_test_rows_are_samples(tmp_path: Path) -> None:
    settings = {
        "train": write(tmp_path, "t.jsonl", tickets(100)),
        "test": write(tmp_path, "e.jsonl", tickets(50, start=200)),
        "rows": 30,
        "test_rows": 10,
    }
    card, _ = run(tmp_path, settings)
    assert card.parts["train"].rows + card.parts["dev"].rows == 30
    assert card.parts["test"].rows == 10
    assert card.dropped == {"train": {"not_sampled": 70}, "test": {"not_sampled": 40}}


def test_several_files_of_different_kinds_become_one_train(tmp_path: Path) -> None:
    table = ["question,answer", *(f"other {n},Answer {n}" for n in range(10))]
    names = [write(tmp_path, "t.jsonl", tickets(20)), write(tmp_path, "t.csv", table)]
    card, _ = run(tmp_path, {"train": names})
    assert card.rows_in == card.rows_written == 30
    assert [source.keys for source in card.sources] == [("prompt", "completion"), ("question", "answer")]


def test_when_no_row_is_left_the_commonest_reasons_are_named(tmp_path: Path) -> None:
    write(tmp_path, "t.jsonl", ["hello", "world", "[1]"])
    with pytest.raises(DataError, match=r"t\.jsonl:1 is the first: not_json[\s\S]*2 × not_json .*1 × not_object"):
        run(tmp_path, {"train": "t.jsonl"})


def test_train_given_as_test_leaves_nothing_to_learn_from(tmp_path: Path) -> None:
    write(tmp_path, "t.jsonl", tickets(30))
    with pytest.raises(DataError, match="30 × leak_exact"):
        run(tmp_path, {"train": "t.jsonl", "test": "t.jsonl"})


def test_text_from_the_data_cannot_break_out_of_the_card(tmp_path: Path) -> None:
    lines = [json.dumps({"prompt": f"a | b <script> \x1b[31m {n}", "completion": "x"}) for n in range(30)]
    _, folder = run(tmp_path, {"train": write(tmp_path, "t.jsonl", lines)})
    text = (folder.data / "card.md").read_text("utf-8")
    assert "\x1b" not in text
    assert "a \\| b &lt;script&gt; 0" in text


def test_mutated_files_are_read_or_refused_but_never_crash(tmp_path: Path) -> None:
    chance = random.Random(0)
    good = "\n".join(NASTY[:30]).encode()
    for trial in range(300):
        content = bytearray(good)
        for _ in range(chance.randint(1, 30)):
            content[chance.randrange(len(content))] = chance.choice(b'\x00\n"{}[]\\,:u9\xc3\xa4\xff;\t\r')
        name = chance.choice(["t.jsonl", "t.json", "t.csv", "t.txt", "t", "t.parquet"])
        (tmp_path / name).write_bytes(content)
        try:
            card, _ = run(tmp_path, {"train": name, "format": chance.choice(["auto", "text"])}, out=f"run{trial % 2}")
        except BurnishError:
            continue
        assert card.rows_in == card.rows_written + card.rows_dropped


REAL = [
    ({"train": "banking77/train.csv", "test": "banking77/test.csv"}, 13083, "label"),
    ({"train": "gsm8k/train.jsonl.gz", "test": "gsm8k/test.jsonl", "rows": 300, "test_rows": 100}, 8792, "number"),
    ({"train": "dolly_hhrlhf_small/dolly_hhrlhf_train_small.jsonl"}, 1000, "text"),
    ({"train": "e2e_nlg/devset.csv", "test": "e2e_nlg/testset_w_refs.csv"}, 9365, "text"),
    ({"train": "tatoeba_laser/tatoeba.deu-eng.jsonl", "prompt": "deu", "completion": "en"}, 1000, "text"),
    ({"train": "wikitext2/valid.txt", "test": "wikitext2/test.txt"}, 2480, "text"),
    ({"train": "hellaswag_val1000/hellaswag_val1000.jsonl.gz"}, 1000, "label"),
]


@pytest.mark.data
@pytest.mark.parametrize(("settings", "rows", "kind"), REAL)
def test_real_data_sets_are_understood(
    tmp_path: Path, data_folder: Path, settings: dict[str, Any], rows: int, kind: str
) -> None:
    card = prepare(
        DataSettings(**settings),
        RunFolder(tmp_path),
        base=data_folder,
        seed=0,
        lengths_of=lengths,
        context=4000,
        say=lambda _: None,
    )
    assert (card.rows_in, card.shape.kind) == (rows, kind)


@pytest.mark.data
@pytest.mark.parametrize("name", ["ifeval/input_data.jsonl"])
def test_real_data_sets_without_answers_are_refused(tmp_path: Path, data_folder: Path, name: str) -> None:
    with pytest.raises(DataError, match="completion: KEY"):
        prepare(
            DataSettings(train=name),
            RunFolder(tmp_path),
            base=data_folder,
            seed=0,
            lengths_of=lengths,
            context=4000,
            say=lambda _: None,
        )

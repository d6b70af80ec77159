from burnish.core.errors import DataError
from burnish.core.records import Row, Text
from burnish.data.sample import choose, shuffled

ROWS = [Text(f"id{number}", "word " * number, f"f:{number}") for number in range(1, 101)]


def words(row: object) -> int:
    assert isinstance(row, Text)
    return len(row.text.split())


def test_an_order_depends_on_seed_purpose_and_names_alone() -> None:
    names = [str(number) for number in range(50)]

    def order(items: list[str], seed: int = 0, purpose: str = "test") -> list[str]:
        return shuffled(items, lambda name: name, seed=seed, purpose=purpose)

    assert order(names) == order(names[::-1])
    assert order(names) != order(names, seed=1) != names
    assert order(names) != order(names, purpose="dev")


def test_a_sample_holds_the_count_asked_for_and_accounts_for_the_rest() -> None:
    kept, dropped, tokens = choose(ROWS, 30, seed=0, length_of=words, context=90)
    assert len(kept) == len(tokens) == 30
    assert len(kept) + len(dropped) == 100
    assert {one.reason for one in dropped} == {"not_sampled", "too_long"}
    assert [row.source for row in kept] == [row.source for row in ROWS if row in kept]
    assert all(tokens[row.id] == words(row) for row in kept)


def test_a_sample_does_not_depend_on_the_order_of_the_file() -> None:
    kept, _, _ = choose(ROWS, 30, seed=0, length_of=words, context=90)
    turned, _, _ = choose(ROWS[::-1], 30, seed=0, length_of=words, context=90)
    assert turned == kept[::-1]
    assert choose(ROWS, 30, seed=1, length_of=words, context=90)[0] != kept


def test_without_a_count_only_what_is_too_long_goes() -> None:
    kept, dropped, _ = choose(ROWS, None, seed=0, length_of=words, context=90)
    assert kept == ROWS[:90]
    assert [(one.source, one.reason) for one in dropped] == [(f"f:{n}", "too_long") for n in range(91, 101)]


def test_asking_for_more_rows_than_there_are_gives_all() -> None:
    assert choose(ROWS, 500, seed=0, length_of=words, context=100)[0] == ROWS


def test_only_rows_that_are_looked_at_are_measured() -> None:
    measured: list[str] = []

    def length_of(row: object) -> int:
        measured.append("row")
        return 1

    choose(ROWS, 5, seed=0, length_of=length_of, context=10)
    assert len(measured) == 5


def test_a_row_that_the_template_refuses_is_left_out_with_the_reason() -> None:
    def length_of(row: Row) -> int:
        if row.id == "r3":
            raise DataError("The template refuses this.", seen="roles must alternate")
        return 5

    rows = [Text(f"r{n}", "text", f"f:{n}") for n in range(1, 6)]
    kept, dropped, _ = choose(rows, None, seed=0, length_of=length_of, context=10)
    assert [row.id for row in kept] == ["r1", "r2", "r4", "r5"]
    assert [(one.source, one.reason) for one in dropped] == [("f:3", "not_renderable")]
    assert "roles must alternate" in dropped[0].detail

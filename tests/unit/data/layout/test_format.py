from burnish.data.layout.format import Format


def test_keys_left_out_are_known() -> None:
    row = {"id": 1, "q": "x", "a": {"b": "y"}, "system": "z", "tools": []}
    found = Format("prompt_completion", prompt="q", completion="a.b")
    assert found.unread(row) == ["id", "tools"]
    assert found.unread(row | {"q": [{"role": "user", "content": "x"}]}) == ["id"]
    assert Format("messages", turns="q").unread(row) == ["id", "a"]
    assert Format("columns", template="{q} {id}", completion_template="{a.b}").unread(row) == ["tools"]


def test_a_grader_may_read_all_that_the_prompt_does_not() -> None:
    found, row = Format("prompts", prompt="q"), {"id": 1, "q": "x", "a": "y"}
    assert found.unread(row) == []
    assert found.beside(row) == ["id", "a"]


def test_a_format_fits_where_its_columns_are() -> None:
    found = Format("alpaca", prompt="q", context="optional", completion="a.text.0")
    assert found.fits(("q", "a"))
    assert not found.fits(("q", "a.text"))
    assert found.read == ("q", "a.text.0", "optional")

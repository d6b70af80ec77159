from typing import Any

import pytest

from burnish.core.errors import DataError
from burnish.data.layout.format import Format
from burnish.data.layout.recognise import recognise
from burnish.data.settings import DataSettings


def seen(row: dict[str, Any], **settings: Any) -> Format:
    return recognise([row], DataSettings(train="f", **settings), "f")


def test_columns_templates_and_paths_are_named_and_the_rest_is_known_by_its_name() -> None:
    row = {"question": "a", "hint": {"deep": ["b"]}, "answer": "c"}
    found = seen(row, template="{hint.deep.0}: {question}")
    assert found == Format("columns", completion="answer", template="{hint.deep.0}: {question}")
    assert seen(row, prompt="hint.deep.0") == Format("columns", prompt="hint.deep.0", completion="answer")
    found = seen(row, completion_template="#### {answer}")
    assert found == Format("columns", prompt="question", completion_template="#### {answer}")


def test_a_path_begins_at_a_column() -> None:
    with pytest.raises(DataError, match="did you mean 'question'"):
        seen({"question": "a", "answer": "c"}, template="{qestion}")
    with pytest.raises(DataError, match=r"no column 'hint\.deep'"):
        seen({"question": "a", "answer": "c"}, prompt="hint.deep")


def test_scores_prompts_and_preferences_can_be_named_too() -> None:
    row = {"prompt": "a", "response": "b", "helpfulness": 4, "verbosity": 1}
    assert seen(row, score="helpfulness") == Format(
        "rated", prompt="prompt", completion="response", score="helpfulness"
    )
    assert seen(row, prompt="response", format="prompts") == Format("prompts", prompt="response")
    answers = {"q": "a", "chosen": "b", "rejected": "c"}
    expected = Format("preference", prompt="q", completion="chosen", rejected="rejected")
    assert seen(answers, prompt="q") == seen(answers, prompt="q", format="preference") == expected
    assert seen(answers, prompt="q", completion="chosen") == Format("columns", prompt="q", completion="chosen")
    named = {"prompt": "q", "completion": "rejected", "rejected": "chosen"}
    assert seen(answers, **named) == Format("preference", prompt="q", completion="rejected", rejected="chosen")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"completion": "a", "completion_template": "{a}"}, "`completion` or `completion_template`, not both"),
        ({"prompt": "a", "format": "messages"}, "`prompt`, by name or as a template, does not apply"),
        ({"completion": "a", "format": "prompts"}, "`completion`, by name or as a template, does not apply"),
        ({"score": "a", "format": "columns", "prompt": "b"}, "`score`, by name or as a template, does not apply"),
        ({"rejected": "a"}, "`rejected` needs `completion`"),
        ({"labels": ["one"]}, "at least 2 items"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataSettings(train="f", **settings)


def test_what_is_still_missing_is_said() -> None:
    with pytest.raises(DataError, match="`completion` is missing"):
        seen({"q": "a", "b": "c"}, prompt="q")
    with pytest.raises(DataError, match="`prompt` is missing"):
        seen({"q": "a", "b": "c"}, completion="b")
    with pytest.raises(DataError, match="score: KEY"):
        seen({"q": "a", "b": "c"}, prompt="q", completion="b", format="rated")
    with pytest.raises(DataError, match="rejected: KEY"):
        seen({"q": "a", "b": "c"}, prompt="q", completion="b", format="preference")

"""What a recipe may say about the judge."""

from __future__ import annotations

import pytest

from burnish.core.errors import RecipeError
from burnish.core.settings import build, parse_yaml
from burnish.evals.settings import EvaluateSettings


def read(text: str) -> EvaluateSettings:
    return build(EvaluateSettings, parse_yaml(text, "recipe"))


def test_a_name_alone_is_a_judge_and_nobody_judges_by_default() -> None:
    judge = read("judge: smollm2-135m").judge
    assert judge is not None
    assert (judge.model, judge.address) == ("smollm2-135m", None)
    assert EvaluateSettings().judge is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("metric: judge", "needs `judge`"),
        ("judge: {model: m, key_from: MY_KEY}", "no effect without `address`"),
        ("judge: {model: m, address: 'https://x/v1', key_from: sk-secret}", "never the key itself"),
        ("judge: {model: m, address: 'http://x.example/v1', key_from: MY_KEY}", "in the open"),
        ("judge: {model: m, address: 'https://me:pass@x/v1'}", "must not hold a name"),
        ("judge: {model: m, address: x}", "begins with http"),
        ("judge: {model: m, criterion: good}", "did you mean `criteria`"),
    ],
)
def test_what_cannot_work_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read(text)
    assert complaint in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    assert "me:pass" not in str(caught.value)


def test_only_addresses_elsewhere_send_rows_away() -> None:
    near, far = (
        read("judge: {model: m, address: 'http://127.0.0.1:1/v1'}"),
        read("judge: {model: m, address: 'https://x/v1'}"),
    )
    assert near.judge
    assert far.judge
    assert (near.judge.sends_away, far.judge.sends_away) == (False, True)

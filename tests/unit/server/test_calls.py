"""Calls of tools in the forms that templates write them, read back and required."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from burnish.model.checkpoint import read_checkpoint
from burnish.render.renderer import Renderer, make_renderer
from burnish.server.api_error import ApiError
from burnish.server.calls import call_form, check_tools, chosen_tools, forced_call
from burnish.server.guide import Grammars
from tests.live_server import live_server
from tests.tiny import write_model

START = "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
TURN = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}"
END = "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
CALL = '{"name": "{{ c.function.name }}", "%s": {{ c.function.arguments | tojson }}}'
EACH = "{% for c in m.tool_calls or [] %}"
TAGGED = START + TURN + EACH + f"<tool_call>\n{CALL % 'arguments'}\n</tool_call>" + "{% endfor %}" + END
LISTED = (
    START + TURN + f"{{% if m.tool_calls %}}[TOOL_CALLS][{EACH}{CALL % 'arguments'}{{% endfor %}}]{{% endif %}}" + END
)
BARE = START + TURN + EACH + CALL % "parameters" + "{% endfor %}" + END
TOOLS = tuple(
    {"type": "function", "function": {"name": name, "parameters": {
        "type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}}}
    for name in ("add", "take")
)  # fmt: skip


@pytest.fixture(scope="module")
def plain(tiny_folder: Path) -> Renderer:
    checkpoint = read_checkpoint(tiny_folder)
    return make_renderer(checkpoint.tokenizer, checkpoint.generation)


def with_template(plain: Renderer, template: str) -> Renderer:
    plain.tokenizer.chat_template = template
    try:
        return make_renderer(plain.tokenizer)
    finally:
        plain.tokenizer.chat_template = plain.template


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        (TAGGED, 'So:\n<tool_call>\n{"name": "add", "arguments": {"n": 1}}\n</tool_call>\n'
                 '<tool_call>\n{"name": "take", "arguments": {"n": 2}}\n</tool_call>'),
        (LISTED, 'So:\n[TOOL_CALLS][{"name": "add", "arguments": {"n": 1}}, {"name": "take", "arguments": {"n": 2}}]'),
        (BARE, '{"name": "add", "parameters": {"n": 1}}; {"name": "take", "parameters": {"n": 2}}'),
    ],
)  # fmt: skip
def test_calls_are_read_in_the_form_that_the_template_writes(plain: Renderer, template: str, answer: str) -> None:
    form = call_form(with_template(plain, template))
    assert form is not None
    said, calls = form.read(answer)
    assert said == ("" if template == BARE else "So:")
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        ("add", {"n": 1}), ("take", {"n": 2}),
    ]  # fmt: skip
    assert len({call["id"] for call in calls}) == 2


@pytest.mark.parametrize("template", [TAGGED, LISTED, BARE])
def test_what_is_no_call_stays_text(plain: Renderer, template: str) -> None:
    form = call_form(with_template(plain, template))
    assert form is not None
    for text in ("", "No.", '{"answer": 1}', "<tool_call>", "<tool_call>{", "[TOOL_CALLS][]", '<tool_call>{"name": 1}',
                 "{" * 5000, "<tool_call>" * 2000, '{"name": "x"'):  # fmt: skip
        assert form.read(text) == (text, [])


def test_a_template_without_tools_has_none(plain: Renderer) -> None:
    assert call_form(plain) is None
    with pytest.raises(ApiError, match="does not show tools"):
        check_tools(None, plain)


def test_a_frame_of_special_tokens_cannot_be_required(plain: Renderer) -> None:
    form = call_form(with_template(plain, BARE))
    assert form is not None
    assert "add" in forced_call(Grammars(plain), form, TOOLS)
    with pytest.raises(ApiError, match="special tokens"):
        forced_call(Grammars(plain), replace(form, special=True), TOOLS)


def test_a_choice_shows_the_tools_that_it_names(plain: Renderer) -> None:
    named = {"type": "function", "function": {"name": "take"}}
    assert chosen_tools(TOOLS, None) == (TOOLS, False)
    assert chosen_tools(TOOLS, "none") == ((), False)
    assert chosen_tools(TOOLS, "required") == (TOOLS, True)
    assert chosen_tools(TOOLS, named) == (TOOLS[1:], True)
    for wrong in ("always", {"type": "function", "function": {"name": "nothing"}}, {"type": "function"}):
        with pytest.raises(ApiError):
            chosen_tools(TOOLS, wrong)
    with pytest.raises(ApiError):
        chosen_tools((), "required")


def test_a_required_call_comes_over_http(tmp_path: Path) -> None:
    """Even from a model of random weights: the grammar leaves nothing else."""
    folder = write_model(tmp_path / "model")
    (folder / "chat_template.jinja").write_text(TAGGED)
    with live_server() as live:
        live.catalog.add_base(str(folder))
        for stream in (False, True):
            answer = live.client.chat.completions.create(
                model="model", messages=[{"role": "user", "content": "x"}], tools=list(TOOLS[:1]),
                tool_choice="required", max_tokens=200, temperature=1, seed=1, stream=stream,
            )  # fmt: skip
            if stream:
                chunks = [chunk.choices[0] for chunk in answer]  # type: ignore[union-attr]
                (call,) = [call for chunk in chunks for call in chunk.delta.tool_calls or []]
                finish = chunks[-1].finish_reason
            else:
                (call,) = answer.choices[0].message.tool_calls  # type: ignore[union-attr]
                finish = answer.choices[0].finish_reason  # type: ignore[union-attr]
            assert finish == "tool_calls"
            assert call.function.name == "add"
            assert json.loads(call.function.arguments)["n"] in (1, 2)

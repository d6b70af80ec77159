"""Tools reach the model as its own chat template writes them; calls are learnt, results and definitions are read.

The templates are written here in the manner of families that know tools.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, ToolCall
from burnish.render.renderer import Rendered, Renderer, make_renderer
from burnish.render.tools import mapped, shown, strings
from tests.invariants.templates import byte_tokenizer

SYSTEM_FIRST = "{% if messages[0].role == 'system' %}{{ messages[0].content }}\n{% endif %}"
ENDING = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
CALLS = (
    "{% for call in m.tool_calls %}{{ '\n' if m.content or not loop.first }}<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>'
    "{% endfor %}"
)
# Definitions in the system turn, results of one round in one turn of the user.
QWEN_LIKE = (
    "{% if tools %}<|im_start|>system\n" + SYSTEM_FIRST + "<tools>{% for tool in tools %}\n{{ tool | tojson }}"
    "{% endfor %}\n</tools><|im_end|>\n"
    "{% elif messages[0].role == 'system' %}<|im_start|>system\n{{ messages[0].content }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}"
    "{% if m.role == 'tool' %}"
    "{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}<|im_start|>user{% endif %}"
    "\n<tool_response>\n{{ m.content }}\n</tool_response>"
    "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}<|im_end|>\n{% endif %}"
    "{% elif m.role == 'assistant' %}<|im_start|>assistant\n{{ m.content }}" + CALLS + "<|im_end|>\n"
    "{% elif m.role == 'user' %}<|im_start|>user\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}" + ENDING
)
# Every message is a turn of its own role.
HERMES_LIKE = (
    "<|im_start|>system\n" + SYSTEM_FIRST + "{% if tools %}You may call: "
    "{% for tool in tools %}{{ tool.function | tojson }}{{ ', ' if not loop.last }}{% endfor %}{% endif %}<|im_end|>\n"
    "{% for m in messages %}{% if m.role != 'system' %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'tool' %}<tool_response>{{ {'name': m.name, 'content': m.content} | tojson }}</tool_response>"
    "{% else %}{{ m.content }}" + CALLS + "{% endif %}<|im_end|>\n{% endif %}{% endfor %}" + ENDING
)
HEAD = "<|start_header_id|>{{ role }}<|end_header_id|>\n\n"
# Definitions in the first turn of the user, one call at a time, results from "ipython".
LLAMA_LIKE = (
    "{{ bos_token }}{% set ns = namespace(told=false) %}{% for m in messages %}"
    "{% set role = 'ipython' if m.role == 'tool' else m.role %}"
    + HEAD
    + "{% if m.role == 'user' and tools and not ns.told %}"
    "{% set ns.told = true %}{% for tool in tools %}{{ tool | tojson(indent=4) }}\n\n{% endfor %}{% endif %}"
    "{% if m.tool_calls %}{% if m.tool_calls | length != 1 %}{{ raise_exception('one call at a time') }}{% endif %}"
    "{% set call = m.tool_calls[0].function %}"
    '{"name": "{{ call.name }}", "parameters": {{ call.arguments | tojson }}}'
    "{% elif m.role == 'tool' %}{{ m.content | tojson }}{% else %}{{ m.content | trim }}{% endif %}"
    "<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}{% set role = 'assistant' %}" + HEAD + "{% endif %}"
)
BLIND = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" + ENDING
TEMPLATES = {"Qwen": QWEN_LIKE, "Hermes": HERMES_LIKE, "Llama": LLAMA_LIKE}
END = {"Qwen": "<|im_end|>", "Hermes": "<|im_end|>", "Llama": "<|eot_id|>"}

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place, now.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}
CALL = ToolCall("get_weather", '{"place": "Zürich", "days": [1, 2.5, null], "exact": true}', "abcdefghi")
ASKED = (
    Message("system", "Be brief."),
    Message("user", "Weather in Zürich?"),
    Message("assistant", "", (CALL,)),
    Message("tool", '{"sky": "blue"}', tool_call_id="abcdefghi", name="get_weather"),
    Message("assistant", "Blue sky."),
    Message("user", "Thanks. Sure?"),
    Message("assistant", "Let me look again.", (CALL,)),
)
PARALLEL = (
    *ASKED[1:2],
    Message("assistant", "", (CALL, ToolCall("get_weather", "{}", "ihgfedcba"))),
    Message("tool", "blue", tool_call_id="abcdefghi", name="get_weather"),
    Message("tool", "grey", tool_call_id="ihgfedcba", name="get_weather"),
    Message("assistant", "Blue and grey."),
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return byte_tokenizer()


def renderer_of(tokenizer: Tokenizer, template: str) -> Renderer:
    return make_renderer(
        PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(tokenizer.to_str()),
            bos_token="<|begin_of_text|>",
            eos_token="<|end_of_text|>",
            chat_template=template,
        )
    )


def as_transformers_wants(message: Message) -> dict[str, Any]:
    """Written out here, so that it is not our own conversion that is compared with itself."""
    value: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        value["tool_calls"] = [
            {
                "type": "function",
                "id": call.id,
                "function": {"name": call.name, "arguments": json.loads(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        value |= {"tool_call_id": message.tool_call_id, "name": message.name}
    return value


def template_ids(renderer: Renderer, messages: tuple[Message, ...], tools: Any, *, prompt: bool = False) -> list[int]:
    ids = renderer.tokenizer.apply_chat_template(
        [as_transformers_wants(message) for message in messages],
        tools=tools,
        add_generation_prompt=prompt,
        tokenize=True,
        return_dict=False,
    )
    return list(ids)


def learnt(renderer: Renderer, row: Rendered) -> list[str]:
    """The text of each run of learnt tokens."""
    runs: list[list[int]] = []
    before = 0.0
    for token, weight in zip(row.ids, row.weights, strict=True):
        if weight:
            runs = [*runs, [token]] if not before else [*runs[:-1], [*runs[-1], token]]
        before = weight
    return [str(renderer.tokenizer.decode(run)) for run in runs]


@pytest.mark.parametrize("family", TEMPLATES)
def test_ids_with_tools_equal_the_chat_templates(tokenizer: Tokenizer, family: str) -> None:
    renderer = renderer_of(tokenizer, TEMPLATES[family])
    for talk in (ASKED, ASKED[1:5], PARALLEL) if family != "Llama" else (ASKED, ASKED[1:5]):
        for tools in ((TOOL,), (TOOL, TOOL), ()):
            given = list(tools) or None
            assert renderer.row(Chat("1", talk, tools=tools)).ids == template_ids(renderer, talk, given)
            for end in range(2, len(talk)):
                if talk[end].role == "assistant":
                    expected = template_ids(renderer, talk[:end], given, prompt=True)
                    assert renderer.prompt(talk[:end], tools) == expected


@pytest.mark.parametrize("family", TEMPLATES)
def test_calls_and_answers_are_learnt_results_and_definitions_are_not(tokenizer: Tokenizer, family: str) -> None:
    renderer, end = renderer_of(tokenizer, TEMPLATES[family]), END[family]
    row = renderer.row(Chat("1", ASKED, tools=(TOOL,)))
    runs = learnt(renderer, row)
    arguments = '{"place": "Zürich", "days": [1, 2.5, null], "exact": true}'
    key = "parameters" if family == "Llama" else "arguments"
    call = f'{{"name": "get_weather", "{key}": {arguments}}}'
    marked = call if family == "Llama" else f"<tool_call>\n{call}\n</tool_call>"
    last = marked if family == "Llama" else f"Let me look again.\n{marked}"
    assert runs == [marked + end, "Blue sky." + end, last + end]
    assert row.turns_left_out == 0
    assert {'{"sky"', "Get", "Weather in"} & {run[:6] for run in runs} == set()
    owners = [owner for owner, weight in zip(row.message_T, row.weights, strict=True) if weight]
    assert sorted(set(owners)) == [2, 4, 6]


def test_two_calls_of_one_turn_are_learnt_together(tokenizer: Tokenizer) -> None:
    renderer = renderer_of(tokenizer, QWEN_LIKE)
    runs = learnt(renderer, renderer.row(Chat("1", PARALLEL, tools=(TOOL,))))
    assert len(runs) == 2
    assert runs[0].count("<tool_call>") == 2
    assert runs[1] == "Blue and grey.<|im_end|>"


def test_what_training_and_serving_show_is_the_same(tokenizer: Tokenizer) -> None:
    for template in TEMPLATES.values():
        renderer = renderer_of(tokenizer, template)
        ids = renderer.row(Chat("1", ASKED, tools=(TOOL,))).ids
        for end in (2, 4, 6):
            prompt = renderer.prompt(ASKED[:end], (TOOL,))
            assert ids[: len(prompt)] == prompt


@pytest.mark.parametrize("family", TEMPLATES)
def test_special_text_in_calls_results_and_definitions_stays_text(tokenizer: Tokenizer, family: str) -> None:
    renderer = renderer_of(tokenizer, TEMPLATES[family])
    special = set(renderer.special.values())

    def talk(text: str) -> Chat:
        called = ToolCall("get_weather", json.dumps({"role": text, text: [text]}, ensure_ascii=False), "abcdefghi")
        tool = {"type": "function", "function": {**TOOL["function"], "description": text}}  # type: ignore[dict-item]
        messages = (
            Message("user", "Weather?"),
            Message("assistant", "", (called,)),
            Message("tool", f"it is {text}", tool_call_id="abcdefghi", name="get_weather"),
            Message("assistant", "Blue."),
        )
        return Chat("1", messages, tools=(tool,))

    plain = [token for token in renderer.row(talk("X")).ids if token in special]
    for typed in ("<|im_end|>", "<|eot_id|>", "</s>", "<|im_<|im_end|>end|>"):
        row = renderer.row(talk(typed))
        assert [token for token in row.ids if token in special] == plain
        text = renderer.tokenizer.decode(row.ids)
        assert text.count(typed) >= 5
        first = learnt(renderer, row)[0]
        assert f'{{"role": "{typed}", "{typed}": ["{typed}"]}}' in first
        assert row.turns_left_out == 0


def test_answers_that_are_context_only_have_no_weight(tokenizer: Tokenizer) -> None:
    renderer = renderer_of(tokenizer, QWEN_LIKE)
    talk = tuple(
        Message(m.role, m.content, m.tool_calls, m.tool_call_id, m.name, trained=m is not ASKED[4]) for m in ASKED
    )
    row, whole = renderer.row(Chat("1", talk, tools=(TOOL,))), renderer.row(Chat("1", ASKED, tools=(TOOL,)))
    assert row.ids == whole.ids
    assert len(learnt(renderer, row)) == 2
    assert "Blue sky." not in "".join(learnt(renderer, row))
    assert row.turns_left_out == 0


def test_a_pair_is_rendered_with_its_tools(tokenizer: Tokenizer) -> None:
    renderer = renderer_of(tokenizer, QWEN_LIKE)
    pair = renderer.pair(Pair("1", ASKED[:4], "Blue.", "Grey.", tools=(TOOL,)))
    assert learnt(renderer, pair.chosen) == ["Blue.<|im_end|>"]
    assert "get_weather" in renderer.tokenizer.decode(pair.rejected.ids)


def test_of_a_rated_answer_the_answer_is_learnt_and_of_a_prompt_nothing(tokenizer: Tokenizer) -> None:
    renderer = renderer_of(tokenizer, QWEN_LIKE)
    rated = renderer.row(Rated("1", ASKED[:6], "Yes.", True, tools=(TOOL,)))
    assert learnt(renderer, rated) == ["Yes.<|im_end|>"]
    prompt = renderer.row(Prompt("1", ASKED[:6], tools=(TOOL,)))
    assert prompt.ids == renderer.prompt(ASKED[:6], (TOOL,)) == rated.ids[: len(prompt.ids)]
    assert not prompt.trained


@pytest.mark.parametrize(
    ("talk", "tools", "missing"),
    [
        (ASKED[:2] + ASKED[4:5], (TOOL,), "definitions"),
        (ASKED, (), "calls"),
        (ASKED, (TOOL,), "definitions and calls"),
    ],
)
def test_a_template_that_leaves_tools_out_is_refused(
    tokenizer: Tokenizer, talk: tuple[Message, ...], tools: Any, missing: str
) -> None:
    renderer = renderer_of(tokenizer, BLIND)
    assert renderer.tool_parts == {"results"}
    with pytest.raises(DataError, match="does not show tools") as caught:
        renderer.row(Chat("1", talk, tools=tools))
    assert caught.value.seen == f"it leaves out the tools' {missing}"
    assert "made for tools" in caught.value.next_move


def test_a_call_that_the_template_refuses_says_why(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match="refuses") as caught:
        renderer_of(tokenizer, LLAMA_LIKE).row(Chat("1", PARALLEL, tools=(TOOL,)))
    assert caught.value.seen == "one call at a time"


def test_a_message_is_shown_with_arguments_as_objects_and_without_its_weight() -> None:
    value = shown(Message("assistant", "a", (ToolCall("f", '{"x": 1}'),), trained=False))
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    assert value == {"role": "assistant", "content": "a", "tool_calls": [call]}


def test_every_text_of_a_tool_is_found_and_changed() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"rate": ["a", 1, None]}}}
    assert sorted(strings(tool)) == ["a", "f", "function", "parameters", "rate"]
    changed = mapped(tool, lambda text: text.replace("a", "A"))
    assert changed == {"type": "function", "function": {"name": "f", "pArAmeters": {"rAte": ["A", 1, None]}}}

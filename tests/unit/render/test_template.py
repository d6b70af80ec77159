"""Chat templates of strangers: what they may do, and where they are stopped."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from burnish.core.errors import ModelError
from burnish.render.meter import SECONDS
from burnish.render.template import FAILURES, LONGEST, compile_template

TALK = [{"role": "user", "content": "How long?\nSay it."}, {"role": "assistant", "content": "Three days."}]
ORDINARY = {
    "what templates write": "{%- for m in messages %}<|{{ m.role }}|>\n{{ m['content'] | trim }}{{ loop.last }}"
    "{% endfor %}",
    "namespaces, macros, cuts and calls": (
        "{% set ns = namespace(n=0, last='') %}{% macro said(m) %}[{{ m.content.split('\n')[0] }}]{% endmacro %}"
        "{% for m in messages[1:] + messages[:1] %}{% set ns.n = ns.n + 1 %}{{ said(m) ~ ns.n }}{% endfor %}{{ ns.n }}"
    ),
    "filters": "{{ messages | map(attribute='role') | join(', ') }}{{ messages | tojson(indent=2) | indent(4) }}"
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ [3, 1] | sort | first }}",
    "formats": "{{ '%s: %d' % ('a', 3) }}{{ 'a-{}-{:>4}'.format(1, 2) }}{{ 'a' * 3 }}{{ 2 ** 10 }}"
    "{{ '%s-%02d' | format('b', 4) }}{% for role, said in messages | groupby('role') %}{{ role }}{% endfor %}",
    "marks of what is generated": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% endfor %}",
    "loops that break, with a length": "{% for m in messages %}{{ loop.length }}{% if loop.index == 1 %}{% break %}"
    "{% endif %}{% endfor %}",
}


def values(**more: Any) -> dict[str, Any]:
    return {"messages": TALK, "tools": None, "documents": None, "add_generation_prompt": False, **more}


@pytest.mark.parametrize("template", ORDINARY.values(), ids=ORDINARY.keys())
def test_an_ordinary_template_writes_what_transformers_writes(template: str) -> None:
    theirs, _ = render_jinja_template([TALK], chat_template=template)
    assert compile_template(template).text(values()) == theirs[0]


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ '%3000000000d' % 1 }}",
        "{{ '{:3000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 3000000000) }}",
        "{{ ('a' * 100000).replace('', 'a' * 100000) }}",
        "{% set x = {'a': 1} %}" + "{% set x = {'a': x.items(), 'b': x.items()} %}" * 40 + "{{ x }}",
    ],
)
def test_a_template_that_would_not_end_or_fill_the_memory_is_stopped(template: str) -> None:
    program, started = compile_template(template), process_time()
    with pytest.raises(ModelError, match="does more than any chat template"):
        program.text(values())
    assert process_time() - started < 2 * SECONDS


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ 'a'.center(10) }}",
        "{{ namespace(__class__=1) }}",
        "{{ messages.append(1) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_template_reaches_neither_python_nor_what_it_was_given(template: str) -> None:
    with pytest.raises(FAILURES):
        compile_template(template).text(values())
    assert len(TALK) == 2


@pytest.mark.parametrize("template", ["{% for %}", "{{ x | no_filter }}", " " * (LONGEST + 1), "{{ " + "[" * 20_000])
def test_what_is_no_template_is_refused_before_it_runs(template: str) -> None:
    with pytest.raises(ModelError, match="cannot be used"):
        compile_template(template)


def test_a_long_conversation_may_make_more_and_take_longer() -> None:
    """5 million characters: more than UNITS, which are for what a short conversation needs."""
    long = [{"role": "user", "content": "a" * 5_000_000}]
    template = "{% for m in messages %}{{ m.content ~ '.' }}{% endfor %}"
    assert len(compile_template(template).text(values(messages=long))) == 5_000_001

"""Chat templates that run for ever, fill the memory or reach for Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from burnish.core.errors import BurnishError
from burnish.core.records import Message
from burnish.render.renderer import make_renderer
from tests.bad_inputs.case import Case, Limits, Made, Refused, must
from tests.tiny import TEMPLATE, make_tokenizer

TALK = (Message("user", "How long does it take?"), Message("assistant", "Three days."))
GOOD_REQUESTS = 20
SLOWER = 2.0

TWICE = "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40
OTHER = TWICE.replace("set x", "set y").replace("[x, x]", "[y, y]")
HOSTILE = {
    "a loop three levels deep": "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "a loop that makes nothing, over lists of lists": "{% set r = range(100000) %}{% for a in r %}"
    "{% set x = r|list|sort|reverse|list %}{% endfor %}",
    "text that doubles": "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "text that doubles by plus, in a straight line": "{% set x = 'ab' %}" + "{% set x = x + x %}" * 60,
    "ten thousand million letters": "{{ 'a' * 10000000000 }}",
    "a number of ten thousand million digits": "{{ 10 ** (10 ** 10) }}",
    "squares of squares": "{% set x = 9 ** 99 %}" + "{% set x = x * x %}" * 40,
    "a field as wide as the memory": "{{ '%3000000000d' % 1 }}",
    "a format method as wide as the memory": "{{ 'a'.center(3000000000) }}{{ '{:3000000000}'.format(1) }}",
    "a filter as wide as the memory": "{{ 'a\nb'|indent(3000000000) }}",
    "JSON as wide as the memory": "{{ messages|tojson(indent=1000000000) }}",
    "a replacement between all letters": "{% set x = 'a' * 100000 %}{{ x.replace('', x) }}",
    "a list joined by a long text": "{% set x = 'a' * 100000 %}{{ range(100000)|join(x) }}",
    "lists in lists, to be written": TWICE + "{{ x }}",
    "lists in lists, to be compared": TWICE + OTHER + "{{ x == y }}",
    "a macro that calls itself twice": "{% macro f(n) %}{{ f(n - 1) }}{{ f(n - 1) }}{% endmacro %}{{ f(900) }}",
    "a loop that calls itself": "{% for x in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "a slow search in a long text": "{% set x = 'ab' * 1000000 %}{% for i in range(100000) %}"
    "{% set y = 'ba' * 20 ~ 'c' in x %}{% endfor %}",
    "the classes of Python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "Python through a format": "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
    "Python through the filter of attributes": "{{ messages|attr('__class__') }}",
    "Python through a namespace and a loop": "{{ namespace.__init__.__globals__ }}{{ loop.__init__ }}"
    "{{ cycler.__init__.__globals__.os.popen('touch canary').read() }}",
    "files by inclusion": "{% include '/etc/passwd' %}{% import 'os' as os %}",
    "brackets a hundred thousand deep": "{{ " + "(" * 45_000 + "1" + ")" * 45_000 + " }}",
}  # fmt: skip


def refused(template: str, folder: Path, rng: Random) -> Made:
    return Made("", Refused(["chat template"], (2, 3)), call=partial(render, template),
                limits=Limits(seconds=2.0, grown_bytes=64 << 20))  # fmt: skip


def render(template: str) -> None:
    """A hostile model is opened and asked, and a good one right after: it must be as quick as before."""
    good, hostile = make_tokenizer(), make_tokenizer()
    hostile.chat_template = template
    kind = make_renderer(good)
    before = slowest(lambda: kind.prompt(TALK[:1]))
    error: BurnishError | None = None
    try:
        make_renderer(hostile).prompt(TALK[:1])
    except BurnishError as found:
        error = found
    after = min(slowest(lambda: kind.prompt(TALK[:1])) for _ in range(3))  # the machine has other work, too
    must(after <= SLOWER * before + 0.001, f"from {before:.5f} to {after:.5f} s a request")
    must(kind.template == TEMPLATE, "the good template is another one now")
    if error is not None:
        raise error


def slowest(ask: Callable[[], object]) -> float:
    """Seconds of the slowest but one of 20 requests: the 95th percentile."""
    took = []
    for _ in range(GOOD_REQUESTS):
        started = perf_counter()
        ask()
        took.append(perf_counter() - started)
    return sorted(took)[-2]


CASES = tuple(Case(f"a chat template with {what}", partial(refused, template)) for what, template in HOSTILE.items())

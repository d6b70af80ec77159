"""The operations of a chat template that can make much of little: each asks the meter before it does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateError
from jinja2.filters import do_indent, make_attrgetter

from burnish.render.meter import Meter, check_bits, too_costly, weight

# Filters of Jinja's that make no more than they are given. Those that no chat template needs are left out.
PLAIN = """
    abs capitalize count d default dictsort e escape first float groupby int items last length list lower map max min
    reject rejectattr reverse safe select selectattr sort string title trim unique upper"""
WIDEST_INDENT = 16
WIDE = re.compile(r"\*|\d{4}|:[^{}]*\{")  # in a format: widths that fill the memory


@dataclass(frozen=True)
class Operations:
    """`meter` gives that of the rendering which goes on."""

    meter: Callable[[], Meter]
    environment: Environment

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Under the names that templates use."""
        own = (self.format, self.indent, self.join, self.replace, self.sum, self.tojson)
        return {function.__name__: function for function in own}

    def ask(self, operator: str, left: Any, right: Any) -> None:
        """Raises ModelError: `left operator right` would be too large, or too slow."""
        meter = self.meter()
        meter.step()
        if operator == "*":
            for one, times in ((left, right), (right, left)):
                if isinstance(times, int) and isinstance(one, str | list | tuple):
                    meter.room(len(one) * max(times, 0))
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            check_bits(left.bit_length() * max(right, 0))
        elif operator == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
            meter.room(len(left) + len(right))
        elif operator == "%" and isinstance(left, str):
            self.ask_format(left, right)

    def ask_format(self, form: str, values: Any) -> None:
        """Raises ModelError: a format has wide fields, or widths that are worked out."""
        if WIDE.search(form):
            raise too_costly("a format with a large width")
        meter = self.meter()
        meter.room(len(form) + (form.count("%") + form.count("{")) * (weight(values, meter.left) + 1000))

    def format(self, value: Any, *args: Any, **kwargs: Any) -> str:
        """As Jinja's filter."""
        form, values = str(value), kwargs or args
        self.ask_format(form, values)
        return self.meter().kept(form % values)

    def joined(self, parts: Iterable[str]) -> str:
        """Texts one after another."""
        parts = list(parts)
        self.meter().spend(sum(map(len, parts)))
        return "".join(parts)

    def join(self, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
        """As Jinja's filter."""
        texts, meter = [], self.meter()
        for item in value if attribute is None else map(make_attrgetter(self.environment, attribute), value):
            texts.append(str(item))
            meter.step()
            meter.spend(len(texts[-1]) + len(d))
        return str(d).join(texts)

    def replace(self, text: Any, old: str, new: str, count: int | None = None) -> str:
        """As Jinja's filter, and as Python's method."""
        whole, meter = str(text), self.meter()
        meter.step()
        meter.room(len(whole) + whole.count(old) * len(new))
        return meter.kept(whole.replace(old, new, -1 if count is None else count))

    def indent(self, text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
        """As Jinja's filter."""
        text, meter = str(text), self.meter()
        wide = len(width) if isinstance(width, str) else width
        meter.step()
        meter.room(wide + len(text) + wide * len(text.splitlines()))
        return meter.kept(str(do_indent(text, width, first, blank)))

    def sum(self, values: Iterable[Any], attribute: str | int | None = None, start: float = 0) -> float:
        """As Jinja's filter, of numbers."""
        total = start
        for value in values if attribute is None else map(make_attrgetter(self.environment, attribute), values):
            self.meter().step()
            if not isinstance(value, int | float) or not isinstance(total, int | float):
                raise TemplateError("`sum` adds numbers up")
            total = self.meter().kept(total + value)
        return total

    def tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """JSON with the options that transformers gives to templates."""
        wide = [indent if isinstance(indent, int) else len(indent or "")] + [len(one) for one in separators or ()]
        if max(wide) > WIDEST_INDENT:
            raise too_costly("JSON with a large indent")
        meter = self.meter()
        meter.step()
        meter.room(weight(value, meter.left))
        return meter.kept(
            json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        )

"""Chat templates are programs of strangers: Jinja's sandbox, an allow-list of operations, and a meter on each of them.

Jinja's own sandbox keeps a template from reaching Python. It does not keep it from running for ever or from filling the
memory; here loops, macros and calls are steps, and what makes texts, lists and numbers asks before it does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from types import BuiltinFunctionType
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from burnish.render.meter import Meter
from burnish.render.sandbox_filters import PLAIN, Operations

TEXT_METHODS = """
    capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace
    istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit rstrip
    split splitlines startswith strip swapcase title upper"""
METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, frozenset(TEXT_METHODS.split())),
    (dict, frozenset({"copy", "get", "items", "keys", "values"})),
    (list, frozenset({"copy", "count", "index"})),
    (tuple, frozenset({"count", "index"})),
    (int, frozenset({"bit_length", "is_integer"})),
    (float, frozenset({"is_integer"})),
    (bytes, frozenset()),
)
LONGEST_TIME_FORMAT = 200


class Generation(Extension):
    """`{% generation %}…{% endgeneration %}` marks what an assistant says. It is read past."""

    tags = {"generation"}  # noqa: RUF012 - the name and the type are Jinja's

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)


class Box(Namespace):
    """Jinja's `namespace` without names that reach for Python's insides. It is not written out, as boxes may nest."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        box, first = args[0], dict(*args[1:], **kwargs)
        Namespace.__init__(box)
        for name, value in first.items():
            box[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"a namespace takes no {name!r}")
        super().__setitem__(name, value)

    def __repr__(self) -> str:
        return "<namespace>"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's hooks. Each asks the meter of the rendering that goes on in this thread."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # or constants would be worked out before there is a meter
            extensions=[Generation, loopcontrols],
            finalize=self._written,
        )
        self._here = threading.local()
        self._own = own = Operations(lambda: self.meter, self)
        plain: dict[str, Any] = dict(self.filters)
        self.filters = {name: self._metered(plain[name]) for name in PLAIN.split()} | own.filters()
        self.filters |= {"_step": self._step, "_kept": self._kept, "_concat": self._concat}
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {name: self._metered(test) for name, test in tests.items()}
        self.globals = {
            "range": self.globals["range"],
            "dict": _make_dict,
            "namespace": Box,
            "raise_exception": _refuse,
            "strftime_now": _time_now,
        }
        self.concat = own.joined  # type: ignore[method-assign]  # Jinja's is a method of the empty text

    @property
    def meter(self) -> Meter:
        """That of the rendering in this thread."""
        meter: Meter = self._here.meter
        return meter

    def begin(self, given: object) -> None:
        """A new allowance, for a rendering in this thread."""
        self._here.meter = Meter(given)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Of plain values only those methods that cannot make much of little."""
        for kind, allowed in METHODS:
            if isinstance(obj, kind):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`"…".format`, where its fields are not wide."""
        made = super().wrap_str_format(value)
        if made is None:
            return None

        @wraps(made)
        def run(*args: Any, **kwargs: Any) -> str:
            self._own.ask_format(value.__self__, [*args, *kwargs.values()])
            return made(*args, **kwargs)

        return run

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja's names
        meter = __self.meter
        meter.step()
        if isinstance(__obj, BuiltinFunctionType) and isinstance(text := __obj.__self__, str):
            if __obj.__name__ == "replace":
                return __self._own.replace(text, *args, **kwargs)
            if __obj.__name__ == "join":
                return __self._own.join(args[0] if args else (), text)
        return meter.kept(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Two short texts are the ordinary case."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.meter.kept(left + right)
        self._own.ask(operator, left, right)
        return self.meter.kept(super().call_binop(context, operator, left, right))

    def _metered(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter or test of Jinja's that counts as a step and pays for what it makes."""

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            self.meter.step()
            return self.meter.kept(function(*args, **kwargs))

        return run

    def _step(self, value: Any, count: int = 1) -> Any:
        self.meter.step(count)
        return value

    def _kept(self, value: Any) -> Any:
        self.meter.step()
        return self.meter.kept(value)

    def _written(self, value: Any) -> str:
        """What `{{ value }}` writes."""
        text = value if isinstance(value, str) else str(value)
        self.meter.spend(len(text) + 8)
        return text

    def _concat(self, parts: Iterable[Any]) -> str:
        return self._own.joined(map(self._written, parts))


def _make_dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _time_now(form: str) -> str:
    if len(form) > LONGEST_TIME_FORMAT:
        raise TemplateError("the format of the time is too long")
    return datetime.now().strftime(form)

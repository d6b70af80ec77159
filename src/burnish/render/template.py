"""A chat template, compiled once, that turns conversations into text within limits of time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.visitor import NodeTransformer

from burnish.core.errors import ModelError
from burnish.render.sandbox import Sandbox

LONGEST = 100_000  # characters of a template; the longest in use have some 30,000
KEPT = 16  # compiled templates
# What a hostile template may end in, beside Jinja's own errors.
FAILURES = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class ChatTemplate:
    """Raises from `text` what the template raises (FAILURES), and ModelError where it goes beyond its limits."""

    sandbox: Sandbox
    program: Template

    def text(self, values: dict[str, Any]) -> str:
        """What the template makes of these values, which are plain data."""
        self.sandbox.begin(values)
        return self.program.render(values)


@lru_cache(maxsize=KEPT)
def compile_template(source: str) -> ChatTemplate:
    """Raises ModelError: it is no Jinja, or longer or deeper than any chat template."""
    if len(source) > LONGEST:
        raise _unusable(f"{len(source)} characters")
    sandbox = Sandbox()
    try:
        tree = _Metering().visit(sandbox.parse(source))
        tree.set_lineno(1).set_environment(sandbox)
        return ChatTemplate(sandbox, sandbox.from_string(tree))
    except (TemplateError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unusable(str(error)[:120] or type(error).__name__) from error


def _unusable(seen: str) -> ModelError:
    return ModelError(
        "The model's chat template cannot be used.",
        where="the chat template of the model's tokenizer",
        seen=seen,
        next_move="copy tokenizer_config.json or chat_template.jinja of the model again, or use another model",
    )


class _Metering(NodeTransformer):
    """Puts a step into the body of each loop, macro and block, and around what compares, cuts, lists and joins."""

    def __init__(self) -> None:
        self.nodes = 0

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        before = self.nodes
        self.nodes += 1
        node = super().generic_visit(node, *args, **kwargs)
        if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
            node.body.insert(0, nodes.ExprStmt(_filtered(nodes.Const(None), "_step", nodes.Const(self.nodes - before))))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja's names, as those below
        return _filtered(self.generic_visit(node), "_step")

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes), "_concat")

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_kept") if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List | nodes.Tuple | nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        plain = all(isinstance(item, nodes.Const) for item in node.items)
        return node if plain or (isinstance(node, nodes.Tuple) and node.ctx != "load") else _filtered(node, "_kept")

    visit_Tuple = visit_Dict = visit_List


def _filtered(node: nodes.Node, name: str, *args: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None)

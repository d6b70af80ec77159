"""The Python reference: the public objects, and per folder what other folders import from it."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from pathlib import Path

from docs_tools.layers import LAYERS, SOURCE
from docs_tools.markdown import page

WIDEST = 100
PUBLIC = "burnish.pipeline.api"
Definition = ast.FunctionDef | ast.ClassDef
Names = dict[str, set[str]]  # module → names


def api_page() -> str:
    """The page of signatures."""
    used = names_used_across(SOURCE)
    sections = [_public()]
    for layer in reversed(LAYERS):
        for folder in layer:
            modules = sorted(module for module in used if module.split(".")[1] == folder and module != PUBLIC)
            found = [text for module in modules for text in _module(module, used[module])]
            if found:
                sections += [f"## `burnish.{folder}`", *found]
    return page(
        "Python reference",
        "First what users call: `burnish.run`, `burnish.load` and `burnish.Run`. Then, per folder, the functions and "
        "classes that other folders use. They are for those who read or change Burnish and may change with it.",
        *sections,
    )


def _public() -> str:
    tree = _tree(PUBLIC)
    wanted = [node for node in tree.body if isinstance(node, Definition) and node.name in ("run", "load", "Run")]
    texts = [
        _entry(node, "burnish") for node in sorted(wanted, key=lambda node: ("run", "load", "Run").index(node.name))
    ]
    methods = [
        _entry(node, "Run")
        for one in wanted
        if isinstance(one, ast.ClassDef)
        for node in one.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    return "\n\n".join(["## For users", *texts, *methods])


def names_used_across(source: Path) -> Names:
    """module → the names in it that files of another folder import."""
    used: Names = defaultdict(set)
    for path in sorted(source.glob("*/**/*.py")):
        folder = path.relative_to(source).parts[0]
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("burnish."):
                continue
            module = str(node.module)
            if module.split(".")[1] == folder:
                continue
            for alias in node.names:
                if (source.parent / Path(*module.split("."), f"{alias.name}.py")).is_file():
                    used[f"{module}.{alias.name}"] |= _attributes(tree, alias.asname or alias.name)
                else:
                    used[module].add(alias.name)
    return used


def _attributes(tree: ast.AST, name: str) -> set[str]:
    """What a file uses of a module that it imported whole."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


def _tree(module: str) -> ast.Module:
    path = SOURCE.parent / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text("utf-8"))


def _module(module: str, names: set[str]) -> list[str]:
    """The functions and classes of a module among `names`, in the order of the file."""
    return [_entry(node, module) for node in _tree(module).body if isinstance(node, Definition) and node.name in names]


def _entry(node: Definition, owner: str) -> str:
    about = inspect.cleandoc(ast.get_docstring(node) or "").split("\n\n")[0]
    text = signature(node) if isinstance(node, ast.FunctionDef) else _class_text(node)
    return f"```python\n# {owner}\n{text}\n```\n\n{about}".rstrip()


def signature(node: ast.FunctionDef) -> str:
    """`def name(…) -> …` on one line, or a line a parameter where that is too wide."""
    before = "".join(f"@{ast.unparse(one)}\n" for one in node.decorator_list)
    arguments = ast.unparse(node.args)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"def {node.name}({arguments}){returns}"
    if len(line) <= WIDEST:
        return before + line
    return before + f"def {node.name}(\n    " + ",\n    ".join(_parts(arguments)) + f",\n){returns}"


def _parts(arguments: str) -> list[str]:
    """A list of arguments cut at its outer commas."""
    parts, depth = [""], 0
    for character in arguments:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _class_text(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    fields = [
        f"    {one.target.id}: {ast.unparse(one.annotation)}"
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not one.target.id.startswith("_")
    ]
    return "\n".join([f"class {node.name}({bases}):" if bases else f"class {node.name}:", *(fields or ["    ..."])])

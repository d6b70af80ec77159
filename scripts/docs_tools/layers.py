"""Which folder imports which, read from the source, and the layers that they form."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from docs_tools.markdown import code, page, table

SOURCE = Path(__file__).parents[2] / "src" / "burnish"
# From the ground up; within a layer from left to right in the picture.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("graders", "render", "model"),
    ("data", "generate", "adapt", "objectives", "guards"),
    ("evals", "deploy", "train"),
    ("recipe",),
    ("pipeline",),
    ("server",),
    ("cli",),
)
PURPOSE = {
    "core": "errors, records, files, run folder",
    "graders": "(answer, expected) → scores",
    "render": "messages → token ids and weights",
    "model": "folder, GGUF → decoder; forest",
    "data": "files → train, dev, test, card",
    "generate": "prompts → answers, log-probabilities",
    "adapt": "what trains; merge; adapter files",
    "objectives": "rows → forests and loss terms",
    "guards": "further terms against forgetting",
    "evals": "answers of arms → verdict, report",
    "deploy": "merged, GGUF, parity, card",
    "train": "the loop, checkpoints, guards",
    "recipe": "one closed schema over all settings",
    "pipeline": "the stages in order; the Python API",
    "server": "the arena's page over HTTP",
    "cli": "the verbs",
}
Imports = Mapping[str, Mapping[str, int]]


def layer_of(folder: str) -> int:
    """0 for the ground."""
    return next(number for number, folders in enumerate(LAYERS) if folder in folders)


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def read_imports(source: Path = SOURCE) -> dict[str, dict[str, int]]:
    """folder → folder → number of import statements between them."""
    found: dict[str, dict[str, int]] = {path.name: {} for path in sorted(source.iterdir()) if _is_folder(path)}
    for folder, targets in found.items():
        for path in sorted((source / folder).rglob("*.py")):
            for module in imported_modules(ast.parse(path.read_text("utf-8"))):
                package, _, rest = module.partition(".")
                target = rest.split(".")[0]
                if package == "burnish" and target in found and target != folder:
                    targets[target] = targets.get(target, 0) + 1
    return found


def _is_folder(path: Path) -> bool:
    return (path / "__init__.py").is_file()


def direct(imports: Imports) -> set[tuple[str, str]]:
    """The arrows that remain when those that follow from a longer way are left out."""
    return {
        (folder, target)
        for folder, targets in imports.items()
        for target in targets
        if not any(target in _reachable(imports, other) for other in targets if other != target)
    }


def _reachable(imports: Imports, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in imports[waiting.pop()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def layers_page(imports: Imports) -> str:
    """The table behind the picture."""
    rows = [
        (str(number), code(folder), PURPOSE[folder], ", ".join(map(code, sorted(imports[folder]))))
        for number, folders in reversed(list(enumerate(LAYERS)))
        for folder in folders
    ]
    return page(
        "Layers",
        "Imports point downwards only, never up and never sideways within a layer. The picture leaves out an arrow "
        "that follows from others; the table has all of them.",
        "![Layers and their imports](layers.svg)",
        table(["layer", "folder", "is", "imports"], rows),
    )

"""Imports only point downwards, folders of one layer never meet, and a few doors stay shut."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "burnish"
LAYERS = (
    ("core",),
    ("render", "model", "graders"),
    ("data", "generate", "objectives", "adapt", "guards"),
    ("train", "evals", "deploy"),
    ("recipe", "planner"),
    ("pipeline",),
    ("server", "web"),
    ("cli",),
)
HEIGHT = {folder: height for height, layer in enumerate(LAYERS) for folder in layer}
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, wherever it stands; `from a import b` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            assert not node.level, "relative imports hide their folder"


def calls(tree: ast.AST) -> Iterator[tuple[int, str, ast.Call]]:
    """(line, dotted name, call) of every call by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


def test_every_folder_has_a_layer() -> None:
    folders = {path.relative_to(PACKAGE).parts[0] for path in FILES if path.parent != PACKAGE}
    assert folders <= set(HEIGHT)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_only_point_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    if own not in HEIGHT:
        pytest.skip("the package's own front door may import what it shows")
    for line, module in imported(ast.parse(path.read_text("utf-8"))):
        parts = module.split(".")
        if parts[0] != "burnish" or parts[1] == own or parts[1] not in HEIGHT:
            continue
        assert HEIGHT[parts[1]] < HEIGHT[own], f"{path.name}:{line} of {own} imports {module}, which is not below it"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_but_the_world_names_the_other_processes(path: Path) -> None:
    if path.relative_to(PACKAGE) == Path("core/world.py"):
        return
    tree = ast.parse(path.read_text("utf-8"))
    assert not [line for line, module in imported(tree) if module.startswith("torch.distributed")]
    named = [node.lineno for node in ast.walk(tree)
             if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.distributed"]  # fmt: skip
    assert not named


SHUT_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
SHUT_CALLS = {
    "eval", "exec", "compile", "__import__", "torch.load", "numpy.load", "np.load", "yaml.load", "yaml.unsafe_load",
    "yaml.full_load", "os.system", "os.popen",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_is_run_that_was_read(path: Path) -> None:
    """No pickle, no code made of text, no shell: a model or a data file can only be data."""
    tree = ast.parse(path.read_text("utf-8"))
    for line, module in imported(tree):
        assert module.split(".")[0] not in SHUT_MODULES, f"{path.name}:{line} imports {module}"
        assert module not in SHUT_CALLS, f"{path.name}:{line} imports {module}"
    for line, name, call in calls(tree):
        assert name not in SHUT_CALLS, f"{path.name}:{line} calls {name}"
        for keyword in call.keywords:
            opens = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            assert not (keyword.arg in ("shell", "trust_remote_code", "allow_pickle") and opens), f"{path.name}:{line}"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_yaml_is_read_in_one_place(path: Path) -> None:
    readers = ("core/settings.py",)
    if str(path.relative_to(PACKAGE)) in readers:
        return
    read = [name for _, name, _ in calls(ast.parse(path.read_text("utf-8"))) if name.startswith("yaml.")]
    assert set(read) <= {"yaml.safe_dump"}


def test_settings_are_light() -> None:
    """Each folder's settings import nothing heavy, and no file of the package but other settings and core."""
    light = {"burnish", "pydantic", "typing", "__future__", "collections", "pathlib", "re", "math"}
    for path in PACKAGE.glob("*/settings.py"):
        for line, module in imported(ast.parse(path.read_text("utf-8"))):
            assert module.split(".")[0] in light | {"difflib", "types", "dataclasses", "yaml"}, f"{path}:{line}"


PAGES = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".js", ".html", ".j2"))
SHUT_WORDS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "| safe",
    "|safe",
)


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_pages_show_texts_as_texts(path: Path) -> None:
    """Nothing that a model or a data file says becomes markup."""
    text = path.read_text("utf-8")
    assert not [word for word in SHUT_WORDS if word in text]

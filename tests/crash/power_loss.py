"""K2, without power: what may be on the disk when writes and names that were not synced are lost.

A model of a disk that promises no more than POSIX does: a file's bytes are safe after fsync of the file, a name after
fsync of its folder; before that each may be lost or kept on its own, in any combination (after "All File Systems Are
Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.crash.disk_calls import Call


@dataclass
class File:
    """`safe` bytes survive; of `now`, any part after them may be missing."""

    now: bytes = b""
    safe: bytes = b""


@dataclass
class Folder:
    """Names → what they mean, with the changes of names that are not synced yet, each of them atomic."""

    now: dict[str, Node] = field(default_factory=dict)
    safe: dict[str, Node] = field(default_factory=dict)
    pending: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, names: dict[str, Node | None]) -> None:
        self.pending.append(names)
        _apply(self.now, names)


Node: TypeAlias = "File | Folder"
Content: TypeAlias = "dict[str, bytes | None]"  # path → bytes, None for a folder


def _apply(names: dict[str, Node], changed: dict[str, Node | None]) -> None:
    for name, node in changed.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """Calls in, possible contents after a loss of power out."""

    def __init__(self, root: Path) -> None:
        self.root_path = root
        self.root = Folder()

    def _find(self, path: Path) -> Node | None:
        node: Node | None = self.root
        for part in path.relative_to(self.root_path).parts:
            node = node.now.get(part) if isinstance(node, Folder) else None
        return node

    def _folder(self, path: Path) -> Folder:
        found = self._find(path)
        assert isinstance(found, Folder), path
        return found

    def do(self, call: Call) -> None:
        """One change, if it was one: making what is there, or removing what is not, changes nothing."""
        parent = self._find(call.path.parent) if call.path != self.root_path else None
        node = self._find(call.path)
        if call.name in ("create", "mkdir"):
            self._make(call, parent, node)
        elif node is not None:
            self._change(call, parent, node)

    def _make(self, call: Call, parent: Node | None, node: Node | None) -> None:
        if isinstance(node, File) and call.name == "create":
            node.now = b""
        elif isinstance(parent, Folder) and node is None:
            parent.change({call.path.name: File() if call.name == "create" else Folder()})

    def _change(self, call: Call, parent: Node | None, node: Node) -> None:
        if call.name == "write" and isinstance(node, File):
            node.now += call.data
        elif call.name == "fsync" and isinstance(node, File):
            node.safe = node.now
        elif call.name == "fsync" and isinstance(node, Folder):
            node.safe, node.pending = dict(node.now), []
        elif call.name in ("unlink", "rmdir") and isinstance(parent, Folder):
            parent.change({call.path.name: None})
        elif call.name == "rename" and isinstance(parent, Folder) and call.to is not None:
            assert call.to.parent == call.path.parent, "a rename between folders is not modelled"
            parent.change({call.path.name: None, call.to.name: node})

    def doubts(self) -> list[object]:
        """Everything that may or may not be on the disk: unsynced files, and unsynced changes of names."""
        found: list[object] = []

        def visit(node: Node) -> None:
            if isinstance(node, File):
                if node.now != node.safe and not any(node is other for other in found):
                    found.append(node)
                return
            found.extend(node.pending)
            children = [*node.safe.values(), *node.now.values()]
            children += [child for changed in node.pending for child in changed.values() if child is not None]
            for child in {id(child): child for child in children}.values():
                visit(child)

        visit(self.root)
        return found

    def content(self, kept: set[int], halves: bool) -> Content:
        """What is on the disk when of all doubts only those with these ids were kept.

        A file that is not kept has its safe bytes; with `halves`, half of what came after them too.
        """
        found: Content = {}

        def visit(node: Node, path: str) -> None:
            if isinstance(node, File):
                found[path] = node.now if node.now == node.safe or id(node) in kept else _torn(node, halves)
                return
            names = dict(node.safe)
            for changed in node.pending:
                if id(changed) in kept:
                    _apply(names, changed)
            for name, child in names.items():
                if isinstance(child, Folder):
                    found[f"{path}{name}/"] = None
                visit(child, f"{path}{name}" + ("/" if isinstance(child, Folder) else ""))

        visit(self.root, "")
        return found


def _torn(file: File, half: bool) -> bytes:
    if not file.now.startswith(file.safe):  # written anew
        return file.now[: len(file.now) // 2] if half else b""
    return file.now[: (len(file.safe) + len(file.now)) // 2] if half else file.safe


def contents(disk: Disk, dice: random.Random, more: int) -> Iterator[Content]:
    """All lost, all kept, each alone lost, each alone kept, and `more` sets by chance; torn files empty and half."""
    doubts = [id(doubt) for doubt in disk.doubts()]
    choices = [set[int](), set(doubts)]
    choices += [{doubt} for doubt in doubts]
    choices += [set(doubts) - {doubt} for doubt in doubts]
    choices += [{doubt for doubt in doubts if dice.random() < 0.5} for _ in range(more if len(doubts) > 1 else 0)]
    for kept in choices:
        for halves in (False, True):
            yield disk.content(kept, halves)


def materialise(content: Content, folder: Path) -> None:
    """Writes a content into an empty folder."""
    folder.mkdir(parents=True)
    for name, data in content.items():
        path = folder / name
        if data is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(data)


def crashes(calls: Sequence[Call], root: Path, seed: int, more: int) -> Iterator[tuple[int, Content]]:
    """(number of calls done, content of the disk) for a loss of power after each call; equal contents once a call."""
    disk, dice, known = Disk(root), random.Random(seed), set[tuple[tuple[str, bytes | None], ...]]()
    for done, call in enumerate(calls, start=1):
        disk.do(call)
        if call.name == "saved":
            known.clear()  # from here on the same content must satisfy more
        for content in contents(disk, dice, more):
            key = tuple(sorted(content.items()))
            if key not in known:
                known.add(key)
                yield done, content

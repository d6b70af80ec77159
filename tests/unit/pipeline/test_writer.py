from pathlib import Path

import pytest

from burnish.core.asking import Asked
from burnish.core.errors import ModelError
from burnish.core.files import sha256_of_tree
from burnish.core.records import Message
from burnish.core.world import single_world
from burnish.pipeline.writer import local_writer


def request(text: str, temperature: float = 30.0) -> Asked:
    return Asked((Message("user", text),), 12, temperature, seed=1)


def test_a_model_on_this_machine_is_known_by_its_files_and_answers(tiny_folder: Path) -> None:
    writer = local_writer(tiny_folder.name, tiny_folder.parent, single_world())
    assert writer.model.to_json() == {"name": tiny_folder.name, "sha256": sha256_of_tree(tiny_folder)}
    one, other, same = writer.ask([request("the sky"), request("grass"), request("the sky")])
    assert one.text
    assert one == same != other


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        local_writer("absent.gguf", tmp_path, single_world())

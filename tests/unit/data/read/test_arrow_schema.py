"""What Arrow files say about their columns. There is no pyarrow here: a schema that it wrote stands below."""

import base64
import json
import random
from io import BytesIO
from pathlib import Path

import polars
import pytest

from burnish.core.records import Chat
from burnish.core.run_folder import RunFolder
from burnish.data.layout.label_names import label_names
from burnish.data.prepare import prepare
from burnish.data.read.arrow_schema import FILE_MAGIC, schema_metadata
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from burnish.render.batch import Length

# text: large_string, label: int64, and the metadata that `datasets` writes for a ClassLabel (bug, wish).
SCHEMA = base64.b64decode(
    "/////2gBAAAQAAAAAAAKAA4ABgAFAAgACgAAAAABBAAQAAAAAAAKAAwAAAAEAAgACgAAALwAAAAEAAAAAQAAAAwAAAAIAAwABAAI"
    "AAgAAACQAAAABAAAAIMAAAB7ImluZm8iOiB7ImZlYXR1cmVzIjogeyJ0ZXh0IjogeyJkdHlwZSI6ICJzdHJpbmciLCAiX3R5cGUi"
    "OiAiVmFsdWUifSwgImxhYmVsIjogeyJuYW1lcyI6IFsiYnVnIiwgIndpc2giXSwgIl90eXBlIjogIkNsYXNzTGFiZWwifX19fQAL"
    "AAAAaHVnZ2luZ2ZhY2UAAgAAAFAAAAAEAAAAyP///wAAAQIQAAAAIAAAAAQAAAAAAAAABQAAAGxhYmVsAAAACAAMAAgABwAIAAAA"
    "AAAAAUAAAAAQABQACAAGAAcADAAAABAAEAAAAAAAARQQAAAAHAAAAAQAAAAAAAAABAAAAHRleHQAAAAABAAEAAQAAAA="
)


def stream(rows: int) -> bytes:
    """The schema of pyarrow, and polars' batch of the same columns behind it."""
    out = BytesIO()
    frame = polars.DataFrame({"text": [f"Ticket {n}" for n in range(rows)], "label": [n % 2 for n in range(rows)]})
    frame.write_ipc_stream(out, compat_level=polars.CompatLevel.oldest())
    content = out.getvalue()
    return SCHEMA + content[8 + int.from_bytes(content[4:8], "little") :]


@pytest.mark.parametrize("before", [b"", FILE_MAGIC], ids=["stream", "file"])
def test_the_schema_of_pyarrow_is_read(before: bytes) -> None:
    found = schema_metadata(BytesIO(before + SCHEMA))
    assert list(found) == ["huggingface"]
    assert json.loads(found["huggingface"])["info"]["features"]["text"] == {"dtype": "string", "_type": "Value"}
    assert label_names(found) == {"label": ("bug", "wish")}


def test_a_schema_without_keys_has_none() -> None:
    out = BytesIO()
    polars.DataFrame({"a": [1]}).write_ipc(out)
    assert schema_metadata(BytesIO(out.getvalue())) == {}


def test_damage_gives_nothing_or_another_text_and_never_an_error() -> None:
    rng = random.Random(0)
    for _ in range(2000):
        damaged = bytearray(SCHEMA)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
        schema_metadata(BytesIO(damaged[: rng.choice((len(damaged), rng.randrange(len(damaged))))]))


@pytest.mark.parametrize(("pairs", "found"), [(1, {"": "\0" * 100_000}), (1000, {})])
def test_values_that_all_point_to_one_long_text_are_not_read_again_and_again(pairs: int, found: dict[str, str]) -> None:
    """A vector of 1,000 pairs whose offsets lead to the same text of 100 KB would be 100 MB."""
    text = 100_000
    # Message at 16 (its fields' offsets at 4), Schema at 40 (28), the vector at 48, one pair at 4,072 (4,064).
    content = bytearray(4096 + 4 + text)

    def put(place: int, *numbers: int, size: int = 4) -> None:
        for at, number in enumerate(numbers):
            content[place + size * at : place + size * (at + 1)] = number.to_bytes(size, "little")

    put(0, 16)
    put(4, 10, 0, 0, 0, 4, size=2)  # the table `Message`: its third field stands 4 bytes into it
    put(16, 12, 20)
    put(28, 10, 0, 0, 0, 4, size=2)  # the table `Schema`, likewise
    put(40, 12, 4)
    put(48, pairs)
    for place in range(pairs):
        put(52 + 4 * place, 4072 - (52 + 4 * place))
    put(4060, 8, 0, 0, 8, size=2)  # no key
    put(4072, 12, 0, 16)
    put(4096, text)
    head = b"\xff\xff\xff\xff" + len(content).to_bytes(4, "little")
    assert schema_metadata(BytesIO(head + content)) == found


def test_numbered_labels_of_an_arrow_stream_get_their_names_and_the_card_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.arrow").write_bytes(stream(60))
    folder = RunFolder(tmp_path / "run")
    card = prepare(
        DataSettings(train="t.arrow"), folder, base=tmp_path, seed=0, context=100, say=lambda text: None,
        lengths_of=lambda rows: (Length(9, 4) for _ in rows),
    )  # fmt: skip
    assert {row.answer for row in read_rows(folder.train) if isinstance(row, Chat)} == {"bug", "wish"}
    assert card.sources[0].notes == ("it names its 2 numbered labels: bug, wish",)

import numpy as np

from burnish.core.records import Chat, Message, Text
from burnish.data.duplicates.cluster import clusters, near_duplicates
from burnish.data.duplicates.near import near_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from burnish.data.group import with_groups
from tests.unit.data.duplicates.planting import chat, everything, fingerprinted

SETTINGS = DuplicateSettings()
LONG = "in autumn the leaves of the old trees in the park fall slowly on the wet ground"


def turns(*texts: str) -> Chat:
    return Chat(repr(texts), tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)))


def partition(values: list[object]) -> list[int]:
    return [values.index(value) for value in values]


def test_rows_that_ask_the_same_are_grouped_as_in_memory() -> None:
    rows = [
        turns("hi", "a"),
        turns("hi", "b", "more", "c"),
        turns("hi", "b", "else", "c"),
        turns("Hi!", "other"),
        turns("x", "b", "more", "c"),
        Text("t", "One text."),
        Text("u", "one text"),
        turns("y", "b", "z", "c"),
        turns("y", "b", "w", "c"),
    ]
    fingerprints = fingerprinted(rows)
    found = clusters(fingerprints, None, everything(fingerprints))
    assert partition(found.cluster_N.tolist()) == partition([row.group for row in with_groups(rows, "train")])


def test_near_duplicates_are_chained_and_named_by_content() -> None:
    rows = [chat(LONG, "a"), chat("hi", "b"), chat(LONG.replace("wet", "dry"), "a")]
    rows.append(chat(rows[2].messages[0].content.replace("old", "new"), "a"))
    for order in ([0, 1, 2, 3], [3, 0, 2, 1]):
        fingerprints = fingerprinted(rows[place] for place in order)
        found = clusters(fingerprints, near_pairs(fingerprints, SETTINGS), everything(fingerprints))
        names = [int(found.name_N[order.index(place)]) for place in range(4)]
        assert partition(names) == [0, 1, 0, 0]
        if order[0] == 0:
            first = names
        assert names == first


def test_rows_of_other_parts_tie_nothing_together_and_hide_nothing() -> None:
    # row 0 is not among them; rows 1 and 3 say the same as it, so row 2 is near row 1 all the same
    rows = [chat(LONG, "a"), chat(LONG.upper(), "a"), chat(LONG.replace("wet", "dry"), "a"), chat(LONG + "!", "a")]
    fingerprints = fingerprinted(rows)
    near = near_pairs(fingerprints, SETTINGS)
    found = clusters(fingerprints, near, np.array([False, True, True, True]))
    assert partition(found.cluster_N.tolist()) == [0, 1, 1, 1]
    alone = clusters(fingerprints, near, np.array([True, False, True, False]))
    assert partition(alone.cluster_N.tolist()) == [0, 1, 0, 3]


def test_data_of_one_template_is_not_one_cluster() -> None:
    rows = [chat(f"where is my order of {n} things, please", "late" if n % 2 else "lost") for n in range(300)]
    rows += [chat(LONG, "a"), chat(LONG + " then", "a")]
    fingerprints = fingerprinted(rows)
    near = near_pairs(fingerprints, SETTINGS)
    found = clusters(fingerprints, near, everything(fingerprints))
    assert len(near) > 300
    assert np.bincount(found.cluster_N).max() <= 60  # a fifth of 302
    assert (found.loosened, found.parted) == (300, 300)
    assert found.cluster_N[300] == found.cluster_N[301]


def test_one_prompt_in_all_rows_stays_one_cluster() -> None:
    fingerprints = fingerprinted(chat("say something", f"word{n} and more of word{n}") for n in range(50))
    found = clusters(fingerprints, near_pairs(fingerprints, SETTINGS), everything(fingerprints))
    assert found.cluster_N.tolist() == [0] * 50


def test_a_row_is_left_out_only_for_one_that_stays() -> None:
    # 0 - 1 - 2 is a chain in which 0 and 2 are not near: 1 is left out for 0, and 2 stays
    words = [f"word{n}" for n in range(20)]
    middle = [*words[:3], *(f"other{n}" for n in range(3)), *words[6:]]
    last = [*middle[:10], *(f"third{n}" for n in range(3)), *middle[13:]]
    rows = [chat(" ".join(text), "a") for text in (words, middle, last, middle)]
    fingerprints = fingerprinted(rows)
    near = near_pairs(fingerprints, SETTINGS)
    assert near_duplicates(near, everything(fingerprints)).tolist() == [0, 0, 2, 0]
    assert near_duplicates(near, np.array([False, True, True, True])).tolist() == [0, 1, 1, 1]

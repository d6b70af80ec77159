import os
from pathlib import Path

from burnish.data.card import licences_beside
from burnish.data.card.facts import LicenceNote
from burnish.data.card.licence import LONGEST_QUOTE, MOST_NOTES


def test_what_stands_beside_the_data_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n", "utf-8")
    (tmp_path / "LICENSE.txt").write_text("\n  Attribution 4.0\n=====\n\n  International\nmore\n", "utf-8")
    (tmp_path / "SOURCE.md").write_text("# From\nfetched in May\nLicence: CC BY 4.0\n", "utf-8")
    (tmp_path / "license_plates.csv").write_text("no\n", "utf-8")
    (tmp_path / "sources.txt").write_text("nothing about it\n", "utf-8")
    found = licences_beside([tmp_path / "data.csv", tmp_path / "other.csv"])
    assert found[:2] == (
        LicenceNote("LICENSE.txt", "Attribution 4.0 International"),
        LicenceNote("SOURCE.md", "Licence: CC BY 4.0"),
    )


def test_a_folder_of_odd_files_neither_stops_nor_floods_the_card(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").mkdir()
    (tmp_path / "README").write_bytes(b"\xff\xfe licence \x00" + b"x" * 900_000)
    os.mkfifo(tmp_path / "COPYING")
    for number in range(20):
        (tmp_path / f"LICENSE-{number}").write_text("y" * 500, "utf-8")
    found = licences_beside([tmp_path / "data.csv"])
    assert len(found) == MOST_NOTES
    assert all(len(note.quote) <= LONGEST_QUOTE for note in found)


def test_no_folder_has_no_licence(tmp_path: Path) -> None:
    assert licences_beside([tmp_path / "none" / "data.csv"]) == ()

import numpy as np

from burnish.data.duplicates.words import SURROGATES, WordFile, spans, to_codes, word_hashes


def test_equal_words_have_equal_hashes_wherever_they_stand() -> None:
    one, two, three = word_hashes("the cat the"), word_hashes("cat"), word_hashes("")
    assert one[0] == one[2] != one[1]
    assert one[1] == two[0]
    assert len(three) == 0


def test_scripts_without_spaces_have_one_word_a_character() -> None:
    assert len(word_hashes("我喜欢猫 yes")) == 5
    assert len(word_hashes("straße über")) == 2


def test_half_a_character_is_no_error() -> None:
    assert len(word_hashes("a \ud800 b")) == 3


def test_codes_are_code_points_that_a_string_can_hold() -> None:
    codes = to_codes(word_hashes(" ".join(map(str, range(50_000)))))
    assert codes.max() < 0x110000
    assert not ((codes >= SURROGATES) & (codes < 0xE000)).any()
    assert len(codes.tobytes().decode("utf-32-le")) == 50_000
    assert len(np.unique(codes)) > 48_000  # 50,000 of 1.1 million places: about 1,100 share theirs


def test_rows_come_back_from_the_file() -> None:
    file = WordFile()
    file.append(np.array([1, 2, 3], np.uint32), np.array([2, 0, 1]))
    file.append(np.array([9], np.uint32), np.array([1]))
    words = file.finish()
    assert words.lengths.tolist() == [2, 0, 1, 1]
    assert words.read(0, 2).tolist() == [1, 2]
    assert words.read(2, 4).tolist() == [3, 9]
    assert [words.read(*span).tolist() for span in words.batches(2)] == [[1, 2, 3, 9]]


def test_spans_hold_as_much_as_fits_and_at_least_one_item() -> None:
    sizes = np.array([3, 4, 9, 0, 2, 5])
    assert [(span.start, span.stop) for span in spans(sizes, 7)] == [(0, 2), (2, 3), (3, 6)]
    assert list(spans(np.zeros(0, np.int64), 7)) == []

"""Encodings: what is taken as certain, what is said about it, and what a wrong byte costs."""

import json
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.data.read.text import LongLine, lines
from tests.unit.data.read.reading import Result, read

GERMAN = "Schöne Grüße aus Köln"
WESTERN = {
    "German": "Die Bücher wären größer als überhaupt möglich. Schöne Grüße aus Köln.",
    "French": "L'été dernier, nous avons mangé des crêpes près de la forêt, où le garçon était déjà.",
    "Spanish": "El niño pequeño comió más jamón en el café de la esquina; ¿qué pasó después?",
    "Portuguese": "A canção não é difícil, mas a informação está em português e não há solução.",
    "Finnish": "Ostin eilen kirjan kilpikonnista ja luin sitä koko illan hämärässä, yöllä väsyin.",
    "Estonian": "Ostsin eile raamatu kilpkonnadest, õhtul lugesin seda köögis ja ärkasin hilja.",
    "Danish": "Jeg købte en bog om skildpadder i går, og så læste jeg den på Østerbro.",
    "Dutch": "Hij heeft geen idee, één keer ging hij naar België voor een coördinaat.",
    "English": "It’s “the” best – don’t worry… it costs €5 (or £4½) at 20 °C.",
    "one word": "a café",
}
OTHERS = {
    "windows-1250 Polish": "Zażółć gęślą jaźń, proszę bardzo. Wczoraj byłem w mieście i kupiłem książkę.",
    "windows-1250 Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy. Včera jsem koupil knihu o želvách.",
    "windows-1250 Hungarian": "Árvíztűrő tükörfúrógép. Tegnap vettem egy könyvet a teknősökről.",
    "windows-1250 Croatian": "Jučer sam kupio knjigu o kornjačama, kuća je već stara, čovjek šuti.",
    "windows-1251 Russian": "Вчера я купил книгу о черепахах и читал её весь вечер дома.",
    "koi8-r Russian": "Вчера я купил книгу о черепахах и читал её весь вечер дома.",
    "windows-1253 Greek": "Χθες αγόρασα ένα βιβλίο για τις χελώνες και το διάβασα.",
    "windows-1254 Turkish": "Türkçe öğrenmek kolay değildir, çalışmak gerekir. Şimdi yağmur yağıyor.",
    "windows-1255 Hebrew": "אתמול קניתי ספר על צבים וקראתי אותו כל הערב.",
    "windows-1257 Lithuanian": "Vakar nusipirkau knygą apie vėžlius ir skaičiau ją visą vakarą.",
    "gbk Chinese": "昨天我买了一本关于乌龟的书，整晚都在家里读。",
    "big5 Chinese": "昨天我買了一本關於烏龜的書，整晚都在家裡讀。",
    "shift_jis Japanese": "昨日、私は亀についての本を買って、一晩中家で読みました。",
    "euc-kr Korean": "어제 나는 거북이에 관한 책을 사서 저녁 내내 집에서 읽었다.",
    "mac-roman English": "It’s “the” best – don’t worry… It doesn’t cost.",
    "mac-roman German": "Die Bücher wären größer als überhaupt möglich.",
    "cp850 German": "Die Bücher wären größer als überhaupt möglich.",
}


def text_of(result: Result) -> str:
    return str(result.values[-1]["text"])


@pytest.mark.parametrize("text", WESTERN.values(), ids=WESTERN)
def test_western_text_is_known_and_said_with_a_line_as_proof(tmp_path: Path, text: str) -> None:
    result = read(tmp_path, "a.txt", b"plain\n\n" + text.encode("windows-1252"))
    assert text_of(result) == text
    assert result.facts.encoding == "windows-1252"
    (note,) = result.facts.notes
    assert note == f"not UTF-8, read as windows-1252; line 3: {text}"


@pytest.mark.parametrize("name", OTHERS)
def test_other_encodings_are_asked_for_and_read_when_named(tmp_path: Path, name: str) -> None:
    text, encoding = OTHERS[name], name.split()[0]
    with pytest.raises(DataError, match=r"a\.txt:3[\s\S]*data\.read\.encoding"):
        read(tmp_path, "a.txt", b"plain\n\n" + text.encode(encoding))
    result = read(tmp_path, "a.txt", b"plain\n\n" + text.encode(encoding), encoding=encoding)
    assert text_of(result) == text


def test_the_question_shows_what_the_likeliest_encoding_would_give(tmp_path: Path) -> None:
    content = OTHERS["windows-1251 Russian"].encode("windows-1251")
    with pytest.raises(DataError, match=r"byte 0xc2 in column 1; perhaps it is windows-1251[\s\S]*Вчера я купил"):
        read(tmp_path, "a.txt", content)


def test_lines_in_utf8_and_in_western_encoding_may_follow_each_other(tmp_path: Path) -> None:
    content = f"{GERMAN}\n\n".encode("windows-1252") + b"x" * (1 << 20) + f"\n\n{GERMAN}".encode()
    assert [raw.value["text"] for raw in read(tmp_path, "a.txt", content).raws][::2] == [GERMAN, GERMAN]


def test_letters_that_appear_later_may_overturn_the_guess(tmp_path: Path) -> None:
    content = "a café\n".encode("windows-1252") + b"x\n" * (1 << 20) + OTHERS["windows-1250 Polish"].encode("cp1250")
    with pytest.raises(DataError, match=rf"a\.txt:{(1 << 20) + 2}"):
        read(tmp_path, "a.txt", content)


def test_a_damaged_line_among_lines_of_utf8_is_dropped_alone(tmp_path: Path) -> None:
    rows = [{"q": GERMAN, "a": str(number)} for number in range(3)]
    texts = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    result = read(tmp_path, "a.jsonl", b"\n".join([texts[0], b'{"q": "caf\xc3"}', texts[1], b"\xff", texts[2]]))
    assert result.values == rows
    assert result.places == [("a.jsonl:2", "not_utf8"), ("a.jsonl:4", "not_utf8")]
    assert (result.dropped[0].detail, result.dropped[0].row) == ("the byte 0xc3", '{"q": "caf\\udcc3"}')


@pytest.mark.parametrize(
    ("name", "before", "bad"),
    [
        ("a.csv", "q\n", b'"caf\xff\nau lait"\n'),
        ("a.txt", "", b"caf\xff\nau lait\n\n"),
        ("a.json", '[{"q": 1}, ', b'{"q": "caf\xff"},'),
    ],
)
def test_a_damaged_row_of_any_kind_is_dropped_alone(tmp_path: Path, name: str, before: str, bad: bytes) -> None:
    after = f'{{"q": "{GERMAN}"}}]' if name.endswith("json") else f"{GERMAN}\n"
    result = read(tmp_path, name, before.encode() + bad + after.encode())
    assert [one.reason for one in result.dropped] == ["not_utf8"]
    assert GERMAN in result.values[-1].values()


def test_one_wrong_byte_in_a_thousand_plain_lines_costs_one_row(tmp_path: Path) -> None:
    good = b'{"q": "plain"}\n' * 2000
    result = read(tmp_path, "a.jsonl", good + b'{"q": "\xff\xfe\xfd"}\n' + good)
    assert (len(result.raws), result.places) == (4000, [("a.jsonl:2001", "not_utf8")])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_without_a_mark_are_said(tmp_path: Path, encoding: str) -> None:
    result = read(tmp_path, "a.csv", f"q,a\n{GERMAN},日本語\n".encode(encoding))
    assert result.values == [{"q": GERMAN, "a": "日本語"}]
    assert result.facts.encoding == encoding
    assert result.facts.notes == (f"read as {encoding}, though no byte order mark says so; line 1: q,a",)


def test_wide_text_that_is_cut_or_broken_loses_one_row(tmp_path: Path) -> None:
    lines = '{"q": "a"}\n{"q": "x\ud800y"}\n{"q": "b"}\n{"q": "cut'.encode("utf-16", "surrogatepass")
    result = read(tmp_path, "a.jsonl", lines[:-1])
    assert result.values == [{"q": "a"}, {"q": "b"}]
    assert [one.reason for one in result.dropped] == ["not_utf8", "not_utf8"]


def test_an_encoding_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    for name in ("windoof", "base64", "idna"):
        with pytest.raises(DataError, match="no such encoding"):
            read(tmp_path, "a.txt", "text", encoding=name)


def test_a_character_cut_by_the_end_of_a_piece_is_whole(tmp_path: Path) -> None:
    for offset in range(5):
        text = "x" * ((1 << 20) - offset) + "é日𝄞" * 3
        assert read(tmp_path, "a.txt", text).values == [{"text": text}]
        damaged = read(tmp_path, "a.txt", b"\xc3\xa9\n\n\xff\n\n" + text.encode())
        assert damaged.values == [{"text": "é"}, {"text": text}]


def test_lines_are_the_same_however_the_text_is_cut() -> None:
    text = 'a\n\nbcd\n"' + "x" * 30 + '"\ne"\n' + "y" * 31
    for size in range(1, 20):
        cut = [text[at : at + size] for at in range(0, len(text), size)]
        found = list(lines(cut, most=20))
        assert [one for one in found if isinstance(one, str)] == ["a", "", "bcd", 'e"']
        long = [one for one in found if isinstance(one, LongLine)]
        assert [one.quotes for one in long] == [2, 0]
        assert [one.start[:5] for one in long] == ['"xxxx', "yyyyy"]


def test_a_short_cyrillic_line_is_not_shown_with_capitals_inside_its_words(tmp_path: Path) -> None:
    """In KOI8-R such a line is Russian letters, too, in a wrong case: it was shown as "цДЕ ЛНЪ ОНЯШКЙЮ"."""
    content = "text,label\n" + "".join(f"Где моя посылка номер {n}?,bug\n" for n in range(40))
    with pytest.raises(DataError, match=r"windows-1251[\s\S]*Где моя посылка"):
        read(tmp_path, "a.csv", content.encode("windows-1251"))

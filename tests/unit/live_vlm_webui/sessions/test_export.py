from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from live_vlm_webui.sessions.export import COLUMNS, FIGURES, csv_rows, inert, jsonl, zip_pieces, zipped


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_each_answer_is_one_line_of_json(make_answer):
    lines = b"".join(jsonl([make_answer(1, text="zwei\nZeilen – 猫"), make_answer(2)])).decode().splitlines()

    told = [json.loads(line) for line in lines]
    assert [answer["id"] for answer in told] == [1, 2]
    assert told[0]["text"] == "zwei\nZeilen – 猫"
    assert "猫" in lines[0]
    assert told[0]["frames"] == ["frames/000001.jpg"]


def test_a_csv_holds_words_and_numbers_in_columns(make_answer):
    rows = read_csv(b"".join(csv_rows([make_answer(1, text='He said "a, b"\nand left')])))

    assert list(rows[0]) == [*COLUMNS, *FIGURES]
    assert rows[0]["text"] == 'He said "a, b"\nand left'
    assert rows[0]["total"] == "300.0"
    assert rows[0]["frame"] == "frames/000001.jpg"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil")',
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "＝1+1",
        "\u00a0=1",
    ],
)
def test_no_cell_is_run_by_a_spreadsheet(make_answer, text):
    row = read_csv(b"".join(csv_rows([make_answer(1, text=text, prompt=text)])))[0]

    assert row["text"] == row["prompt"] == f"'{text}"


def test_ordinary_words_are_not_touched():
    assert inert("A cat = 1, a dog - 2.") == "A cat = 1, a dog - 2."
    assert inert("") == ""


def test_a_zip_holds_the_answers_and_the_very_pictures(make_answer):
    answers = (make_answer(1), make_answer(12, pictures=3))

    with zipfile.ZipFile(io.BytesIO(b"".join(zip_pieces(answers)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "answers.jsonl",
            "answers.csv",
            "frames/000001.jpg",
            "frames/000012-1.jpg",
            "frames/000012-2.jpg",
            "frames/000012-3.jpg",
        ]
        assert archive.read("frames/000012-3.jpg") == answers[1].picture.jpeg
        named = [json.loads(line)["frame"] for line in archive.read("answers.jsonl").splitlines()]
        assert named == ["frames/000001.jpg", "frames/000012-3.jpg"]


def test_an_empty_history_is_an_empty_zip():
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_pieces(())))) as archive:
        assert archive.read("answers.jsonl") == b""


def test_a_zip_is_made_piece_by_piece(make_answer):
    answers = tuple(make_answer(number, size=100_000) for number in range(1, 101))
    tracemalloc.start()
    total = sum(len(piece) for piece in zip_pieces(answers))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert total > 10_000_000
    assert peak < 1_500_000


async def test_a_zip_is_made_off_the_loop(make_answer):
    with ThreadPoolExecutor(1) as executor:
        pieces = [piece async for piece in zipped([make_answer(1)], executor)]

    assert zipfile.ZipFile(io.BytesIO(b"".join(pieces))).testzip() is None

"""The text of PDFs, and what hostile ones cost: a process of its own, cut off where there is no end to see."""

import os
import subprocess
import sys
import zlib
from pathlib import Path
from time import perf_counter

import pytest

from dmp.adapters import pdf_text
from dmp.adapters.pdf_text import text_of_pdf
from dmp.domain.errors import Unavailable
from tests.hostile.pdf_files import PDF_FILES
from tests.texts import flate_pdf, pdf

LONGEST = 1.0
MOST_MEMORY = 128 * 1024
"""Kilobytes."""
_MEASURED = """
import resource, sys
from dmp.adapters.pdf_text import text_of_pdf
text_of_pdf(sys.stdin.buffer.read())
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def test_the_text_of_every_page_is_read() -> None:
    assert text_of_pdf(pdf("Hémoglobine", "glyquée")).split() == ["Hémoglobine", "glyquée"]


@pytest.mark.parametrize("content", [b"%PDF-1.4\n%%EOF\n", b"%PDF-1.4", b"", pdf(content=b"BT (x Tj"), pdf("")])
def test_what_has_no_text_or_is_broken_has_none(content: bytes) -> None:
    assert text_of_pdf(content).strip() == ""


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b" " * 200_000_000, 9)

    began = perf_counter()

    assert text_of_pdf(flate_pdf(bomb)).strip() == ""
    assert perf_counter() - began < 5


def test_what_takes_too_long_is_cut_and_what_was_read_before_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "SECONDS", 2)
    endless = "Page) Tj " + "(aaaa) Tj " * 60_000 + "(fin"

    began = perf_counter()
    text = text_of_pdf(pdf("Début", *[endless] * 40))

    assert perf_counter() - began < 6
    assert "Début" in text
    assert text.count("Page") < 40


def test_a_process_that_does_not_begin_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "_READER", "dmp.adapters.nothing")

    with pytest.raises(Unavailable):
        text_of_pdf(pdf("Texte"))


def test_the_reader_knows_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    telling = tmp_path / "telling.py"
    telling.write_text("import os; print(sorted(os.environ))")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(pdf_text, "_READER", "telling")

    told = text_of_pdf(b"", libraries="/lib")

    assert "LD_LIBRARY_PATH" in told
    assert "AWS" not in told


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=() if n % 12 == 0 else pytest.mark.long) for n in range(len(PDF_FILES))]
)
def test_a_hostile_pdf_takes_little_time_and_memory(number: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _MEASURED]
    content = PDF_FILES[number].content

    run = subprocess.run(command, input=content, env=environment, capture_output=True, check=True)

    seconds, memory = map(float, run.stdout.split())
    assert seconds < LONGEST
    assert memory < MOST_MEMORY

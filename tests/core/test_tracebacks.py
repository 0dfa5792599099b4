"""Whatever somebody else's part raises is one line, and its traceback a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scribblebench.core.tracebacks import described, inside, keep_traceback


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SpeechlessError(), "SpeechlessError in the loss 'mine': its message cannot be shown"),
        (ValueError("a\n\tb\x1b[2Jc\ud800"), "ValueError in the loss 'mine': a b [2Jc"),
        (SystemExit(3), "SystemExit in the loss 'mine': 3"),
    ],
)
def test_any_error_is_one_line_and_its_traceback_a_file(
    tmp_path: Path, error: BaseException, line: str
) -> None:
    with pytest.raises(type(error)) as caught, inside("the loss 'mine'"):
        raise error
    assert described(caught.value) == line
    keep_traceback(tmp_path / "a.log", caught.value)
    assert "test_any_error_is_one_line" in (tmp_path / "a.log").read_text(encoding="utf-8")

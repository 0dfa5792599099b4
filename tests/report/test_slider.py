from __future__ import annotations

import re

import pytest

from scribblebench.report.slider import Shot, panels, script

SHOTS = [
    Shot(None, "data:,photo", "photograph"),
    Shot(1.0, "data:,one", "Baseline, 50.3 %"),
    Shot(0.0, "data:,none", "Baseline, 71.2 %"),
    Shot(1.0, "data:,rw", "RW, 61.0 %"),
]


def test_pictures_stand_by_rate_and_common_ones_first() -> None:
    html = panels("toy_0001", "shrink", SHOTS)
    assert re.findall(r'src="data:,(\w+)"', html) == ["photo", "none", "one", "rw"]
    assert re.findall(r'class="step" data-label="([^"]+)"', html) == ["undegraded", "shrink 1"]
    assert 'max="1"' in html


def test_without_a_script_everything_is_shown() -> None:
    html = panels("toy_0001", "shrink", SHOTS)
    assert re.findall(r"<(\w+) [^>]*\bhidden\b", html) == ["label"]  # the slider alone
    assert "<script" not in html


def test_titles_and_captions_are_text() -> None:
    html = panels('<b>"', "shrink", [Shot(0.0, "data:,a", "<script>alert(1)</script>")])
    assert "<b>" not in html
    assert "<script" not in html
    assert script().count("<script") == 1


@pytest.mark.parametrize(
    ("shots", "said"),
    [
        ([Shot(0.0, "a.png", "a")], "must be a data URI"),
        ([Shot(None, "data:,a", "a")], "no picture has a rate"),
    ],
)
def test_what_cannot_be_shown_is_refused(shots: list[Shot], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        panels("toy_0001", "shrink", shots)

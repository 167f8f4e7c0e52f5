from pathlib import Path

import pytest

from nst.train.commands.settings import parse
from nst.train.report.settings import changed_settings, read_settings, shown


def test_defaults_do_not_differ_from_themselves(painting: Path, tmp_path: Path) -> None:
    parse(["--model.style", str(painting), "--run.out", str(tmp_path / "run")])
    settings = read_settings((tmp_path / "run" / "config.yaml").read_text())
    assert settings["data.crop_px"] == 192
    assert changed_settings(settings) == []


def test_settings_that_differ() -> None:
    config = """
seed_everything: 7
trainer: {max_steps: 3000, max_time: '00:01:00:00', unheard_of: 1}
model:
  style: a.jpg
  warm_start: none
  style_layers: [relu1_1, relu2_1]
  compile: true
  net: {class_path: x, init_args: {width: 3}}
data: {crop_px: 192, workers: 2}
"""
    changed = changed_settings(read_settings(config))
    assert [(each.flag, each.value) for each in changed] == [
        ("--seed_everything", "7"),
        ("--trainer.max_time", "00:01:00:00"),
        ("--warm-start", "none"),
        ("--model.style_layers", "relu1_1, relu2_1"),
        ("--model.compile", "true"),
        ("--data.workers", "2"),
    ]
    assert [each.default for each in changed][1:4] == [
        *("none", "base", "relu1_1, relu2_1, relu3_1, relu4_1, relu5_1")
    ]


@pytest.mark.parametrize("text", ["", "5", "- a", "{: [", "\0"])
def test_what_is_no_settings(text: str) -> None:
    assert read_settings(text) == {}


def test_how_values_are_shown() -> None:
    assert [shown(value) for value in (None, False, [1, 2], 0.5)] == [
        "none",
        "false",
        "1, 2",
        "0.5",
    ]

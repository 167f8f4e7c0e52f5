import subprocess
import sys
from pathlib import Path

import pytest

from nst.infer.errors import UserError
from nst.train.commands.arguments import (
    did_you_mean,
    find_config,
    read_request,
    refuse_missing_painting,
)
from tests.train.conftest import Train

SETTINGS = ("model.style_weight", "trainer.max_steps", "data.crop_px", "model.vgg")
MISTAKE_WITHOUT_TORCH = """
import sys
from nst.train.cli import main
assert main(["--style", "nowhere.jpg"]) == 2
assert not {"torch", "pytorch_lightning", "jsonargparse", "yaml"} & set(sys.modules)
"""


def test_a_pattern_that_the_shell_has_left_is_replaced(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "c.png", "[d].jpg"):
        (tmp_path / name).touch()
    request = read_request(["--style", str(tmp_path / "?.jpg"), str(tmp_path / "[d].jpg")])
    expected = tuple(str(tmp_path / name) for name in ("a.jpg", "b.jpg", "[d].jpg"))
    assert request.styles == expected


def test_a_pattern_that_nothing_matches(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no painting .*none\*: no file matches"):
        read_request(["--style", str(tmp_path / "none*")])


def test_a_missing_painting_is_told_before_torch_is_loaded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MISTAKE_WITHOUT_TORCH]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "nst-train: cannot read nowhere.jpg: there is no such file\n"


def test_help_needs_no_painting() -> None:
    refuse_missing_painting(read_request(["--style", "nowhere.jpg", "--help"]))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--model.styl_weight 3", "--model.style_weight"),
        ("--max-steps=5", "--trainer.max_steps"),
        ("--crop 3", "--data.crop_px"),
        ("--vgg vgg16", "--model.vgg"),
        ("--dryrun", "--dry-run"),
        ("--warmstart base", "--warm-start"),
        ("--zzz", None),
    ],
)
def test_what_was_meant(typed: str, meant: str | None) -> None:
    hint = did_you_mean(f"unrecognized arguments: {typed}", SETTINGS)
    assert hint == (f", did you mean {meant}?" if meant else "")


def test_no_hint_about_other_mistakes() -> None:
    assert did_you_mean("expected --style_weight to be a number", SETTINGS) == ""


def test_the_hint_names_a_setting_of_the_command(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--steps", "3") == 2
    error = capsys.readouterr().err
    assert "--steps 3, did you mean --trainer.max_steps? (see nst-train --help)" in error


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"model:\n  net: [1, 2", r"x\.yaml is no YAML file: line 2: expected ',' or ']'"),
        (b"\x00\xff\x01", r"x\.yaml is no YAML file: it is not UTF-8"),
        ("artist: Dürer".encode("latin-1"), r"x\.yaml is no YAML file: it is not UTF-8"),
        (3000 * b"[", r"x\.yaml is no "),
    ],
)
def test_settings_that_are_no_yaml_are_named(content: bytes, told: str, tmp_path: Path) -> None:
    settings = tmp_path / "x.yaml"
    settings.write_bytes(content)
    with pytest.raises(UserError, match=told):
        find_config(str(settings))


def test_what_values_mean_is_left_to_the_parser(tmp_path: Path) -> None:
    settings = tmp_path / "x.yaml"
    settings.write_text("model: {credit: {year: 1831-02-30}}")
    assert find_config(str(settings)) == str(settings)

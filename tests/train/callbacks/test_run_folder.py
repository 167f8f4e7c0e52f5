from pathlib import Path

import pytest
import torch
from torch import nn

from nst.infer.errors import UserError
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.previews import preview_strip
from nst.train.callbacks.run_folder import RunFolder


class Invert(nn.Module):
    """1 - x, with a parameter, so that it has a device."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.one - x


def test_a_preview_shows_photos_below_and_results_above() -> None:
    photos = [torch.zeros(3, 20, 30), torch.ones(3, 30, 20)]
    strip = preview_strip(Invert(), photos)
    assert strip.size == (50, 60)
    assert strip.getpixel((5, 5)) == (255, 255, 255)
    assert strip.getpixel((5, 35)) == (0, 0, 0)
    assert strip.getpixel((35, 5)) == (0, 0, 0)
    assert strip.getpixel((35, 35)) == (255, 255, 255)


def test_the_default_folder_has_the_name_of_the_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert RunFolder().prepare(style="waves", config="a: 1\n") == Path("runs/waves")
    assert (tmp_path / "runs" / "waves" / "config.yaml").read_text() == "a: 1\n"


def test_a_folder_that_holds_a_run(tmp_path: Path) -> None:
    (tmp_path / LAST_CHECKPOINT).parent.mkdir()
    (tmp_path / LAST_CHECKPOINT).write_bytes(b"hours of work")
    with pytest.raises(UserError, match="holds a finished or interrupted run"):
        RunFolder(tmp_path).prepare(style="waves", config="")
    RunFolder(tmp_path, overwrite=True).prepare(style="waves", config="")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot use the folder"):
        RunFolder(tmp_path / "file" / "run").prepare(style="waves", config="")


@pytest.mark.parametrize("name", ["checkpoint_every", "checkpoint_minutes", "preview_every"])
def test_intervals_that_are_too_short(name: str) -> None:
    with pytest.raises(UserError, match="at least 1"):
        RunFolder(**{name: 0})  # type: ignore[arg-type]

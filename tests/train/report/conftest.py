import shutil
from pathlib import Path

import pytest
from torch import Tensor

from nst.train.photos import PhotoDataModule
from tests.train.conftest import save_painting, save_photos, skip_export, tiny_run

STEPS = 40


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was not exported, and with its painting and photos."""
    from nst.train.cli import main

    folder = tmp_path_factory.mktemp("finished")
    arguments = tiny_run(save_painting(folder), save_photos(folder), folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst.train.commands.one_run.export_onnx", skip_export)
        status = main(
            [
                *arguments,
                *("--trainer.max_steps", str(STEPS), "--model.knob_share", "0.5"),
                *("--run.preview_every", "5", "--run.report", "false"),
                *("--model.credit.artist", "Ann & Bo", "--model.credit.year", "1889"),
            ]
        )
    assert status == 0
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of that run, in a folder with a blank in its name."""
    return Path(shutil.copytree(finished / "run", tmp_path / "my run"))


@pytest.fixture
def previewed(finished: Path) -> list[Tensor]:
    """The photos of its previews."""
    return PhotoDataModule(finished / "photos").preview_photos(4, long_side_px=512)

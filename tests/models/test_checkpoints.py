from pathlib import Path
from typing import Any

import pytest
import torch
from closed import close_folder

from nst.models import ModelFileError, TransformerNet, describe, load_trained_net
from nst.models.checkpoints import ENTRY, LAST_CHECKPOINT


def checkpoint(net: TransformerNet) -> dict[str, Any]:
    return {
        "state_dict": {f"net.{key}": value for key, value in net.state_dict().items()},
        "optimizer_states": [{"state": {}}],
        ENTRY: describe(net, style="waves", training={"steps": 12}),
    }


@pytest.fixture
def net() -> TransformerNet:
    return TransformerNet(width=4, residual_blocks=1)


def test_round_trip(net: TransformerNet, tmp_path: Path) -> None:
    torch.save(checkpoint(net), tmp_path / "last.ckpt")
    trained = load_trained_net(tmp_path / "last.ckpt")
    image = torch.rand(1, 3, 24, 20)
    torch.testing.assert_close(trained.net(image), net(image), rtol=0, atol=0)
    assert trained.style == "waves"
    assert trained.training == {"steps": 12}
    assert not trained.net.training


def test_the_folder_of_a_run(net: TransformerNet, tmp_path: Path) -> None:
    (tmp_path / LAST_CHECKPOINT).parent.mkdir()
    torch.save(checkpoint(net), tmp_path / LAST_CHECKPOINT)
    assert load_trained_net(tmp_path).style == "waves"


def message_of(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        load_trained_net(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_nothing_there(tmp_path: Path) -> None:
    assert "no such file" in message_of(tmp_path / "none.ckpt")
    assert "last.ckpt" in message_of(tmp_path)


@pytest.mark.parametrize("content", [{"state_dict": {}}, {"a": torch.zeros(2)}, {}])
def test_the_checkpoint_of_another_program(content: dict[str, Any], tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.ckpt")
    assert "no checkpoint of nst-train" in message_of(tmp_path / "other.ckpt")


@pytest.mark.parametrize("keep", [0, 50, 0.5, 0.99])
def test_a_truncated_one(net: TransformerNet, keep: float, tmp_path: Path) -> None:
    torch.save(checkpoint(net), tmp_path / "whole.ckpt")
    data = (tmp_path / "whole.ckpt").read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    assert "damaged" in message_of(tmp_path / "cut.ckpt")


def test_a_newer_format(net: TransformerNet, tmp_path: Path) -> None:
    content = checkpoint(net)
    content[ENTRY]["format"] = 2
    torch.save(content, tmp_path / "new.ckpt")
    assert "newer nst" in message_of(tmp_path / "new.ckpt")


def test_weights_that_do_not_fit_the_architecture(net: TransformerNet, tmp_path: Path) -> None:
    content = checkpoint(net)
    content[ENTRY]["architecture"]["width"] = 5
    torch.save(content, tmp_path / "odd.ckpt")
    assert "does not fit" in message_of(tmp_path / "odd.ckpt")


def test_weights_that_are_not_finite(net: TransformerNet, tmp_path: Path) -> None:
    content = checkpoint(net)
    content["state_dict"]["net.conv1.bias"][0] = float("nan")
    torch.save(content, tmp_path / "nan.ckpt")
    assert "not finite" in message_of(tmp_path / "nan.ckpt")


@pytest.mark.parametrize("key", ["architecture", "style", "training", "format"])
def test_an_entry_that_is_not_whole(key: str, net: TransformerNet, tmp_path: Path) -> None:
    content = checkpoint(net)
    del content[ENTRY][key]
    torch.save(content, tmp_path / "odd.ckpt")
    assert "does not fit" in message_of(tmp_path / "odd.ckpt")


@pytest.mark.parametrize(("style", "name"), [("../../x", "x"), ("a/b", "b")])
def test_a_style_is_a_name_and_no_path(
    style: str, name: str, net: TransformerNet, tmp_path: Path
) -> None:
    content = checkpoint(net)
    content[ENTRY]["style"] = style
    torch.save(content, tmp_path / "x.ckpt")
    assert load_trained_net(tmp_path / "x.ckpt").style == name


@pytest.mark.parametrize("style", ["", "..", 3])
def test_a_style_without_a_proper_name(style: object, net: TransformerNet, tmp_path: Path) -> None:
    content = checkpoint(net)
    content[ENTRY]["style"] = style
    torch.save(content, tmp_path / "x.ckpt")
    assert "does not fit" in message_of(tmp_path / "x.ckpt")


@pytest.mark.parametrize("name", ["run", "run.ckpt", "."])
def test_a_closed_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close_folder(monkeypatch, tmp_path)
    with pytest.raises(ModelFileError, match=r"^cannot read .*: Permission denied$"):
        load_trained_net(tmp_path / name)

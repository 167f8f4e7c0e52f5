"""Training that begins with the weights of another run."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nst.infer.errors import UserError
from nst.models import (
    TIERS,
    CompactNet,
    ModelFileError,
    TransformerNet,
    build_net,
    load_trained_net,
)
from nst.train.warm_start import pack, start_from

Train = Callable[..., int]


@pytest.fixture
def finished(train: Train, tmp_path: Path) -> Path:
    """The folder of a run."""
    assert train("--model.learning_rate", "0.1", out="first") == 0
    return tmp_path / "first"


def tiny() -> TransformerNet:
    return TransformerNet(width=4, residual_blocks=1)


@pytest.mark.parametrize("name", [".", "checkpoints/last.ckpt"])
def test_a_network_takes_the_weights_of_a_run(finished: Path, name: str) -> None:
    net = tiny()
    assert start_from(net, str(finished / name)) == (finished / name).name
    expected = load_trained_net(finished).net.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in net.state_dict().items())


def test_none_leaves_a_network_as_it_is() -> None:
    net = tiny()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert start_from(net, "none") == "none"
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("tier", ["realtime", "quality"])
def test_a_base_comes_with_the_package(tier: str) -> None:
    net = build_net(TIERS[tier])
    kernels = [value for value in net.parameters() if value.ndim == 4]
    before = [value.clone() for value in kernels]
    assert start_from(net, "base") == "base"
    assert not any(map(torch.equal, before, kernels))
    with torch.no_grad():
        assert net(torch.rand(1, 3, 32, 32)).std() > 0.01


def test_a_network_without_a_base_begins_with_nothing() -> None:
    net = tiny()
    before = [value.clone() for value in net.parameters()]
    assert start_from(net, "base") == "none"
    assert all(map(torch.equal, before, net.parameters()))


def test_a_run_can_be_packed_as_a_base(finished: Path, tmp_path: Path) -> None:
    pack(finished, tmp_path / "base.pt")
    net = tiny()
    assert start_from(net, str(tmp_path / "base.pt")) == "base.pt"
    expected = load_trained_net(finished).net.state_dict()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, expected[name], atol=1e-3, rtol=1e-3)
    checkpoint = finished / "checkpoints" / "last.ckpt"
    assert (tmp_path / "base.pt").stat().st_size < checkpoint.stat().st_size / 2


def test_a_missing_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to start from"):
        start_from(tiny(), str(tmp_path / "nothing"))


def test_a_start_with_another_network(finished: Path) -> None:
    with pytest.raises(UserError, match="is another one than that of this run"):
        start_from(CompactNet(width=8, half_width=8, residual_blocks=1), str(finished))


def test_a_start_that_is_no_checkpoint(painting: Path) -> None:
    with pytest.raises(ModelFileError):
        start_from(tiny(), str(painting))


def test_a_run_begins_where_another_one_ended(train: Train, finished: Path, tmp_path: Path) -> None:
    slowly = ("--model.learning_rate", "1e-9")
    assert train(*slowly, "--warm-start", str(finished), out="second") == 0
    first, second = load_trained_net(finished), load_trained_net(tmp_path / "second")
    expected = first.net.state_dict()
    for name, value in second.net.state_dict().items():
        torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=0)
    assert second.training["warm_start"] == "first"


def test_a_run_says_what_cannot_be_a_start(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--warm-start", "nowhere") == 2
    assert "no file nowhere to start from" in capsys.readouterr().err

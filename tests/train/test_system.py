from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nst.infer.errors import UserError
from nst.models import ModelFileError, TransformerNet, knob_parameters
from nst.train.credit import Credit
from nst.train.photos import PhotoBatch
from nst.train.system import KNOB_LEARNING_RATE, STYLE_WEIGHT, StyleTransferSystem

NOTHING_ELSE = {"stability_weight": 0.0, "grid_weight": 0.0}
"""Content and style alone."""


def system(painting: Path, **settings: Any) -> StyleTransferSystem:
    net = TransformerNet(width=4, residual_blocks=1)
    made = StyleTransferSystem(painting, net, style_size=96, **settings)
    made.trainer = SimpleNamespace(  # type: ignore[assignment]
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
        precision="32-true",
        global_step=40,
        max_steps=100,
        world_size=1,
        callbacks=[],
    )
    made.log = lambda *_, **__: None  # type: ignore[method-assign]
    return made


def photos() -> PhotoBatch:
    generator = torch.Generator().manual_seed(0)
    return PhotoBatch(torch.rand(2, 3, 48, 48, generator=generator), [1, 2], [], [])


def test_a_checkpoint_holds_the_network_alone(painting: Path) -> None:
    assert {key.split(".")[0] for key in system(painting).state_dict()} == {"net"}


def test_only_the_network_is_trained(painting: Path) -> None:
    made = system(painting)
    assert {id(p) for p in made.parameters()} == {id(p) for p in made.net.parameters()}
    torch.autograd.backward(made.training_step(photos(), 0))
    assert all(p.grad is not None for p in made.net.parameters())


def test_the_total_is_the_weighted_sum(painting: Path) -> None:
    weights = {"content_weight": 2.0, "style_weight": 3.0, "tv_weight": 7.0, **NOTHING_ELSE}
    made = system(painting, style_strength=0.5, **weights)
    logged = {}
    made.log = lambda name, value, **_: logged.update({name: value})  # type: ignore[method-assign]
    total = made.training_step(photos(), 0)
    assert set(logged) == {"loss/total", "loss/content", "loss/style", "loss/total_variation"}
    torch.testing.assert_close(
        total.detach(),
        2.0 * logged["loss/content"]
        + 3.0 * 0.5 * logged["loss/style"]
        + 7.0 * logged["loss/total_variation"],
    )


@pytest.mark.parametrize("term", ["stability", "grid"])
def test_further_terms_count_with_their_weights(term: str, painting: Path) -> None:
    weights = NOTHING_ELSE | {f"{term}_weight": 5.0}
    made = system(painting, **weights)
    logged = {}
    made.log = lambda name, value, **_: logged.update({name: value})  # type: ignore[method-assign]
    total = made.training_step(photos(), 0)
    assert float(logged[f"loss/{term}"]) > 0
    torch.testing.assert_close(
        total.detach(),
        logged["loss/content"] + STYLE_WEIGHT * logged["loss/style"] + 5.0 * logged[f"loss/{term}"],
    )
    assert made.settings.items() >= weights.items()


def test_no_loss_sees_the_border(painting: Path) -> None:
    """Nothing can be gained by painting where the picture ends."""
    made = system(painting, stability_weight=0.0)
    batch = photos().photos
    framed = batch.clone()
    framed[..., :3, :] = framed[..., -3:, :] = framed[..., :, :3] = framed[..., :, -3:] = 0.5
    terms = {}
    for name, stylized in (("plain", batch), ("framed", framed)):
        made.net.forward = lambda *_, made=stylized: made  # type: ignore[method-assign]
        terms[name] = made.style_terms(batch, [1, 2])
        terms[f"{name} knob"] = made.knob_terms(batch)
    assert terms["framed"] == terms["plain"]
    assert terms["framed knob"] == terms["plain knob"]
    assert terms["framed"]["content"] == 0
    framed[..., 3, 9] = 0.5
    assert made.style_terms(batch, [1, 2])["content"] > 0


def start_batch(made: StyleTransferSystem, step: int, optimizer: torch.optim.Optimizer) -> None:
    made.trainer.global_step = step  # type: ignore[misc]
    made.optimizers = lambda: optimizer  # type: ignore[assignment, method-assign]
    made.on_train_batch_start(photos(), step)


def test_learning_rates_of_style_and_knob(painting: Path) -> None:
    made = system(painting, learning_rate=2e-3, knob_share=0.2)
    optimizer = made.configure_optimizers()
    style, knob = optimizer.param_groups
    assert {id(p) for p in knob["params"]} == {id(p) for p in knob_parameters(made.net)}
    assert len(style["params"]) + len(knob["params"]) == len(list(made.net.parameters()))
    start_batch(made, 40, optimizer)
    assert (made.phase.style, made.phase.knob) == (0.5, None)
    assert style["lr"] == pytest.approx(1e-3, rel=0.05)
    assert knob["lr"] == 0
    start_batch(made, 90, optimizer)
    assert made.phase.knob == pytest.approx(0.5)
    assert style["lr"] == 0
    assert knob["lr"] == pytest.approx(KNOB_LEARNING_RATE / 2, rel=0.05)


def test_the_knob_is_learned_beside_a_finished_style(painting: Path) -> None:
    torch.manual_seed(0)
    made = system(painting, **NOTHING_ELSE, knob_share=0.9)
    optimizer = made.configure_optimizers()
    before = made.net(photos().photos)
    logged = {}
    made.log = lambda name, value, **_: logged.update({name: value})  # type: ignore[method-assign]
    for _ in range(3):
        start_batch(made, 50, optimizer)
        optimizer.zero_grad()
        torch.autograd.backward(made.training_step(photos(), 0))
        made.on_before_optimizer_step(optimizer)
        optimizer.step()
    # Adam counts the steps of the knob from its own first one.
    assert {id(value) for value in optimizer.state} == {id(p) for p in knob_parameters(made.net)}
    torch.testing.assert_close(made.net(photos().photos), before, rtol=0, atol=0)
    assert all(value.abs().max() > 0 for value in knob_parameters(made.net))
    assert {name.split("/")[0] for name in logged} == {"knob"}
    half = made.net(photos().photos, torch.tensor(0.5))
    assert not torch.allclose(half, (before + photos().photos) / 2)


def test_what_a_checkpoint_tells(painting: Path) -> None:
    credit = Credit(title="Waves", artist="A. Painter")
    made = system(painting, **NOTHING_ELSE, credit=credit)
    loss = made.training_step(photos(), 0)
    checkpoint: dict[str, Any] = {}
    made.on_save_checkpoint(checkpoint)
    about = checkpoint["nst"]
    assert about["credit"] == {"title": "Waves", "artist": "A. Painter"}
    assert about["training"]["losses"]["total"] == pytest.approx(loss.item(), rel=1e-3)
    assert about["painting"].shape == (1, 3, 72, 96)
    assert about["painting"].dtype == torch.uint8
    assert about["training"]["style_layer_weights"] == [1.0] * 5
    made.on_load_checkpoint(checkpoint)
    assert not made.has_other_loss
    other = system(painting, **NOTHING_ELSE, style_layer_weights=[1.0, 1.0, 1.0, 1.0, 0.5])
    other.on_load_checkpoint(checkpoint)
    assert other.has_other_loss


def test_steps_lower_the_loss(painting: Path) -> None:
    torch.manual_seed(0)
    made = system(painting, **NOTHING_ELSE)
    optimizer = torch.optim.Adam(made.net.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        loss = made.training_step(photos(), 0)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_bf16_keeps_the_vgg_in_bf16(painting: Path) -> None:
    made = system(painting)
    made.trainer.precision = "bf16-mixed"  # type: ignore[misc]
    made.setup("fit")
    assert made.loss.vgg.get_buffer("conv1_1_weight").dtype == torch.bfloat16
    assert next(made.net.parameters()).dtype == torch.float32


def test_johnsons_form_and_layers(painting: Path) -> None:
    made = system(
        painting,
        loss="johnson",
        content_layers=["relu2_2"],
        style_layers=["relu1_2", "relu2_2"],
        style_layer_weights=[1.0, 0.5],
    )
    assert made.loss.style_loss.layer_weights == {"relu1_2": 1.0, "relu2_2": 0.5}
    assert made.loss.content_loss.layers == ("relu2_2",)
    assert made.settings["style_layer_weights"] == [1.0, 0.5]
    assert made.training_step(photos(), 0).isfinite()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"content_layers": ["relu9_1"]}, "unknown layer relu9_1"),
        ({"style_layers": []}, "at least one style layer"),
        ({"content_layers": []}, "at least one content layer"),
        ({"style_layers": ["relu1_1", "relu1_1"]}, "each once"),
        ({"style_layer_weights": [1.0, float("nan"), 1.0, 1.0]}, "layer weights"),
        ({"style_strength": float("nan")}, "style_strength"),
        ({"tv_weight": float("inf")}, "at least 0"),
        ({"stability_weight": -1.0}, "stability_weight must be at least 0, not -1.0"),
        ({"knob_share": 1.0}, "knob_share must be at least 0 and below 1, not 1.0"),
        ({"grid_weight": float("nan")}, "grid_weight must be at least 0, not nan"),
        ({"style_layer_weights": [1.0]}, "5 style layers but 1 layer weights"),
        ({"style_strength": -1.0}, "style_strength"),
        ({"content_weight": -1.0}, "at least 0"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"style_size": 20}, "at least 64 px"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str, painting: Path) -> None:
    with pytest.raises(UserError, match=message):
        StyleTransferSystem(painting, TransformerNet(4, 1), **{"style_size": 96, **settings})


def test_missing_vgg_weights(painting: Path) -> None:
    with pytest.raises(ModelFileError, match="the sources are"):
        system(painting, vgg_weights="/nowhere/vgg.pth")

"""The networks for real time stay within what is promised of them."""

from pathlib import Path

import onnx
import pytest
import torch
import yaml

from nst.configs import config_path
from nst.export import export_onnx
from nst.models import TIERS, CompactNet, StyleNet, TrainedNet, tier_of
from nst.train.evaluate.cost import graph_cost

BUDGETS = {"realtime": (9_000, 0.5e6), "balanced": (22_000, 1.4e6), "quality": (45_000, 2.75e6)}
"""Largest multiply-accumulates per pixel, bytes."""


def net_of(tier: str) -> StyleNet:
    settings = yaml.safe_load(config_path(tier).read_text())["model"]["net"]
    assert settings["class_path"] == "nst.models.CompactNet"
    torch.manual_seed(0)
    return CompactNet(**settings["init_args"]).eval()


@pytest.mark.parametrize("tier", TIERS)
def test_the_settings_of_a_tier_train_its_network(tier: str) -> None:
    assert net_of(tier).architecture == TIERS[tier]
    assert tier_of(net_of(tier).architecture) == tier


def test_other_networks_are_no_tier() -> None:
    assert tier_of(CompactNet(width=8).architecture) == ""


@pytest.mark.parametrize("tier", BUDGETS)
def test_a_tier_costs_what_it_may(tier: str, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    report = export_onnx(TrainedNet(net_of(tier), style="x", training={}), path)
    macs, size = BUDGETS[tier]
    assert 0.8 * macs < graph_cost(path).macs_per_pixel <= macs
    assert report.size_bytes <= size
    # Kernels are composed before the export: not every runtime would do it once only.
    assert "Einsum" not in {node.op_type for node in onnx.load(path).graph.node}


def test_the_realtime_tier_is_the_default() -> None:
    assert net_of("realtime").architecture == CompactNet().architecture


def test_the_settings_of_the_paper_leave_our_own_terms_out() -> None:
    model = yaml.safe_load(config_path("johnson").read_text())["model"]
    assert model["stability_weight"] == model["grid_weight"] == 0

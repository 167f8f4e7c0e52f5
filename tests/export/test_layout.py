from pathlib import Path

import onnx
import pytest
import torch

from nst.export import build_graph
from nst.export.layout import count_reorders
from nst.models import TIERS, build_net

MOST_REORDERS = {"realtime": 23, "balanced": 31, "quality": 35}
"""Each costs a pass over memory."""


@pytest.mark.parametrize("tier", TIERS)
def test_changes_of_layout_do_not_grow(tier: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    onnx.save(build_graph(build_net(TIERS[tier]).eval()), tmp_path / "x.onnx")
    assert 0 < count_reorders(tmp_path / "x.onnx") <= MOST_REORDERS[tier]

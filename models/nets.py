"""The networks by name. A network is added here, and every command knows it."""

from collections.abc import Mapping
from typing import Any

from nst.models.compact_net import CompactNet
from nst.models.style_net import StyleNet
from nst.models.transformer_net import TransformerNet

NETS: Mapping[str, type[StyleNet]] = {"CompactNet": CompactNet, "TransformerNet": TransformerNet}


def build_net(architecture: Mapping[str, Any]) -> StyleNet:
    """Make a network from what its ``architecture`` property gave, with fresh weights.

    Raises:
        ValueError: if the name is unknown or the arguments do not fit.
    """
    arguments = dict(architecture)
    name = arguments.pop("name", None)
    if name not in NETS:
        raise ValueError(f"unknown network {name!r}: there are {', '.join(sorted(NETS))}")
    try:
        return NETS[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{name} does not take {arguments}") from error

"""Checkpoints of the pytorch/examples style transfer network, as people already have them.

That network is ``TransformerNet`` with one wrapper more around each convolution. It takes and
gives RGB in 0 to 255; here both scales are folded into the first and the last convolution, so
that the pictures are the same and the range is ours.

Source: the ``fast_neural_style`` example of the pytorch/examples repository.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nst.models.style_net import OUTPUT_CENTRE, OUTPUT_SCALE
from nst.models.tensor_files import ModelFileError
from nst.models.transformer_net import TransformerNet

FIRST_KEY = "conv1.conv2d.weight"
# Checkpoints older than PyTorch 0.4 carry statistics that their instance norm never used.
UNUSED = re.compile(r"\.(running_mean|running_var|num_batches_tracked)$")


def is_published(state: Mapping[str, Any]) -> bool:
    """Whether ``state`` has the keys of a pytorch/examples checkpoint."""
    return FIRST_KEY in state


def from_published(state: Mapping[str, Any]) -> TransformerNet:
    """Build the network of a pytorch/examples checkpoint, of any width and depth.

    Args:
        state: its state dict. It is not changed.
    Returns:
        A network that gives the published one's pictures divided by 255 for images in [0, 1].
    Raises:
        ModelFileError: if keys or shapes do not fit together.
    """
    try:
        weights: dict[str, Tensor] = {
            key.replace(".conv2d.", "."): value.float()
            for key, value in state.items()
            if not UNUSED.search(key)
        }
        blocks = {key.split(".")[0] for key in weights if re.match(r"res\d+\.", key)}
        net = TransformerNet(width=weights["conv1.weight"].shape[0], residual_blocks=len(blocks))
        net.load_state_dict(weights)
    except (AttributeError, KeyError, IndexError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(f"not a whole pytorch/examples checkpoint: {reason}") from error
    result = 1 / (255.0 * OUTPUT_SCALE)
    net.rescale(image=255.0, result=result, centre=-OUTPUT_CENTRE / OUTPUT_SCALE)
    return net

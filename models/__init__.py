"""Networks, VGG features and losses. Knows torch alone.

::

    style_net        what every image transformation network has in common
    transformer_net  Johnson et al. 2016
    compact_net      small networks for real time
    layers           their building blocks
    strength         instance norms that move with the strength of the style
    nets             the networks by name
    tiers            three of them for real time
    published        checkpoints of pytorch/examples
    checkpoints      a trained network in a file
    vgg              VGG-16 and VGG-19 as frozen feature extractors
    vgg_weights      where their weights come from
    losses           content, Gram style, total variation
    perceptual_loss  the training objective
    grid_loss        no patterns with the period of the network's stride
    stability_loss   steadiness on video, learned from still photos
    warping          smooth flows, and images moved along them
    tensor_files     reading files of tensors safely
"""

from nst.models.checkpoints import TrainedNet, describe, load_trained_net
from nst.models.compact_net import CompactNet
from nst.models.grid_loss import GridLoss
from nst.models.losses import (
    ContentLoss,
    LossForm,
    StyleLoss,
    TotalVariationLoss,
    content_distance,
    gram_matrix,
    style_distance,
    total_variation,
)
from nst.models.nets import NETS, build_net
from nst.models.perceptual_loss import LossTerms, PerceptualLoss
from nst.models.stability_loss import StabilityLoss
from nst.models.strength import StyleNorm, at_strength, knob_parameters
from nst.models.style_net import StyleNet
from nst.models.tensor_files import ModelFileError
from nst.models.tiers import TIERS, tier_of
from nst.models.transformer_net import TransformerNet
from nst.models.vgg import VGGFeatures, VGGPadding
from nst.models.vgg_weights import VGGArch, VGGWeights, load_vgg_weights
from nst.models.warping import inside, smooth_flow, warp

__all__ = [
    "NETS",
    "TIERS",
    "CompactNet",
    "ContentLoss",
    "GridLoss",
    "LossForm",
    "LossTerms",
    "ModelFileError",
    "PerceptualLoss",
    "StabilityLoss",
    "StyleLoss",
    "StyleNet",
    "StyleNorm",
    "TotalVariationLoss",
    "TrainedNet",
    "TransformerNet",
    "VGGArch",
    "VGGFeatures",
    "VGGPadding",
    "VGGWeights",
    "at_strength",
    "build_net",
    "content_distance",
    "describe",
    "gram_matrix",
    "inside",
    "knob_parameters",
    "load_trained_net",
    "load_vgg_weights",
    "smooth_flow",
    "style_distance",
    "tier_of",
    "total_variation",
    "warp",
]

"""How much of a photo's structure a stylized picture keeps."""

from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

LUMINANCE = (0.299, 0.587, 0.114)


def luminance(images: Tensor) -> Tensor:
    """(B, 3, H, W), RGB in [0, 1], to (B, 1, H, W). Rec. 601, as JPEG has it."""
    weights = images.new_tensor(LUMINANCE).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def structure_kept(stylized: Tensor, photo: Tensor) -> float:
    """SSIM of the luminance, 1 for the photo itself.

    Args:
        stylized: (1, 3, H, W), RGB in [0, 1], sides at least 11 px.
        photo: the same size.
    Source:
        Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural
        Similarity"; a Gaussian window of deviation 1.5.
    """
    value = structural_similarity_index_measure(
        luminance(stylized), luminance(photo), data_range=1.0, sigma=1.5
    )
    assert isinstance(value, Tensor)
    return float(value)

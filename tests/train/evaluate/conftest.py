import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import natural_frames

Frame = NDArray[np.uint8]


@pytest.fixture(scope="session")
def photo() -> Frame:
    """A picture with smooth and busy parts, (H, W, 3)."""
    frame: Frame = natural_frames((1, 160, 224), seed=3)[0]
    return frame

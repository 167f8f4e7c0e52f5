import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from PIL import Image

from nst.infer.pictures.pixel_limit import pixel_limit


def test_what_was_comes_back() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    filters = list(warnings.filters)
    with pixel_limit(1000):
        assert Image.MAX_IMAGE_PIXELS == 500
        warnings.warn("silent", stacklevel=1)
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)


def test_threads_that_read_at_the_same_time() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    filters = list(warnings.filters)
    meeting = Barrier(4, timeout=20)

    def read(number: int) -> int | None:
        meeting.wait()
        for _ in range(200):
            with pixel_limit(1000 * (number + 1)):
                warnings.warn("silent", stacklevel=1)
        with pixel_limit(1000 * (number + 1)):
            meeting.wait()
            highest = Image.MAX_IMAGE_PIXELS
            meeting.wait()
        return highest

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [2000] * 4
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)

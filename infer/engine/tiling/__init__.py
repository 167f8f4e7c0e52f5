"""Pictures that are too large to go through a network at once.

::

    large        the way a picture is cut, and painted tile by tile
    ├── statistics   what the instance norms would see of the whole picture
    │   └── surgery      a graph taken apart at its norms
    ├── tiles        rectangles that overlap
    └── needs        how much memory a network takes
"""

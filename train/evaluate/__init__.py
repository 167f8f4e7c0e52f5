"""How good a style model is, in numbers.

::

    subjects    what is judged: models, checkpoints, ready pictures, the photo itself
    perceptual  content and style losses, under one VGG and under another
    structure   what is left of the photo's structure
    grid        checkerboards and sub-pixel grids
    stability   does the picture stay on its object, and still where the photo is still
    cost        time per frame, size, parameters, multiply-accumulates
    gatys       how much optimisation a model is worth
    evaluation  all of it over a folder of photos
    report      table, JSON, one self-contained page
    cli         the command nst-evaluate; light, the rest is imported late
    command     what it does
"""

import nst.infer  # noqa: F401 - before onnxruntime, which it keeps from reporting

"""A web page that runs exported styles in the browser. Needs no torch.

::

    site     the folder: page, styles, runtime
    styles   the models, made ready for the page
    scene    the drawing that shows what a style does
    runtime  the files of onnxruntime-web
    server   the folder on the loopback address
    cli      nst-export web
    page/    the page itself, copied as it is
"""

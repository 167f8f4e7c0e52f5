"""Training. May use nst.models, nst.export and nst.infer.

::

    cli         nst-train
    system      what happens in one step
    photos      a folder of photos as batches
    painting    the painting as a tensor
    schedule    how far a run is, and the learning rate there
    precision   what this hardware is fast in
    run_folder  what a run leaves behind
    progress    the line on the terminal
"""

"""What goes on beside the steps of a run.

::

    run_folder   what a run leaves behind: puts the others together
    agreement    what several processes do after the same step
    checkpoints  when they are written, and how they stay whole
    guard        back to the last good state when the training diverges
    history      how the losses went
    interrupts   Ctrl-C and SIGTERM between two steps
    notes        what happened, if anything did
    previews     fixed photos as they are stylized so far
    progress     what the terminal shows
    trial        a few steps, to see how long they take
"""

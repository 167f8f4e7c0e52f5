"""What goes on beside the steps of a run.

::

    run_folder   what a run leaves behind: puts the others together
    agreement    what several processes do after the same step
    checkpoints  when they are written, and how they stay whole
    guard        back to the last good state when the training diverges
    history      how the losses went
    interrupts   requests to end, heeded between two steps
    notes        what happened, if anything did
    photo_notes  which photos are not as they should be
    previews     fixed photos as they are stylized so far
    progress     what the terminal shows
    run_files    what lies where in the folder
    set_aside    the run that a new one takes the place of
    trial        a few steps, to see how long they take
"""

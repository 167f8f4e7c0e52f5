"""Training. May use nst.models, nst.export and nst.infer.

::

    cli         nst-train
    commands    what it does
    callbacks   what goes on beside the steps
    system      what happens in one step
    optimizers  Muon and Adam
    photos      a folder of photos as batches
    draws       which photo comes next
    small_copies  of large photos, kept between runs
    cache_folder  where that is
    folder_lock   one run at a time in a folder
    processes   several that train together
    credit      whose painting it is
    painting    the painting as a tensor
    schedule    how far a run is, and the learning rate there
    precision   what this hardware is fast in
    vgg_choice  which VGG compares pictures, where, in what precision: shared flags
    vgg_loading that VGG, loaded
    live_line   one line that is rewritten
    signals     requests to end
    unread_output  that nobody reads any more
    wording     durations, numbers and devices for people
    errors      what the layers below raise, as one line
    optimize    style transfer by optimisation: nst-optimize
    evaluate    how good a model is: nst-evaluate
    report      the page about a run
"""

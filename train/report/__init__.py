"""The page about a run: ``report.html`` in its folder.

::

    page        puts the others together and writes the file
    record      what the checkpoint and the files of a run say
    stages      what the network made of the fixed photos, cut from the previews
    judgement   the numbers of nst-evaluate on those photos
    curves      the losses as charts
    chart       where lines, ticks and bands of a chart stand
    scale       from values to pixels, and the ticks between
    settings    those that are not the defaults
    files       what the folder holds, and what to type next
"""

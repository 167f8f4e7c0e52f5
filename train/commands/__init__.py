"""The command ``nst-train``.

::

    command    what was asked for, and who does it
    arguments  what is typed
    settings   Lightning's command line: flags, YAML keys, typed arguments
    resume     where an interrupted run goes on
    one_run    training, export, report, and what to do next
"""

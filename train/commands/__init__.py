"""The command ``nst-train``.

::

    command    what was asked for, and who does it
    arguments  what is typed
    settings   Lightning's command line: flags, YAML keys, typed arguments
    resume     where an interrupted run goes on
    fitting    the steps, and what can end them
    one_run    training, export, report, and what to do next
    several    a run for each of several paintings
    strengths  short runs with several strengths, and one picture of them
    plan       the settings of several runs, before any of them begins
    children   runs one after the other, each in a process of its own
    dry_run    what a run would do, how long it takes, and what it needs
    needs      memory and disk
    limits     how long a run is, how much of it is done, how long the rest takes
"""

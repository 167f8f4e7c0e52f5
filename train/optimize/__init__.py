"""Style transfer by optimisation, and looking into the VGG.

::

    objective       J(G), what a picture is optimised for
    descent         L-BFGS and Adam over the pixels
    coarse_to_fine  the same over several sizes
    film            snapshots, film strip, video
    atlas           what each block of the VGG keeps
    units           what excites single units of the VGG
    cli             the command nst-optimize; light, the rest is imported late
    command         what it does

Source: Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style".
"""

"""The webcam, live: always the newest frame, in a window or for other programs.

nst.infer.live
"""

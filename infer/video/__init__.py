"""Video files: read, stylized and written frame by frame.

nst.infer.video
└── protocol    what sources give and sinks take
"""

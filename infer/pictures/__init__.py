"""Picture files and pixels, without a network.

nst.infer.pictures
├── photo           a photo file: its pixels and what stands beside them
├── encodings       how a file was encoded
├── animation       frame by frame
├── images          reading and writing pictures
│   └── pixel_limit     how large they may be
├── photo_files     the photos in a folder
├── colors          the colours of one picture, the light and dark of another
└── contact_sheet   several pictures on one
"""

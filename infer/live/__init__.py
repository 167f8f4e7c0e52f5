"""The webcam, live: always the newest frame, in a window or for other programs.

nst.infer.live
├── session           opens what was asked for
├── loop              the newest frame, stylized, shown, and sent on
├── capture           a thread that reads a source and keeps its newest frame alone
│   ├── camera        a source: a camera
│   └── paced         a source: a clip in its own time
├── painter           stylizes in one style until the next is ready
│   ├── style_bank    opens styles in a thread of its own
│   └── working_size  how large the picture for the network may be
├── view              what the window shows, and what its keys do
│   └── overlay       text on a picture
├── window            a sink: a window
├── virtual_camera    a sink: a camera for other programs
├── recorder          a sink: a video file
├── resize            frames in another size
└── meter             frames per second and latency
"""

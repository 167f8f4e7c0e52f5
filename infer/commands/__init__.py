"""The commands behind the name nst-infer: their flags, and what they print.

nst.infer.commands
├── main        chooses
├── flags       what several have alike
├── stylize     nst-infer
│   └── videos      what its flags mean for videos
├── styles      nst-infer styles
├── sheet       nst-infer sheet
├── bench       nst-infer bench
├── webcam      nst-infer webcam
└── info        nst-infer info
"""

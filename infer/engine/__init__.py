"""A model and what runs it.

nst.infer.engine
├── tiling          pictures too large to be run at once
├── style_graphs    the graph for each strength
├── frames          frames of bytes to what a graph takes, and back
├── graph           an ONNX graph that is run
│   └── devices         what onnxruntime can run on here
├── value_range     whether a foreign graph works in 0-255 or 0-1
├── metadata        ModelMetadata: what an exported model says about itself
└── model_card      the same read without running it
"""

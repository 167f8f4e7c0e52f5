"""What nst-infer does with photos once its flags are read.

nst.infer.jobs
├── stylize_run     the whole of it
├── inputs          which pictures are meant
├── outputs         what the results are called, and where they go
├── one_photo       a photo, from its file to its results
├── batch           many photos at once
├── style_sessions  styles for one thread or many
└── report          lines, JSON, progress
"""

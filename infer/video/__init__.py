"""Video files: read, stylized and written frame by frame.

nst.infer.video
├── run             what nst-infer does with videos once its flags are read
├── report          lines, notices and a progress bar
├── clip            one video file stylized into another
├── pipeline        stages side by side, and results in order
├── writer          video files as sinks of frames
├── partial         names of videos that are not complete yet
├── copied          sound and subtitles, copied as they are
├── reader          video files as sources of frames
├── opened          video files that are read
├── timing          times in flags, and other frame rates
├── formats         which files hold which codecs, and how frames are encoded
├── colors          between the colours of a video and RGB
├── orientation     frames turned upright
├── scheduling      keeps encoders from taking the whole machine
└── protocol        what sources give and sinks take
"""

"""Writes a camera's results to outputs until it is killed; prints every index once all of them have it.

python recording_child.py FOLDER URI…
"""

import sys
import time

from edge_seg.sinks import Rotation, open_sink
from sink_fixtures import CLASSES, live, seen

folder, *uris = sys.argv[1:]
sinks = [open_sink(f"{folder}/{uri}", CLASSES, live(Rotation(every_s=2.5))) for uri in uris]
for index in range(1000):
    for sink in sinks:
        sink.write(seen(index))
    sys.stdout.write(f"{index}\n")
    sys.stdout.flush()
    time.sleep(0.01)

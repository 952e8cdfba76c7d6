"""Whether a fleet of cameras loses an alert: `python -m edge_seg_bench.fleet`.

    plan ─▶ driver processes: many cameras each ─▶ mosquitto ─▶ receiver ─▶ verdict
                                └── /metrics ─▶ Prometheus ────────────────┘

A simulated camera is all of `edge-seg camera --alert … --mqtt … --serve …` but for the pictures: those are made
by a plan, so that every event that must arrive is known before the run begins.
"""

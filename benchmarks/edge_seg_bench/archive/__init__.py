"""`edge-seg run --ray` against `edge-seg run`: the same pictures, the same cores, and what a million cost on paper."""

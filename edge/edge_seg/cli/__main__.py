"""`python -m edge_seg.cli` is `edge-seg`."""

from edge_seg.cli.app import main

if __name__ == "__main__":
    main()

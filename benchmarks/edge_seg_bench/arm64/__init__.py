"""The ARM cores of Raspberry Pi boards, emulated on x86-64: what they answer, and with how many instructions.

`python -m edge_seg_bench.arm64 MODEL...` counts, and `python -m edge_seg_bench.arm64.check RECORD` holds what ships
against recorded counts. Nothing here needs root: packages come through the system's apt
and from the package index into a folder of the user's cache, and run under qemu-user. Milliseconds under emulation
say nothing about a board; answers and instruction counts are the board's own.
"""

"""What this machine is, what is wrong with it for a camera that nobody watches, and what cures it.

Readings take `root`, where /proc, /sys and /etc are looked up, so that the files of any board can be laid
out in a folder; `checks` turns readings into findings and reads nothing itself.
"""

"""The classic experiments on one data set, side by side: `edge-seg train compare`."""

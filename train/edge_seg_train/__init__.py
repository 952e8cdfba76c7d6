"""Training: from a data set folder to a run folder."""

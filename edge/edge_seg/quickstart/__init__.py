"""The whole road on generated data: the same commands a user types, one after the other, and a report."""

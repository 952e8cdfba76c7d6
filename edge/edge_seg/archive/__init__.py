"""Archives of pictures through a model on Ray Data: the processes of one machine, or of many.

Each process holds one model, reads its pictures and writes their masks; what comes back to the one that started
them is a row a picture. That one alone writes the table. Ray, Arrow and fsspec come with the extra `cluster` and are
imported when a module of this package is.
"""

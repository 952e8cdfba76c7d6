"""Texts that a user gives and that go into JSON, topics and pages, where they must be Unicode."""


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8; an argument of other bytes holds lone surrogates (PEP 383)."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)

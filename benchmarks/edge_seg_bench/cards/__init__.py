"""Model cards: words that people write, and figures that are rendered from recorded results."""

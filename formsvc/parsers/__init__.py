"""Everything that comes back: what a file is, and the answers in it."""

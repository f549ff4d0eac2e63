"""Forms and letters for case conferences: issue them, read them back, lose nothing."""

__version__ = "0.1.0"

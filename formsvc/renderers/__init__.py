"""Everything that goes out: blanks, filled forms, and how their text is drawn."""

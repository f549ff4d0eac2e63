"""The scripts that names and notes of families may be written in."""

from typing import Final

SCRIPTS: Final = (
    ("Latin", "José Zoë"), ("Vietnamese", "Nguyễn"), ("Greek", "Ελένη"), ("Cyrillic", "Ковач"), ("Arabic", "محمد"), ("Hebrew", "שלום"),
    ("Devanagari", "क्षि"), ("Thai", "ไทย"), ("Khmer", "ខ្មែរ"), ("Ethiopic", "አማርኛ"), ("Chinese", "李小"), ("Japanese", "かなカナ"), ("Korean", "한글"), ("Emoji", "😀"),
)
"""Each with a sample: a machine without a font for it draws squares."""

"""What else happens to paper, beyond `degrade.py`: all of it held out, nothing learns from it.

Same use: `HARDER[name].apply(page, rng)` gives a picture and the exact place of every pixel of the page on it. A page is gray or
RGB at 300 dpi, and the picture has as many channels, except where a machine knows only black and white.
"""

from collections.abc import Mapping
from typing import Final

from benchmarks.scans.camera import cleaned_by_app, curled, fingers, letter_folds, lit, off_a_screen, photographed, shaken, shrunk
from benchmarks.scans.machines import (
    black_or_white,
    dithered,
    locally_black,
    mirrored,
    office_stamp,
    packed,
    scanned,
    sensor,
    slipped,
    smeared,
    too_bright,
    two_pages,
    whited_out,
)
from benchmarks.scans.scene import Harder

_PHOTO: Final = (lit(0.35), sensor(4, 0.7, 12, 240), packed(82))
HARDER: Final[Mapping[str, Harder]] = {way.name: way for way in (
    Harder("standard fax", "bilevel", (scanned((204, 98)), sensor(8, 0.5), black_or_white)),
    Harder("slipping fax", "bilevel", (slipped, scanned((204, 196)), sensor(10), black_or_white)),
    Harder("local threshold", "bilevel", (scanned(200), sensor(5), locally_black)),
    Harder("dithered", "bilevel", (scanned(300), sensor(4), dithered)),
    Harder("slipping feed", "scan", (slipped, scanned(200, angle=1.5), sensor())),
    Harder("cut off", "hard", (scanned(200, away=(0.075, -0.05)), sensor())),
    Harder("mirrored", "hard", (scanned(200), mirrored, sensor())),
    Harder("two pages", "hard", (two_pages, scanned(200), sensor())),
    Harder("office stamp", "scan", (office_stamp, scanned(200), sensor())),
    Harder("smeared ink", "scan", (smeared, scanned(200), sensor())),
    Harder("whited out", "scan", (whited_out, scanned(200), sensor())),
    Harder("too bright", "weak", (scanned(200), too_bright, sensor(3, 0.8, 0, 250))),
    Harder("photo on a desk", "photo", (curled(), photographed(), *_PHOTO)),
    Harder("photo, thumb", "photo", (curled(0.03), photographed(), fingers, *_PHOTO)),
    Harder("photo, 1600 px", "photo", (curled(0.03), photographed(250), lit(0.3), sensor(4, 0.8), packed(80), shrunk(1600), packed(60))),
    Harder("photo by a scanner app", "photo", (curled(0.03), photographed(margin=0.01, tilt=0.008), lit(0.3), sensor(4), cleaned_by_app, packed(75))),
    Harder("photo, cut off", "hard", (curled(0.04), photographed(away=(-0.1, 0.06)), *_PHOTO)),
    Harder("photo, letter folds", "hard", (letter_folds, photographed(), *_PHOTO)),
    Harder("photo, curled and shaken", "hard", (curled(0.11), photographed(tilt=0.09), lit(0.6), shaken(7), sensor(8, 0.8), packed(60))),
    Harder("photo of a screen", "hard", (off_a_screen, photographed(tilt=0.03), sensor(4, 0.6, 5, 235), packed(80))),
)}  # fmt: skip
"""By name."""

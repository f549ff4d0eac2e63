"""Two engines that read one line of text: Tesseract, and the recognition network of PP-OCR.

Both run in this process, on one thread, and never ask the network. Each is off where its data are missing.
"""

import ctypes
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import tesserocr
from numpy.typing import NDArray

from formsvc.model.kinds import Lang
from formsvc.parsers.ocr_crop import DPI
from formsvc.parsers.ocr_paper import runs
from formsvc.parsers.raster import Gray

_TESSDATA: Final = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata", "/opt/homebrew/share/tessdata", "/usr/local/share/tessdata")
_LANGS: Final = {"en": "eng", "es": "spa"}
_MODEL: Final = "rapidocr/models/PP-OCRv6_rec_small.onnx"
_HEIGHT: Final = 48
_STEP: Final = 32
"""Widths are multiples of it, so that the network is laid out anew for few sizes only."""
_WIDEST: Final = 3200
_LONG: Final = 960
"""Columns of the network's input from which on a line is read in halves."""
_SPACE: Final = 0.15
"""The width of a space, as a share of a line's height."""
_PALE: Final = 150
"""Lighter columns (of 255) hold no letter."""
_BORDER: Final = 12
_FADED: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What an engine reads: the text, the mean and the least certainty of its parts (0 to 1).

    `places` are the columns of the picture where the letters stand, spaces apart; empty if that is not told.
    `rival` is how likely any letter is another one instead (an accent, a comma for a full stop), at its clearest.
    """

    text: str
    mean: float
    least: float
    rival: float = 0.0
    places: NDArray[np.floating] = field(default_factory=lambda: np.zeros(0))


NOTHING: Final = Line(text="", mean=0.0, least=0.0)


class Tesseract:
    """Tesseract's network for one language."""

    def __init__(self, folder: Path, language: str) -> None:
        """Load the language's data."""
        self._api = tesserocr.PyTessBaseAPI(path=str(folder), lang=language, psm=tesserocr.PSM.SINGLE_LINE, oem=tesserocr.OEM.LSTM_ONLY)

    def read(self, picture: Gray, *, block: bool = False) -> Line:
        """The text of a line, or of a block of lines."""
        framed = cv2.copyMakeBorder(picture, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_CONSTANT, value=[255])
        height, width = framed.shape
        self._api.SetPageSegMode(tesserocr.PSM.SINGLE_BLOCK if block else tesserocr.PSM.SINGLE_LINE)
        self._api.SetImageBytes(framed.tobytes(), width, height, 1, width)
        self._api.SetSourceResolution(DPI)
        text = self._api.GetUTF8Text()
        parts = [word / 100 for word in self._api.AllWordConfidences()]
        self._api.Clear()
        return Line(text=tidy(text), mean=float(np.mean(parts)) if parts else 0.0, least=min(parts, default=0.0))


def tessdata() -> Path | None:
    """The folder of Tesseract's data: what TESSDATA_PREFIX says, else where systems keep it."""
    for folder in (os.environ.get("TESSDATA_PREFIX", ""), *_TESSDATA):
        if folder and (Path(folder) / "eng.traineddata").is_file():
            return Path(folder)
    return None


def open_tesseract(lang: Lang) -> Tesseract | None:
    """Tesseract for a language of the forms; None where its data are not installed."""
    folder = tessdata()
    if folder is None or not (folder / f"{_LANGS[lang]}.traineddata").is_file():
        return None
    return Tesseract(folder, _LANGS[lang])


class Network:
    """PP-OCR's recognition network, limited to the letters that forms in our languages are written in."""

    def __init__(self, model: Path) -> None:
        """Load weights and alphabet of the model."""
        content = model.read_bytes()
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8), engine=cv2.dnn.ENGINE_NEW)
        self._widths: set[int] = set()
        self._give_back: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", int)  # glibc's; other allocators do it by themselves
        self._letters = ["", *_alphabet(content), " "]
        del content
        self._give_back(0)
        self._latin = np.array([i for i, letter in enumerate(self._letters) if i == 0 or _is_latin(letter)])
        self._bare = np.array([ord(unicodedata.normalize("NFD", self._letters[i] or " ")[0]) for i in self._latin])
        self._bars = np.array([self._letters[i] in _BARS for i in self._latin])
        self._accented = np.array([len(unicodedata.normalize("NFD", self._letters[i])) > 1 for i in self._latin])

    def read(self, picture: Gray) -> Line:
        """The text of a line. A long one is read in halves: its network would take 200 MB."""
        at = _middle_gap(picture) if _inner(picture) > _LONG else 0
        if not at:
            return self._read(picture)
        first, last = self.read(picture[:, :at]), self.read(picture[:, at:])
        if not (first.text and last.text):
            return first if first.text else replace(last, places=last.places + at)
        ours, theirs = (len(line.places) for line in (first, last))
        return Line(
            text=f"{first.text} {last.text}", mean=(first.mean * ours + last.mean * theirs) / (ours + theirs), least=min(first.least, last.least),
            rival=max(first.rival, last.rival), places=np.concatenate([first.places, last.places + at]),
        )  # fmt: skip

    def _read(self, picture: Gray) -> Line:
        self._net.setInput(_shaped(picture))
        found: NDArray[np.float32] = self._net.forward()[0]
        if _width(picture) not in self._widths:  # it was laid out anew, and what it had before is free: 10 MB over a page of long notes
            self._widths.add(_width(picture))
            self._give_back(0)
        return self._decoded(found, _width(picture) / len(found) * picture.shape[1] / _inner(picture))

    def _decoded(self, found: NDArray[np.float32], step: float) -> Line:
        """Letters in their order: repeats and the empty sign dropped."""
        among = found[:, self._latin]
        best = among.argmax(axis=1)
        keep = (best != 0) & (np.concatenate(([True], best[1:] != best[:-1])))
        certain = among[np.arange(len(best)), best][keep]
        letters = [self._letters[self._latin[i]] for i in best[keep]]
        text = tidy("".join(letters))
        if not text:
            return NOTHING
        certain = certain[[letter != " " for letter in letters]]
        places = np.array([(at + 0.5) * step for at, letter in zip(np.flatnonzero(keep), letters, strict=True) if letter != " "])
        return Line(text=text, mean=float(certain.mean()), least=float(certain.min()), rival=self._rival(among, best, "".join(letters)), places=places)

    def _rival(self, among: NDArray[np.float32], best: NDArray[np.integer], text: str) -> float:
        """The greatest share that another letter has at the clearest column of a letter; neither the empty sign nor the space is a letter.

        An accent that a bare letter may have counts `_FADED` times: accents are what worn paper loses, and what both engines then miss.
        What looks the same and is told apart by the letters beside it is no rival.
        """
        letters = self._bare[best] != ord(" ")
        own = among[np.arange(len(best)), best]
        faded = self._accented[None, :] & ~self._accented[best][:, None] & (self._bare[None, :] == self._bare[best][:, None])
        others = np.where(faded, among * _FADED, among)
        others[np.arange(len(best)), best] = 0
        others[:, self._bare == ord(" ")] = 0
        runs = [(start, end) for start, end in _same(best) if best[start] != 0]
        for start, end in (run for run, at in zip(runs, range(len(text)), strict=True) if _is_told(text, at)):
            others[start:end, self._bars] = 0
        most = others.max(axis=1)
        share = most / np.maximum(own + most, 1e-6)
        return max((float(share[start + int(own[start:end].argmax())]) for start, end in _same(best) if letters[start]), default=0.0)


def _middle_gap(picture: Gray) -> int:
    """The middle of the widest gap between words in the middle third of a line; 0 if there is none as wide as a space."""
    high, wide = picture.shape
    empty = picture.min(axis=0) > _PALE
    gaps = [(end - start, (start + end) // 2) for start, end in runs(empty) if wide / 3 < (start + end) / 2 < 2 * wide / 3]
    most, middle = max(gaps, default=(0, 0))
    return int(middle) if most >= high * _SPACE else 0


def _same(values: NDArray[np.integer]) -> list[tuple[int, int]]:
    """Where runs of one value start and end."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(pairwise(edges))


@cache
def open_network() -> Network | None:
    """The network of the `rapidocr` distribution, whose code is not needed; None where it is not installed."""
    try:
        model = Path(str(metadata.distribution("rapidocr").locate_file(_MODEL)))
    except metadata.PackageNotFoundError:
        return None
    return Network(model) if model.is_file() else None


def _width(picture: Gray) -> int:
    """Columns of the network's input for a line."""
    full: int = -(-_inner(picture) // _STEP) * _STEP
    return full


def _inner(picture: Gray) -> int:
    """Columns of it that the line itself takes."""
    height, width = picture.shape
    return int(min(max(round(width * _HEIGHT / height), 8), _WIDEST))


def _shaped(picture: Gray) -> NDArray[np.float32]:
    """A line as the network takes it: 48 rows, shades from -1 to 1, filled up with paper on the right."""
    wide = _inner(picture)
    small = cv2.resize(picture, (wide, _HEIGHT), interpolation=cv2.INTER_AREA if picture.shape[0] > _HEIGHT else cv2.INTER_CUBIC)
    room = np.full((_HEIGHT, _width(picture)), 255, np.uint8)
    room[:, :wide] = small
    shades = (room.astype(np.float32) / 127.5) - 1.0
    return np.ascontiguousarray(np.broadcast_to(shades, (1, 3, *shades.shape)))


def tidy(text: str) -> str:
    """Text with single spaces in lines without empty ones, typographic signs as on a keyboard."""
    return "\n".join(_CAPITAL_I.sub("I", line) for part in text.translate(_KEYS).splitlines() if (line := " ".join(part.split())))


_BARS: Final = frozenset("Il|")
_CAPITAL_I: Final = re.compile(r"(?<![a-zà-ÿ'])[l|](?=[A-Z])|(?<![A-Za-zÀ-ÿ0-9'])[l|](?=[bcdfghjkmnpqrstvwxzñ][a-zà-ÿ]*[aeiouyáéíóúü])|(?<!\d )(?<![^\s(«\"¿¡])[l|](?=[\s.,;:!?)»\"]|$)")
"""A small l is a capital I before or among capitals, before a consonant at the start of a word that is no abbreviation (lb, ltd), and alone: in these fonts they look the same."""
_SMALL_L: Final = re.compile(r"(?<=[a-zà-ÿ])(?<!Mc)(?<!Mac)[Il|](?=[a-zà-ÿ]|[^A-Za-zÀ-ÿ]|$)")
_KEYS: Final = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "—": "-", "–": "-", "‐": "-", "ﬁ": "fi", "ﬂ": "fl"})
_MORE: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑ¿¡ºªàèìòùâêîôûäëïöçÀÈÌÒÙÂÊÎÔÛÄËÏÖÇßøØåÅãÃõÕ°€£½’‘“”–—«»")


def _is_told(text: str, at: int) -> bool:
    """Whether the letters beside it tell what a stroke of letter height is: a capital I, or a small l."""
    return text[at] in _BARS and bool(_CAPITAL_I.match(f"{text[:at]}l{text[at + 1 :]}", at) if text[at] != "l" else _SMALL_L.match(text, at))


def _is_latin(letter: str) -> bool:
    return len(letter) == 1 and (" " <= letter <= "~" or letter in _MORE)


# ---------------------------------------------------------------- the alphabet inside the model


def _alphabet(model: bytes) -> list[str]:
    """The letters that an ONNX file lists in its metadata (field 14: pairs of key 1 and value 2)."""
    for number, pair in _fields(model):
        if number == 14 and isinstance(pair, bytes):  # noqa: PLR2004
            parts = dict(_fields(pair))
            if parts.get(1) == b"character" and isinstance(value := parts.get(2), bytes):
                return value.decode().split("\n")
    raise ValueError("no alphabet")


def _fields(message: bytes) -> Iterable[tuple[int, bytes | int]]:
    """The fields of a protocol buffer: number and content."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        match tag & 7:
            case 0:
                value, at = _varint(message, at)
                yield tag >> 3, value
            case 2:
                size, at = _varint(message, at)
                yield tag >> 3, message[at : at + size]
                at += size
            case 1:
                at += 8
            case _:
                at += 4


def _varint(message: Sequence[int], at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004
            return value, at

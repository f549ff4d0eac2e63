"""Marks as people make them in boxes, drawn on a page in gray at 300 dpi: ticks, crosses, corrections, and ink that means nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Rng = np.random.Generator
Stroke = NDArray[np.float64]
"""[n, 2]: points on the way of a pen; in units of the box: (0, 0) is its upper left, (1, 1) its lower right corner."""

_FINE: Final = 4  # bits of a pixel's fraction
_LEAST, _MOST = 0.06, 0.36  # of a box covered: less is a speck, more is on the way to being filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What is written with. `width` in pixels at 300 dpi, `dark` from 0 (nothing) to 1 (black)."""

    name: str
    width: float
    dark: float
    grain: float = 0.0
    training: bool = True


PENS: Final[Mapping[str, Pen]] = {pen.name: pen for pen in (
    Pen(name="ballpoint", width=5.5, dark=0.8, grain=0.06),
    Pen(name="gel", width=8.0, dark=0.92),
    Pen(name="fineliner", width=4.5, dark=0.9),
    Pen(name="pencil, hard", width=5.0, dark=0.48, grain=0.14),
    Pen(name="pencil, soft", width=7.0, dark=0.66, grain=0.18, training=False),
    Pen(name="felt pen", width=13.0, dark=0.9),
    Pen(name="chisel tip", width=16.0, dark=0.8),
    Pen(name="marker", width=19.0, dark=0.93, training=False),
    Pen(name="red pen", width=6.5, dark=0.58),
    Pen(name="printed", width=4.0, dark=1.0),
)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A way to mark. `means`: empty, marked or void."""

    name: str
    means: str
    draw: Callable[[Rng], list[Stroke]]
    often: float = 1.0
    training: bool = True
    only_training: bool = False
    disputed: bool = False
    """People read it either way: learnt as both, so that the reader is unsure of it; not counted when its errors are."""


def curve(points: list[tuple[float, float]], rng: Rng, shake: float = 0.03) -> Stroke:
    """A smooth stroke through some points, a little off each."""
    knots = np.array(points) + rng.normal(0, shake, (len(points), 2))
    if len(points) == 2:
        middle = knots.mean(axis=0) + rng.normal(0, shake * 1.6, 2)
        knots = np.array([knots[0], middle, knots[1]])
    at = np.linspace(0, len(knots) - 1, 10 * len(knots))
    whole = np.clip(at.astype(int), 0, len(knots) - 2)
    part = (at - whole)[:, None]
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    before, here, after, beyond = padded[whole], padded[whole + 1], padded[whole + 2], padded[whole + 3]
    return np.asarray(0.5 * (2 * here + (after - before) * part + (2 * before - 5 * here + 4 * after - beyond) * part**2 + (3 * here - before - 3 * after + beyond) * part**3))


def _moved(strokes: list[Stroke], rng: Rng, aside: float, size: tuple[float, float] = (0.85, 1.2)) -> list[Stroke]:
    grow, off = rng.uniform(*size), rng.normal(0, aside, 2)
    return [(stroke - 0.5) * grow + 0.5 + off for stroke in strokes]


def _tick(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.12, 0.55), (0.38, 0.88), (rng.uniform(0.85, 1.3), rng.uniform(-0.4, 0.15))], rng, 0.05)], rng, 0.08)


def _small_tick(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.3, 0.55), (0.45, 0.72), (0.72, 0.3)], rng, 0.03)], rng, 0.08, (0.9, 1.2))


def _over_tick(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.0, 0.4), (0.4, 1.0), (1.7, -0.9)], rng, 0.08)], rng, 0.1)


def _cross(rng: Rng) -> list[Stroke]:
    out = rng.uniform(0.0, 0.18)
    return _moved([curve([(0.08 - out, 0.08 - out), (0.92 + out, 0.92 + out)], rng), curve([(0.92 + out, 0.1 - out), (0.08 - out, 0.9 + out)], rng)], rng, 0.06)


def _slash(rng: Rng) -> list[Stroke]:
    return _moved([curve([(-0.05, 1.05), (1.05, -0.05)], rng, 0.06)], rng, 0.07)


def _backslash(rng: Rng) -> list[Stroke]:
    return _moved([curve([(-0.02, 0.0), (1.02, 1.0)], rng, 0.06)], rng, 0.07)


def _dash(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.12, 0.5), (0.9, 0.48)], rng, 0.05)], rng, 0.06)


def _zigzag(rng: Rng, rows: int, left: float = 0.12, right: float = 0.88, top: float = 0.15, bottom: float = 0.85) -> Stroke:
    points = [(left if number % 2 == 0 else right, top + (bottom - top) * number / (rows - 1)) for number in range(rows)]
    return curve(points, rng, 0.03)


def _scribble(rng: Rng) -> list[Stroke]:
    return _moved([_zigzag(rng, int(rng.integers(4, 6)))], rng, 0.07, (0.8, 1.0))


def _dot(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.42, 0.42), (0.58, 0.45), (0.56, 0.6), (0.43, 0.57), (0.5, 0.5), (0.55, 0.52)], rng, 0.02)], rng, 0.06, (1.1, 1.5))


def _ring(rng: Rng) -> list[Stroke]:
    turn = np.linspace(0, 2 * np.pi * rng.uniform(1.0, 1.15), 14) + rng.uniform(0, 6)
    return _moved([curve([(0.5 + 0.82 * np.cos(one), 0.5 + 0.78 * np.sin(one)) for one in turn], rng, 0.04)], rng, 0.06)


def _round(rng: Rng, middle: float, wide: float) -> list[Stroke]:
    turn = np.linspace(0, 2 * np.pi * rng.uniform(0.97, 1.12), 16) + rng.uniform(0, 6)
    high = rng.uniform(0.65, 0.85)
    return [curve([(middle + wide * np.cos(one), 0.5 + high * np.sin(one)) for one in turn], rng, 0.04)]


def _label_ring(rng: Rng) -> list[Stroke]:
    """Round the label, not the box."""
    wide = rng.uniform(0.9, 2.6)
    return _round(rng, 1.3 + wide, wide)


def _long_ring(rng: Rng) -> list[Stroke]:
    """Round the box and its label."""
    wide = rng.uniform(1.8, 3.2)
    return _round(rng, wide - 0.5, wide)


def _beside(rng: Rng) -> list[Stroke]:
    """A tick or cross that missed the box."""
    off = np.array([rng.choice([-0.95, 1.0]) + rng.normal(0, 0.1), rng.normal(0, 0.15)])
    return [stroke + off for stroke in (_tick(rng) if rng.random() < 0.7 else _cross(rng))]


def _wave(rng: Rng) -> list[Stroke]:
    return _moved([curve([(0.05, 0.5), (0.3, 0.3), (0.6, 0.65), (0.95, 0.4)], rng)], rng, 0.06)


def _letter(rng: Rng) -> list[Stroke]:
    """An initial in the box."""
    return _moved([curve([(0.2, 1.0), (0.5, 0.0), (0.8, 1.0)], rng), curve([(0.3, 0.6), (0.7, 0.6)], rng)], rng, 0.06)


def _any_strokes(rng: Rng) -> list[Stroke]:
    """Whatever a hand may do in a box without filling it: so that the reader learns ink, not a list of shapes."""
    while True:
        strokes = [curve([tuple(rng.uniform(-0.2, 1.2, 2)) for _ in range(int(rng.integers(2, 7)))], rng, 0.02) for _ in range(int(rng.integers(1, 4)))]
        if _LEAST < _covered(strokes) < _MOST:
            return strokes


def _any_filling(rng: Rng) -> list[Stroke]:
    """Filled in along any direction, over anything."""
    first = _any_strokes(rng) if rng.random() < 0.5 else []
    return [*first, _turned(_zigzag(rng, int(rng.integers(13, 19)), -0.05, 1.05, -0.05, 1.05), rng), _turned(_zigzag(rng, int(rng.integers(9, 15)), 0.0, 1.0, 0.0, 1.0), rng)]


def _turned(stroke: Stroke, rng: Rng) -> Stroke:
    turn = rng.uniform(0, np.pi)
    return np.asarray((stroke - 0.5) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) + 0.5)


def _covered(strokes: list[Stroke]) -> float:
    """The share of a box that a ballpoint covers with them."""
    side = 46
    layer = np.zeros((side, side), np.uint8)
    for stroke in strokes:
        cv2.polylines(layer, [np.round(stroke * side).astype(np.int32)], isClosed=False, color=1, thickness=5)
    return float(layer.mean())


def _two_ticks(rng: Rng) -> list[Stroke]:
    return [*_tick(rng), *_tick(rng)]


def _arrow(rng: Rng) -> list[Stroke]:
    """Points at the box from the left."""
    return [curve([(-1.1, 0.5), (-0.2, 0.5)], rng), curve([(-0.5, 0.25), (-0.2, 0.5), (-0.5, 0.75)], rng)]


def _half_filled(rng: Rng) -> list[Stroke]:
    """More than a scribble, less than solid."""
    return [_zigzag(rng, int(rng.integers(7, 11)), 0.05, 0.95, 0.05, rng.uniform(0.6, 0.95))]


def _reaffirmed(rng: Rng) -> list[Stroke]:
    """Scratched out, and OK written beside it."""
    turn = np.linspace(0, 6.5, 10)
    letters = [curve([(1.9 + 0.35 * np.cos(one), 0.4 * np.sin(one)) for one in turn], rng), curve([(2.6, -0.4), (2.6, 0.4)], rng), curve([(3.1, -0.4), (2.65, 0.0), (3.1, 0.4)], rng)]
    return [*_scratched(rng), *letters]


def _filled(rng: Rng) -> list[Stroke]:
    """Solid: the printed rule says so for a wrong box."""
    return [_zigzag(rng, int(rng.integers(13, 18)), 0.02, 0.98, 0.02, 0.98), _zigzag(rng, 11, 0.05, 0.95, 0.05, 0.95)[:, ::-1]]


def _tick_filled(rng: Rng) -> list[Stroke]:
    return [*_tick(rng), *_filled(rng)]


def _cross_filled(rng: Rng) -> list[Stroke]:
    return [*_cross(rng), *_filled(rng)]


def _struck(rng: Rng) -> list[Stroke]:
    """Ticked, then struck out together with its label."""
    first = _cross(rng) if rng.random() < 0.5 else _tick(rng)
    return [*first, curve([(-0.6, rng.uniform(0.4, 0.6)), (1.5, 0.5), (rng.uniform(3.0, 4.4), rng.uniform(0.4, 0.6))], rng, 0.05)]


def _struck_twice(rng: Rng) -> list[Stroke]:
    return [*_struck(rng), curve([(-0.5, 0.75), (1.5, 0.7), (3.6, 0.72)], rng, 0.05)]


def _struck_empty(rng: Rng) -> list[Stroke]:
    """Struck out together with its label, and never ticked."""
    return [curve([(-0.5, rng.uniform(0.4, 0.6)), (1.5, 0.5), (rng.uniform(3.0, 4.4), rng.uniform(0.4, 0.6))], rng, 0.05)]


def _struck_label(rng: Rng) -> list[Stroke]:
    """Ticked, then the label struck out."""
    first = _cross(rng) if rng.random() < 0.5 else _tick(rng)
    return [*first, curve([(1.35, 0.5), (2.4, 0.5), (rng.uniform(3.0, 4.2), 0.5)], rng, 0.06)]


def _scratched(rng: Rng) -> list[Stroke]:
    """Ticked, then scratched out beyond the box."""
    return [*_tick(rng), _zigzag(rng, int(rng.integers(10, 15)), -0.25, 1.25, -0.1, 1.1)]


def _nothing(_rng: Rng) -> list[Stroke]:
    return []


def _speck(rng: Rng) -> list[Stroke]:
    at = rng.uniform(-0.4, 1.4, 2)
    return [np.array([at, at + rng.normal(0, 0.025, 2)])]


def _passing(rng: Rng) -> list[Stroke]:
    """A stroke of something else that passes beside the box."""
    if rng.random() < 0.5:
        up = rng.choice([-0.75, 1.75]) + rng.normal(0, 0.1)
        return [curve([(-1.5, up), (1.0, up + rng.normal(0, 0.1)), (3.5, up)], rng, 0.05)]
    aside = rng.choice([-0.75, rng.uniform(1.9, 3.5)])
    return [curve([(aside, rng.uniform(-0.8, -0.3)), (aside + rng.normal(0, 0.2), rng.uniform(0.7, 1.6))], rng, 0.05)]


def _underlined(rng: Rng) -> list[Stroke]:
    return [curve([(1.4, 1.15), (2.5, 1.12), (rng.uniform(3, 4.2), 1.18)], rng, 0.04)]


def _poking(rng: Rng) -> list[Stroke]:
    """The end of a neighbour's tick reaches over the edge."""
    return [curve([(-0.9, 1.5), (rng.uniform(-0.3, 0.12), rng.uniform(0.95, 1.15))], rng, 0.04)]


STYLES: Final[Mapping[str, Style]] = {style.name: style for style in (
    Style(name="nothing", means="empty", draw=_nothing, often=6),
    Style(name="speck", means="empty", draw=_speck, often=0.6),
    Style(name="passing stroke", means="empty", draw=_passing, often=0.5),
    Style(name="label underlined", means="empty", draw=_underlined, often=0.2),
    Style(name="neighbour's tick", means="empty", draw=_poking, often=0.25),
    Style(name="tick", means="marked", draw=_tick, often=1.3),
    Style(name="small tick", means="marked", draw=_small_tick, often=0.5),
    Style(name="large tick", means="marked", draw=_over_tick, often=0.5),
    Style(name="cross", means="marked", draw=_cross, often=1.3),
    Style(name="slash", means="marked", draw=_slash, often=0.4),
    Style(name="backslash", means="marked", draw=_backslash, often=0.25, training=False),
    Style(name="dash", means="marked", draw=_dash, often=0.2),
    Style(name="scribble", means="marked", draw=_scribble, often=0.25, training=False),
    Style(name="dot", means="marked", draw=_dot, often=0.2),
    Style(name="ring", means="marked", draw=_ring, often=0.25, training=False),
    Style(name="ring round label", means="marked", draw=_label_ring, often=0.2),
    Style(name="ring round both", means="marked", draw=_long_ring, often=0.15),
    Style(name="beside the box", means="marked", draw=_beside, often=0.3),
    Style(name="wave", means="marked", draw=_wave, often=0.06, training=False),
    Style(name="letter", means="marked", draw=_letter, often=0.1, training=False),
    Style(name="two ticks", means="marked", draw=_two_ticks, often=0.08, training=False),
    Style(name="any strokes", means="marked", draw=_any_strokes, often=1.5, only_training=True),
    Style(name="any filling", means="void", draw=_any_filling, often=0.6, only_training=True),
    Style(name="filled", means="void", draw=_filled, often=0.8),
    Style(name="tick, filled", means="void", draw=_tick_filled, often=0.6),
    Style(name="cross, filled", means="void", draw=_cross_filled, often=0.6),
    Style(name="struck out", means="void", draw=_struck, often=0.5),
    Style(name="struck out twice", means="void", draw=_struck_twice, often=0.2, training=False),
    Style(name="scratched out", means="void", draw=_scratched, often=0.4),
    Style(name="struck out, empty", means="void", draw=_struck_empty, often=0.2),
    Style(name="label struck out", means="void", draw=_struck_label, often=0.25),
    *(Style(name=f"{name}, {means}", means=means, draw=draw, often=0.08, disputed=True) for name, draw, either in (
        ("arrow", _arrow, ("empty", "marked")),
        ("half filled", _half_filled, ("marked", "void")),
        ("reaffirmed", _reaffirmed, ("marked", "void")),
    ) for means in either),
)}  # fmt: skip


def mark(page: Gray, box: tuple[float, float, float, float], style: Style, pen: Pen, rng: Rng) -> None:
    """Draw a mark onto a page, in place; `box` is left, top, right, bottom in its pixels."""
    strokes = style.draw(rng)
    if not strokes:
        return
    left, top, right, bottom = box
    size = np.array([right - left, bottom - top])
    width = pen.width * rng.uniform(0.8, 1.25) * (1.15 if style.means == "void" and "filled" in style.name else 1.0)
    dark = float(np.clip(pen.dark * rng.uniform(0.85, 1.08), 0.1, 1.0))
    _ink(page, [stroke * size + (left, top) for stroke in strokes], width, dark, pen.grain, rng)


def _ink(page: Gray, strokes: list[Stroke], width: float, dark: float, grain: float, rng: Rng) -> None:
    whole = np.concatenate(strokes)
    room = int(width) + 4
    low = np.maximum(np.floor(whole.min(axis=0)).astype(int) - room, 0)
    high = np.minimum(np.ceil(whole.max(axis=0)).astype(int) + room, (page.shape[1], page.shape[0]))
    if (high <= low).any():
        return
    layer = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    for stroke in strokes:
        points = np.round((stroke - low) * (1 << _FINE)).astype(np.int32)
        widths = np.clip(width * (1 + 0.18 * np.sin(np.linspace(rng.uniform(0, 6), rng.uniform(4, 12), len(points)))), 1, None)
        for start, end, wide in zip(points[:-1], points[1:], widths, strict=False):
            cv2.line(layer, tuple(map(int, start)), tuple(map(int, end)), 255, max(round(float(wide)), 1), cv2.LINE_AA, _FINE)
    share = layer.astype(np.float32) / 255 * dark
    if grain:
        share *= np.clip(1 - np.abs(rng.normal(0, grain * 2, layer.shape)), 0.15, 1).astype(np.float32)
    part = page[low[1] : high[1], low[0] : high[0]]
    part[:] = (part * (1 - share)).astype(np.uint8)


def sign(page: Gray, box: tuple[float, float, float, float], pen: Pen, rng: Rng) -> None:
    """A signature in a box of the page, in place."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    letters = int(rng.integers(7, 13))
    x = np.linspace(0.08, rng.uniform(0.5, 0.9), letters * 3)
    y = 0.55 + 0.22 * np.sin(np.arange(len(x)) * rng.uniform(1.7, 2.4) + rng.uniform(0, 6)) * rng.uniform(0.4, 1.3, len(x))
    strokes = [curve(list(zip(x, y, strict=True)), rng, 0.012)]
    if rng.random() < 0.5:
        strokes.append(curve([(0.1, 0.85), (0.5, 0.8), (0.85, 0.83)], rng, 0.02))
    _ink(page, [stroke * (wide, high) + (left, top) for stroke in strokes], pen.width, pen.dark, pen.grain, rng)

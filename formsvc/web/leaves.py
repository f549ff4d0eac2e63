"""Pictures of pages as SVG: turned the way up that they are read, and the part of one that a question is about."""

from typing import Final

from markupsafe import Markup

from formsvc.office.look import Spot

_WIDE: Final = 1400.0
"""CSS pixels that a whole page would be wide at the size that a part is shown in."""


def upright(width: float, height: float, turn: int) -> Markup:
    """The attribute that turns a page of this size by so many quarters clockwise into view; none for a page that stands."""
    moves = {1: f"translate({height} 0) rotate(90)", 2: f"translate({width} {height}) rotate(180)", 3: f"translate(0 {width}) rotate(270)"}
    return Markup('transform="{}"').format(moves[turn]) if turn in moves else Markup()


def window(spot: Spot) -> tuple[float, float, float, float]:
    """Left, top, width and height of a spot on its page when that was turned."""
    (width, height), (left, top, wide, high) = spot.size, spot.cut.box
    match spot.turn:
        case 1:
            return (height - top - high, left, high, wide)
        case 2:
            return (width - left - wide, height - top - high, wide, high)
        case 3:
            return (top, width - left - wide, high, wide)
    return (left, top, wide, high)


def shown_width(spot: Spot) -> int:
    """How wide a spot is shown, in CSS pixels."""
    width, height = spot.size
    return round(window(spot)[2] * _WIDE / (height if spot.turn % 2 else width))

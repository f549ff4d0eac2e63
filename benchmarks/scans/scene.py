"""A page on its way to us: the picture so far, and where the pixels of the page lie on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.scans.optics import Picture, Points, Warp, resampled

Rng = np.random.Generator
PAGE_DPI = 300


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture, and where pixels of the page (at 300 dpi) lie on it."""

    image: Picture
    mapping: Callable[[Points], Points]
    page: tuple[int, int]
    """Width and height of the page itself."""

    def warped(self, warp: Warp, size: tuple[int, int], fill: int = 255) -> "Seen":
        """Bent, moved, sized."""
        return self.moved(resampled(self.image, warp, size, fill), warp.there)

    def moved(self, image: Picture, there: Callable[[Points], Points]) -> "Seen":
        """A picture that was resampled elsewhere, and where its pixels went."""
        return Seen(image, lambda points: there(self.mapping(points)), self.page)

    def toned(self, image: Picture) -> "Seen":
        """The same places, other light."""
        return Seen(image, self.mapping, self.page)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]

    @property
    def rim(self) -> Points:
        """The outline of the page on the picture."""
        wide, high = self.page
        corners = np.array([(-0.5, -0.5), (wide - 0.5, -0.5), (wide - 0.5, high - 0.5), (-0.5, high - 0.5)])
        sides = [np.linspace(*side, 60) for side in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
        return self.mapping(np.concatenate(sides))


Step = Callable[[Seen, Rng], Seen]


@dataclass(frozen=True, slots=True)
class Harder:
    """One more way in which paper suffers: steps, in the order in which they happen."""

    name: str
    family: str
    """scan, bilevel, weak, photo or hard."""
    steps: tuple[Step, ...]
    training: bool = False

    def apply(self, page: Picture, rng: Rng) -> Seen:
        """The page as it arrives."""
        seen = Seen(page, lambda points: np.asarray(points, dtype=np.float64), (page.shape[1], page.shape[0]))
        for step in self.steps:
            seen = step(seen, rng)
        return seen


def as_gray(image: Picture) -> Picture:
    """Without colour."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def times(image: Picture, field: NDArray[np.float32] | NDArray[np.float64]) -> Picture:
    """Lighter or darker, place by place."""
    factor = field.astype(np.float32)
    levels = np.asarray(image * (factor if image.ndim == 2 else factor[..., None]), dtype=np.float32)
    return np.clip(levels, 0, 255).astype(np.uint8)


def tinted(image: Picture, ink: NDArray[np.float32], keeps: Sequence[float]) -> Picture:
    """Ink (0-255) over a picture, taking away a share of each colour; on gray, their mean."""
    share = ink.astype(np.float32) / 255
    if image.ndim == 2:
        return times(image, 1 - share * float(np.mean(keeps)))
    return np.clip(image * (1 - share[..., None] * np.array(keeps, np.float32)), 0, 255).astype(np.uint8)


def covered(image: Picture, cover: NDArray[np.float32], colour: Sequence[int], gray: int) -> Picture:
    """Something opaque in front, of a colour (or a gray, where there is no colour)."""
    if image.ndim == 2:
        return (image + (gray - image.astype(np.float32)) * cover).astype(np.uint8)
    return (image + (np.array(colour, np.float32) - image) * cover[..., None]).astype(np.uint8)

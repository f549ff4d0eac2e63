"""What a phone makes of a page on a desk: bent paper seen at a slant, lamps, hands, apps."""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.scans.optics import Chain, Picture, Plane, Points, bent_paper, slanted
from benchmarks.scans.scene import PAGE_DPI, Rng, Seen, Step, as_gray, covered, times


def curled(height: float = 0.05) -> Step:
    """The sheet does not lie flat: it rises at one side, as when it comes out of a folder; slopes are lighter and darker."""

    def step(seen: Seen, rng: Rng) -> Seen:
        along = np.linspace(0, 1, 200)
        rise = np.sin(np.pi * np.clip(along * rng.uniform(0.7, 1.2) + rng.uniform(0, 0.2), 0, 1.4)) * height * rng.uniform(0.5, 1)
        return _bent(seen, 0, rise * seen.size[0], 0.9)

    return step


def letter_folds(seen: Seen, rng: Rng) -> Seen:
    """Folded in three for an envelope and opened again: a zigzag with soft creases."""
    creases = (np.array([0, 1 / 3, 2 / 3, 1]) + rng.uniform(-0.012, 0.012, 4)).clip(0, 1)
    heights = np.array([0.0, 0.028, 0.006, 0.034]) * rng.uniform(0.7, 1.1)
    along = np.linspace(0, 1, 400)
    rise = np.interp(along, creases, heights)
    soft = np.convolve(np.pad(rise, 6, mode="edge"), np.hanning(15)[1:-1] / np.hanning(15).sum(), mode="valid")
    return _bent(seen, 1, soft * seen.size[1], 1.6)


def photographed(dpi: float = 220, tilt: float = 0.04, margin: float = 0.05, away: tuple[float, float] = (0, 0)) -> Step:
    """Taken by hand, with a desk around. `away` moves the page by shares of the picture: a part is cut off."""

    def step(seen: Seen, rng: Rng) -> Seen:
        wide, high = (length * dpi / PAGE_DPI for length in seen.size)
        out = (round(wide * (1 + 2 * margin)), round(high * (1 + 2 * margin)))
        spots = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) + rng.uniform(-tilt, tilt, (4, 2)) + away
        corners = [(float(x), float(y)) for x, y in spots * (wide, high) + (wide * margin, high * margin)]
        lying = seen.warped(slanted(seen.size, corners), out, 0)
        return lying.toned(_on_desk(lying.image, lying.rim, rng))

    return step


def lit(strength: float) -> Step:
    """A lamp from one side, the photographer's own shadow from the other."""

    def step(seen: Seen, rng: Rng) -> Seen:
        x, y = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64))
        turn, edge = rng.uniform(0, 6.28), rng.uniform(0.1, 0.7)
        toward = x * np.cos(turn) + y * np.sin(turn)
        field = 1 - strength * 0.35 * (1 - toward) - strength * 0.4 / (1 + np.exp((toward + edge) * 9))
        return seen.toned(times(seen.image, cv2.resize(field.astype(np.float32), seen.size, interpolation=cv2.INTER_CUBIC)))

    return step


def shaken(length: int) -> Step:
    """The hand moved: an odd length, so that nothing is moved on the whole."""

    def step(seen: Seen, rng: Rng) -> Seen:
        spot = np.zeros((length, length), np.float32)
        spot[length // 2] = 1
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1)
        kernel = cv2.warpAffine(spot, turn, (length, length))
        kernel = kernel + kernel[::-1, ::-1]
        return seen.toned(np.asarray(cv2.filter2D(seen.image, -1, kernel / kernel.sum()), dtype=np.uint8))

    return step


def fingers(seen: Seen, rng: Rng) -> Seen:
    """A thumb holds the page at its lower edge, out of focus and with its shadow."""
    wide, high = seen.size
    cover = np.zeros((high // 4, wide // 4), np.uint8)
    place, thumb = int(rng.uniform(0.1, 0.9) * wide / 4), int(0.045 * wide / 4)
    cv2.ellipse(cover, (place, high // 4), (thumb, int(0.13 * high / 4)), rng.uniform(-15, 15), 0, 360, 255, -1)
    shadow = cv2.resize(cv2.GaussianBlur(cover, (0, 0), 12), (wide, high)).astype(np.float32) / 255
    solid = cv2.resize(cv2.GaussianBlur(cover, (0, 0), 1.5), (wide, high)).astype(np.float32) / 255
    dark = times(seen.image, 1 - 0.45 * shadow)
    return seen.toned(covered(dark, np.asarray(solid, dtype=np.float32), (196, 146, 120), 160))


def shrunk(longest: int) -> Step:
    """What a messenger makes of a picture: its long side has so many pixels."""

    def step(seen: Seen, _rng: Rng) -> Seen:
        ratio = longest / max(seen.size)
        out = (round(seen.size[0] * ratio), round(seen.size[1] * ratio))
        shares = (out[0] / seen.size[0], out[1] / seen.size[1])
        image = np.asarray(cv2.resize(seen.image, out, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return seen.moved(image, lambda points: (points + 0.5) * shares - 0.5)

    return step


def off_a_screen(seen: Seen, rng: Rng) -> Seen:
    """Shown on a screen: coarse pixels with dark gaps, whose beat with the camera's pixels makes bands."""
    wide, high = seen.size
    coarse = cv2.resize(seen.image, (round(wide * 0.42), round(high * 0.42)), interpolation=cv2.INTER_AREA)
    shown = np.asarray(cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    beat = rng.uniform(0.012, 0.03, 2)
    across = np.cos(np.arange(wide) * beat[0] * 6.28 + (np.arange(wide) / wide) ** 2 * 18)
    down = np.cos(np.arange(high) * beat[1] * 6.28 + (np.arange(high) / high) ** 2 * 14)
    gaps = 0.94 - 0.05 * (np.arange(wide) % 3 == 0)
    return seen.toned(times(shown, (gaps + 0.07 * across)[None] + 0.05 * down[:, None]))


def cleaned_by_app(seen: Seen, _rng: Rng) -> Seen:
    """What a phone's scanner app makes of a photo: light evened out, contrast up, weak strokes gone pale."""
    small = cv2.resize(as_gray(seen.image), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    ground = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 21)
    even = times(seen.image, 250 / np.maximum(cv2.resize(ground, seen.size), 20).astype(np.float32))
    return seen.toned(np.clip((np.arange(256) - 70) * 1.65, 0, 255).astype(np.uint8)[even])


def _bent(seen: Seen, axis: int, heights: NDArray[np.float64], contrast: float) -> Seen:
    size = seen.size
    slope = np.gradient(heights, np.linspace(0, size[axis] - 1, len(heights)))
    shade = 1 - contrast * np.interp(np.arange(size[axis]), np.linspace(0, size[axis] - 1, len(slope)), np.clip(slope, -0.3, 0.3))
    field = np.broadcast_to(shade[None] if axis == 0 else shade[:, None], (size[1], size[0]))
    bend = bent_paper(axis, size, heights, 1.6 * max(size))
    rim = bend.there(seen.rim)
    least, room = rim.min(axis=0), np.ptp(rim, axis=0)
    fit = min(size[0] / room[0], size[1] / room[1])
    whole = Plane(np.array([[fit, 0, -fit * least[0]], [0, fit, -fit * least[1]], [0, 0, 1]]))  # what came nearer stays on the picture
    return seen.toned(times(seen.image, field * 0.94)).warped(Chain((bend, whole)), size, 0)


def _on_desk(image: Picture, outline: Points, rng: Rng) -> Picture:
    """The page on a desk with a grain, and with the shadow of its rim. What the page is, its outline tells."""
    high, wide = image.shape[:2]
    cover = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(cover, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    grain = cv2.resize(rng.uniform(-1, 1, (high // 12, wide // 160 + 2)).astype(np.float32), (wide, high), interpolation=cv2.INTER_CUBIC)
    shadow = cv2.resize(cv2.GaussianBlur(cv2.resize(cover, (wide // 8, high // 8), interpolation=cv2.INTER_AREA), (0, 0), 4), (wide, high))
    level = 1 + 0.1 * grain - 0.45 * (shadow.astype(np.float32) / 255)
    wood = np.array(((150, 112, 78), (92, 90, 88), (176, 160, 140))[int(rng.integers(3))], np.float32)
    desk = level * wood.mean() if image.ndim == 2 else level[..., None] * wood
    share = cover.astype(np.float32) / 255
    share = share if image.ndim == 2 else share[..., None]
    return np.clip(desk + (image - desk) * share, 0, 255).astype(np.uint8)

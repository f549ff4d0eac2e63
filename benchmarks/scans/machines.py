"""What scanners, copiers and faxes do to a page, and what happened to the paper before."""

import cv2
import numpy as np
from PIL import Image

from benchmarks.scans.optics import Plane, Sway, Table, flat
from benchmarks.scans.scene import PAGE_DPI, Rng, Seen, Step, as_gray, times, tinted


def scanned(dpi: float | tuple[float, float] = 200, angle: float = 0.4, aside: float = 8, away: tuple[float, float] = (0, 0)) -> Step:
    """Laid on the glass, a little askew. `away` moves the sheet by shares of its size: a part is not on the picture."""

    def step(seen: Seen, rng: Rng) -> Seen:
        across, down = dpi if isinstance(dpi, tuple) else (dpi, dpi)
        (wide, high), scale = seen.size, (across / PAGE_DPI, down / PAGE_DPI)
        out = (round(wide * scale[0]), round(high * scale[1]))
        move = (away[0] * out[0] + rng.uniform(-aside, aside), away[1] * out[1] + rng.uniform(-aside, aside))
        return seen.warped(flat(seen.size, out, scale=scale, angle=rng.uniform(-angle, angle), aside=move), out, 250)

    return step


def slipped(seen: Seen, rng: Rng) -> Seen:
    """Rollers pull unevenly: longer here, shorter there, drawn aside, shaking."""
    wide, high = seen.size
    rows = np.linspace(0, high - 1, 80)
    pace = 1 + 0.012 * np.sin(rows / high * rng.uniform(3, 7) + rng.uniform(0, 6)) + rng.uniform(-0.01, 0.01)
    places = np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(rows))])
    feed = Table(1, rows, places, np.ones(80), wide / 2)
    aside = 0.006 * high * (rows / high - 0.5) * rng.choice([-1, 1]) + 1.2 * np.sin(rows / high * 60)
    return seen.warped(feed, (wide, high), 250).warped(Sway(places, aside), (wide, high), 250)


def mirrored(seen: Seen, _rng: Rng) -> Seen:
    """Copied onto film, or scanned from the back of it."""
    wide, _ = seen.size
    warp = Plane(np.array([[-1.0, 0, wide - 1], [0, 1, 0], [0, 0, 1]]))
    return seen.moved(np.ascontiguousarray(seen.image[:, ::-1]), warp.there)


def two_pages(seen: Seen, rng: Rng) -> Seen:
    """An opened booklet on the glass: another page beside, and the dark gutter between."""
    wide, high = seen.size
    other = np.full_like(seen.image, 244)
    for row in range(int(0.12 * high), int(0.9 * high), int(0.028 * high)):
        end = int(wide * rng.uniform(0.5, 0.9))
        for left in range(int(0.1 * wide), end, int(0.05 * wide)):
            other[row : row + int(0.009 * high), left : left + int(wide * rng.uniform(0.01, 0.045))] = 70
    both = np.concatenate([other, seen.image], axis=1)
    away = np.abs(np.arange(2 * wide) - wide) / (0.012 * wide)
    shade = np.asarray(1 - 0.55 * np.exp(-away), dtype=np.float32)
    return seen.moved(times(both, np.broadcast_to(shade, both.shape[:2])), lambda points: points + np.array((wide, 0)))


def sensor(sigma: float = 3.0, soft: float = 0.6, black: int = 25, white: int = 243) -> Step:
    """A lens that is not sharp, ink that is not black, paper that is not white, and grain."""

    def step(seen: Seen, rng: Rng) -> Seen:
        image = cv2.GaussianBlur(seen.image, (0, 0), soft) if soft else seen.image
        levels = np.linspace(black, white, 256).astype(np.int16)[image]
        grain = np.resize((rng.standard_normal(400_009, dtype=np.float32) * sigma).round().astype(np.int16), image.shape)
        return seen.toned(np.clip(levels + grain, 0, 255).astype(np.uint8))

    return step


def packed(quality: int) -> Step:
    """JPEG, with its loss."""

    def step(seen: Seen, _rng: Rng) -> Seen:
        flag = cv2.IMREAD_GRAYSCALE if seen.image.ndim == 2 else cv2.IMREAD_COLOR
        return seen.toned(np.asarray(cv2.imdecode(cv2.imencode(".jpg", seen.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], flag), dtype=np.uint8))

    return step


def black_or_white(seen: Seen, _rng: Rng) -> Seen:
    """By the level that parts the two best."""
    return seen.toned(np.asarray(cv2.threshold(as_gray(seen.image), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1], dtype=np.uint8))


def locally_black(seen: Seen, _rng: Rng) -> Seen:
    """Against the light around each place, as machines do before Group 4: gray areas break up, weak strokes stay."""
    return seen.toned(np.asarray(cv2.adaptiveThreshold(as_gray(seen.image), 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 41, 14), dtype=np.uint8))


def dithered(seen: Seen, _rng: Rng) -> Seen:
    """A copier's setting for photos: gray becomes a dust of dots."""
    return seen.toned((np.asarray(Image.fromarray(as_gray(seen.image)).convert("1")) * np.uint8(255)).astype(np.uint8))


def too_bright(seen: Seen, _rng: Rng) -> Seen:
    """The lightness was turned up: thin strokes fade."""
    return seen.toned(np.clip(120 + 0.62 * np.arange(256), 0, 250).astype(np.uint8)[seen.image])


def office_stamp(seen: Seen, rng: Rng) -> Seen:
    """A rubber stamp, askew, badly inked, over whatever is there."""
    wide, high = seen.size
    stamp = np.zeros((260, 700), np.uint8)
    cv2.rectangle(stamp, (10, 10), (690, 250), 255, 8)
    cv2.putText(stamp, "RECEIVED", (55, 125), cv2.FONT_HERSHEY_DUPLEX, 3.6, 255, 9)
    cv2.putText(stamp, "NOV 19 2026", (95, 215), cv2.FONT_HERSHEY_DUPLEX, 2.4, 255, 6)
    inked = cv2.resize(rng.uniform(0.15, 1, (26, 70)).astype(np.float32), (700, 260)) * stamp
    matrix = cv2.getRotationMatrix2D((350, 130), rng.uniform(-14, 14), 1.0)
    matrix[:, 2] += np.array((rng.uniform(0.1, 0.6) * wide, rng.uniform(0.3, 0.75) * high))
    return seen.toned(tinted(seen.image, np.asarray(cv2.warpAffine(inked, matrix, (wide, high)), dtype=np.float32), (0.75, 0.8, 0.3)))


def smeared(seen: Seen, rng: Rng) -> Seen:
    """A sleeve went over wet ink: strokes trail off to one side."""
    image, (wide, high) = seen.image.copy(), seen.size
    for _ in range(4):
        top, left = int(rng.uniform(0.15, 0.8) * high), int(rng.uniform(0.05, 0.6) * wide)
        part = image[top : top + high // 14, left : left + wide // 4]
        kernel = np.zeros((1, 81), np.float32)
        kernel[0, :40] = np.linspace(0.2, 1, 40) / 24
        trail = cv2.filter2D(255 - part, -1, kernel) * np.float32(0.42)
        part[:] = np.clip(part - trail, 0, 255).astype(np.uint8)
    return seen.toned(image)


def whited_out(seen: Seen, rng: Rng) -> Seen:
    """Correction fluid: whiter than the paper, with a rim of shadow."""
    image, (wide, high) = seen.image.copy(), seen.size
    for _ in range(5):
        middle = (int(rng.uniform(0.1, 0.9) * wide), int(rng.uniform(0.25, 0.85) * high))
        axes = (int(rng.uniform(40, 130)), int(rng.uniform(18, 34)))
        angle = rng.uniform(-12, 12)
        cv2.ellipse(image, (middle[0] + 3, middle[1] + 4), axes, angle, 0, 360, (205,) * 3, -1)
        cv2.ellipse(image, middle, axes, angle, 0, 360, (255,) * 3, -1)
    return seen.toned(np.asarray(image, dtype=np.uint8))

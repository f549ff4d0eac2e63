"""What happens to a page between a printer and us: scanned, copied, faxed, photographed.

Each degradation takes a page in gray at 300 dpi and gives a picture, and where every point of the page lies on it,
exactly: the way back from the picture to the page is a homography plus a smooth shift, and is inverted step by step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]
Tone = Callable[[Gray, np.random.Generator], Gray]
Shift = Callable[[Points], Points]
"""From pixels of the picture to how far the page's pixel is moved."""

cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True, eq=False)
class Degraded:
    """A picture, and where pixels of the page (at 300 dpi) lie on it."""

    image: Gray
    matrix: NDArray[np.float64]
    shift: Shift | None = None

    def mapping(self, points: Points) -> Points:
        """Pixels of the picture for pixels of the page."""
        moved = np.asarray(points, dtype=np.float64)
        found: Points = _through(self.matrix, moved)
        if self.shift is not None:
            for _ in range(12):
                found = _through(self.matrix, np.asarray(moved - self.shift(found), dtype=np.float64))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """One way in which paper suffers. `training`: the tick reader may learn from it; the others are kept for measuring."""

    name: str
    family: str
    """scan, bilevel, weak, photo or hard."""
    place: "Callable[[np.random.Generator, int, int], tuple[NDArray[np.float64], tuple[int, int], Shift | None]]"
    tones: tuple[Tone, ...]
    training: bool = False
    desk: int = 255

    def apply(self, page: Gray, rng: np.random.Generator) -> Degraded:
        """The page as it arrives."""
        high, wide = page.shape
        matrix, (out_wide, out_high), shift = self.place(rng, wide, high)
        picture = _drawn(page, matrix, (out_wide, out_high), shift, self.desk)
        for tone in self.tones:
            picture = tone(picture, rng)
        return Degraded(picture, matrix, shift)


def _through(matrix: NDArray[np.float64], points: Points) -> Points:
    return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], dtype=np.float64)


def _drawn(page: Gray, matrix: NDArray[np.float64], size: tuple[int, int], shift: Shift | None, desk: int) -> Gray:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale < 0.75:  # a sensor adds up what falls on a pixel
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.42 / scale), dtype=np.uint8)
    if shift is None:
        return np.asarray(cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(desk,)), dtype=np.uint8)
    step = 8
    x, y = np.meshgrid(np.arange(0, size[0] + step, step, dtype=np.float64), np.arange(0, size[1] + step, step, dtype=np.float64))
    knots = np.stack([x.ravel(), y.ravel()], axis=1)
    back = _through(np.asarray(np.linalg.inv(matrix), dtype=np.float64), knots) + shift(knots)
    grid = back.reshape(*x.shape, 2).astype(np.float32)
    across, down = np.meshgrid(np.arange(size[0], dtype=np.float32) / step, np.arange(size[1], dtype=np.float32) / step)
    where = cv2.remap(grid, across, down, cv2.INTER_LINEAR)
    return np.asarray(cv2.remap(page, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderValue=(desk,)), dtype=np.uint8)


# ---------------------------------------------------------------- places


def _flat(dpi: float = 200, *, angle: float = 0.3, scale: float = 1.0, aside: float = 6, stretch: float = 0.0, quarter: int = 0, exact: bool = False) -> Any:
    """A flat page: `angle` is the most it is turned by (exactly, with `exact`), `aside` the most it is moved, in pixels."""

    def place(rng: np.random.Generator, wide: int, high: int) -> Any:
        size = dpi / 300
        turn = np.deg2rad((angle if exact else rng.uniform(-angle, angle)) + 90 * quarter)
        out = (round(wide * size), round(high * size)) if quarter % 2 == 0 else (round(high * size), round(wide * size))
        middle = np.array([[1, 0, -(wide - 1) / 2], [0, 1, -(high - 1) / 2], [0, 0, 1]])
        turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        sized = np.diag([size * scale * (1 + stretch), size * scale, 1.0])
        back = np.array([[1, 0, (out[0] - 1) / 2 + rng.uniform(-aside, aside)], [0, 1, (out[1] - 1) / 2 + rng.uniform(-aside, aside)], [0, 0, 1]])
        return back @ turned @ sized @ middle, out, None

    return place


def _photo(dpi: float = 220, *, tilt: float = 0.05, curl: float = 9.0, margin: float = 0.04) -> Any:
    """A page held under a camera: seen at a slant, and curled."""

    def place(rng: np.random.Generator, wide: int, high: int) -> Any:
        size = dpi / 300
        out = (round(wide * size * (1 + 2 * margin)), round(high * size * (1 + 2 * margin)))
        corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], dtype=np.float32)
        room = np.array([wide * size * margin, high * size * margin])
        aims = corners * size + room + rng.uniform(-tilt, tilt, (4, 2)) * np.array([wide * size, high * size]) * 0.6
        matrix = np.asarray(cv2.getPerspectiveTransform(corners, aims.astype(np.float32)), dtype=np.float64)
        wave, phase, lean = rng.uniform(1.4, 3.4), rng.uniform(0, 6), rng.uniform(-0.6, 0.6)

        def shift(points: Points) -> Points:
            along = (points[:, 0] + lean * points[:, 1]) / out[0]
            bend = curl * 300 / dpi * 0.8 * np.sin(wave * along * 2 + phase)
            return np.stack([0.25 * bend, bend], axis=1)

        return matrix, out, shift

    return place


def _folded(place: Any, depth: float = 7.0) -> Any:
    """Folded once: each half leans a little."""

    def folded(rng: np.random.Generator, wide: int, high: int) -> Any:
        matrix, out, _ = place(rng, wide, high)
        line = out[1] * rng.uniform(0.42, 0.58)
        soft = 240.0

        def shift(points: Points) -> Points:
            away = np.abs(points[:, 1] - line)
            bend = depth * np.exp(-away / (soft * 4))
            return np.stack([0.2 * bend, bend * np.sign(points[:, 1] - line) * (1 - np.exp(-away / soft))], axis=1)

        return matrix, out, shift

    return folded


# ---------------------------------------------------------------- tones


def noise(sigma: float) -> Tone:
    """Grain of a sensor."""
    def tone(picture: Gray, rng: np.random.Generator) -> Gray:
        return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)

    return tone


def blur(sigma: float) -> Tone:
    """Out of focus."""
    return lambda picture, _rng: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def jpeg(quality: int) -> Tone:
    """Packed with loss."""
    def tone(picture: Gray, _rng: np.random.Generator) -> Gray:
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE), dtype=np.uint8)

    return tone


def paper(black: int = 30, white: int = 240) -> Tone:
    """Ink is not black, paper is not white."""
    return lambda picture, _rng: (black + picture.astype(np.float32) * ((white - black) / 255)).astype(np.uint8)


def otsu(picture: Gray, _rng: np.random.Generator) -> Gray:
    """Black or white, by the level that parts the two best."""
    return np.asarray(cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1], dtype=np.uint8)


def at(level: int) -> Tone:
    """Black or white, by a fixed level."""
    return lambda picture, _rng: np.where(picture < level, 0, 255).astype(np.uint8)


def salt(share: float) -> Tone:
    """Specks, black and white."""
    def tone(picture: Gray, rng: np.random.Generator) -> Gray:
        found = picture.copy()
        spots = rng.random(picture.shape)
        found[spots < share / 2], found[spots > 1 - share / 2] = 0, 255
        return found

    return tone


def dropped_lines(picture: Gray, rng: np.random.Generator) -> Gray:
    """Rows that the line lost."""
    found = picture.copy()
    for row in rng.integers(0, picture.shape[0], 8):
        found[row] = 255
    return found


def low_toner(picture: Gray, rng: np.random.Generator) -> Gray:
    """Weak print: black is gray, with holes."""
    soft = cv2.GaussianBlur(rng.normal(0, 1, (picture.shape[0] // 6 + 1, picture.shape[1] // 6 + 1)).astype(np.float32), (0, 0), 1.2)
    holes = cv2.resize(soft, (picture.shape[1], picture.shape[0]))
    grain = rng.normal(0, 0.14, picture.shape)
    share = np.clip(0.42 + 0.55 * holes + grain, 0.12, 0.95)
    return np.asarray(np.clip(255 - (255 - picture.astype(np.float32)) * share, 0, 255), dtype=np.uint8)


def stain(picture: Gray, rng: np.random.Generator) -> Gray:
    """The ring of a cup."""
    ring = np.zeros(picture.shape, np.uint8)
    high, wide = picture.shape
    for _ in range(2):
        middle = (int(rng.uniform(0.2, 0.8) * wide), int(rng.uniform(0.2, 0.8) * high))
        cv2.ellipse(ring, middle, (int(0.11 * wide), int(0.1 * wide)), 0, 0, int(rng.uniform(250, 360)), 255, int(0.008 * wide))
    soft = cv2.GaussianBlur(ring, (0, 0), 4).astype(np.float32) / 255
    return (picture * (1 - 0.38 * soft)).astype(np.uint8)


def fold_line(picture: Gray, _rng: np.random.Generator) -> Gray:
    """The shadow of a fold."""
    high = picture.shape[0]
    away = np.abs(np.arange(high) - high * 0.5)
    dark = 1 - 0.3 * np.exp(-away / 3.0)
    return np.asarray(picture * dark[:, None], dtype=np.uint8)


def dark_edge(picture: Gray, _rng: np.random.Generator) -> Gray:
    """The lid was open."""
    found = picture.copy()
    found[:, : picture.shape[1] // 60] = 25
    found[: picture.shape[0] // 90] = 40
    return found


def lost_corner(picture: Gray, _rng: np.random.Generator) -> Gray:
    """A corner is torn off."""
    found = picture.copy()
    side = int(0.09 * max(picture.shape))
    cv2.fillPoly(found, [np.array([(0, 0), (side, 0), (0, side)], np.int32)], 90)
    return np.asarray(found, dtype=np.uint8)


def note_on_code(picture: Gray, _rng: np.random.Generator) -> Gray:
    """A sticky note over the upper right, where the square code is."""
    found = picture.copy()
    high, wide = picture.shape
    found[int(0.04 * high) : int(0.2 * high), int(0.83 * wide) : int(0.96 * wide)] = 225
    return found


def punched(picture: Gray, _rng: np.random.Generator) -> Gray:
    """Holes, and a staple."""
    found = picture.copy()
    high, wide = picture.shape
    for down in (0.25, 0.5, 0.75):
        cv2.circle(found, (int(0.018 * wide), int(down * high)), int(0.009 * wide), 60, -1)
    cv2.line(found, (int(0.02 * wide), int(0.02 * high)), (int(0.045 * wide), int(0.035 * high)), 70, 4)
    return np.asarray(found, dtype=np.uint8)


def streaks(picture: Gray, rng: np.random.Generator) -> Gray:
    """Dirt on the glass of a scanner: straight lines over the whole page."""
    found = picture.copy()
    for column in rng.integers(20, picture.shape[1] - 20, 5):
        found[:, column : column + 2] = (found[:, column : column + 2] * 0.55).astype(np.uint8)
    return found


def copied(picture: Gray, rng: np.random.Generator) -> Gray:
    """Copied once more: harder, with specks."""
    hard = np.clip((cv2.GaussianBlur(picture, (0, 0), 0.9).astype(np.float32) - 75) * 1.7, 0, 255).astype(np.uint8)
    return salt(0.0006)(np.asarray(hard, dtype=np.uint8), rng)


def light(strength: float) -> Tone:
    """Uneven light, with a shadow."""

    def tone(picture: Gray, rng: np.random.Generator) -> Gray:
        high, wide = picture.shape
        x, y = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64))
        field = 1 - strength * (0.5 + 0.5 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)))
        edge = rng.uniform(-0.3, 0.7)
        field *= 1 - 0.5 * strength / (1 + np.exp(-(x * rng.choice([-1, 1]) - edge) * 14))
        return np.asarray(np.clip(picture * cv2.resize(field, (wide, high)), 0, 255), dtype=np.uint8)

    return tone


def glare(picture: Gray, rng: np.random.Generator) -> Gray:
    """A lamp shines on the page."""
    high, wide = picture.shape
    x, y = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 96))
    spot = np.exp(-(((x - rng.uniform(0.3, 0.7)) / 0.16) ** 2 + ((y - rng.uniform(0.3, 0.7)) / 0.12) ** 2))
    return np.asarray(np.clip(picture + 70 * cv2.resize(spot, (wide, high)), 0, 255), dtype=np.uint8)


def motion(length: int) -> Tone:
    """The hand moved."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0 / length
    return lambda picture, _rng: np.asarray(cv2.filter2D(picture, -1, kernel), dtype=np.uint8)


def show_through(picture: Gray, _rng: np.random.Generator) -> Gray:
    """The back of the sheet shines through, mirrored."""
    back = cv2.GaussianBlur(cv2.flip(picture, 1), (0, 0), 2.2)
    return np.asarray(np.minimum(picture, 205 + back.astype(np.float32) * (50 / 255)), dtype=np.uint8)


def inverted(picture: Gray, _rng: np.random.Generator) -> Gray:
    """White on black."""
    return np.asarray(255 - picture, dtype=np.uint8)


def finger(picture: Gray, _rng: np.random.Generator) -> Gray:
    """A finger over a corner."""
    found = picture.copy()
    high, wide = picture.shape
    cv2.ellipse(found, (int(0.985 * wide), int(0.93 * high)), (int(0.05 * wide), int(0.03 * high)), -30, 0, 360, 120, -1)
    return np.asarray(found, dtype=np.uint8)


def moire(picture: Gray, _rng: np.random.Generator) -> Gray:
    """Photographed off a screen."""
    high, wide = picture.shape
    wave = 8 * np.sin(np.arange(wide) * 0.9)[None] + 8 * np.sin(np.arange(high) * 0.83)[:, None]
    return np.asarray(np.clip(picture + wave, 0, 255), dtype=np.uint8)


def highlighted(picture: Gray, rng: np.random.Generator) -> Gray:
    """Lines of a highlighter."""
    found = picture.astype(np.float32)
    high, wide = picture.shape
    for _ in range(6):
        row, column = int(rng.uniform(0.15, 0.85) * high), int(rng.uniform(0.05, 0.6) * wide)
        found[row : row + high // 60, column : column + wide // 4] *= 0.86
    return found.astype(np.uint8)


def messenger(picture: Gray, rng: np.random.Generator) -> Gray:
    """Sent through a chat program: packed again."""
    return jpeg(45)(jpeg(70)(picture, rng), rng)


def _made(rows: Sequence[tuple[Any, ...]]) -> Mapping[str, Degradation]:
    return {name: Degradation(name=name, family=family, place=place, tones=tuple(tones), training=training, desk=desk) for name, family, place, tones, training, desk in rows}


_SCAN: Final = (paper(25, 243), noise(4))
DEGRADATIONS: Final[Mapping[str, Degradation]] = _made([
    ("clean 300", "scan", _flat(300), _SCAN, True, 255),
    ("clean 200", "scan", _flat(200), _SCAN, True, 255),
    ("clean 150", "scan", _flat(150), _SCAN, True, 255),
    ("clean 100", "weak", _flat(100), _SCAN, False, 255),
    ("turned +3.5", "scan", _flat(200, angle=3.5, exact=True), _SCAN, True, 255),
    ("turned -3.5", "scan", _flat(200, angle=-3.5, exact=True), _SCAN, False, 255),
    ("turned 5", "scan", _flat(200, angle=5, exact=True), _SCAN, False, 255),
    ("turned 90", "scan", _flat(200, quarter=1), _SCAN, False, 255),
    ("turned 180", "scan", _flat(200, quarter=2), _SCAN, False, 255),
    ("turned 270", "scan", _flat(200, quarter=3), _SCAN, False, 255),
    ("JPEG 40 at 150", "scan", _flat(150), (*_SCAN, jpeg(40)), True, 255),
    ("JPEG 25", "scan", _flat(200), (*_SCAN, jpeg(25)), False, 255),
    ("fax", "bilevel", _flat(200), (blur(0.7), noise(10), otsu), True, 255),
    ("fine fax, noisy", "bilevel", _flat(204), (blur(0.8), noise(18), otsu, salt(0.004), dropped_lines), False, 255),
    ("one bit 300", "bilevel", _flat(300), (noise(8), at(128)), True, 255),
    ("inverted fax", "bilevel", _flat(200), (blur(0.7), noise(8), otsu, inverted), False, 255),
    ("low toner", "weak", _flat(200), (low_toner, *_SCAN), False, 255),
    ("copy of a copy", "weak", _flat(200, angle=1.2), (copied, blur(0.8), copied, noise(4)), False, 255),
    ("coffee", "scan", _flat(200), (stain, *_SCAN), False, 255),
    ("folded", "scan", _folded(_flat(200)), (fold_line, *_SCAN), False, 255),
    ("94 % with offset", "scan", _flat(200, scale=0.94, aside=20), _SCAN, True, 255),
    ("fit to A4", "scan", _flat(200, scale=0.9714), _SCAN, False, 255),
    ("dark edge", "scan", _flat(200), (*_SCAN, dark_edge), True, 255),
    ("corner lost", "scan", _flat(200), (*_SCAN, lost_corner), False, 255),
    ("code covered", "scan", _flat(200), (*_SCAN, note_on_code), False, 255),
    ("punched", "scan", _flat(200), (*_SCAN, punched), True, 255),
    ("blurred", "scan", _flat(200), (blur(1.5), *_SCAN), True, 255),
    ("noisy", "scan", _flat(200), (paper(30, 230), noise(18)), True, 255),
    ("streaks", "scan", _flat(200), (*_SCAN, streaks), False, 255),
    ("stretched feed", "scan", _flat(200, angle=1.5, stretch=0.012), _SCAN, False, 255),
    ("show-through", "scan", _flat(200), (show_through, *_SCAN), False, 255),
    ("highlighter", "scan", _flat(200), (highlighted, *_SCAN), False, 255),
    ("photo", "photo", _photo(220), (light(0.35), blur(0.8), noise(5), jpeg(80)), True, 110),
    ("photo, messenger", "photo", _photo(190, tilt=0.04), (light(0.3), blur(0.7), noise(5), messenger), False, 100),
    ("photo, low", "weak", _photo(140), (light(0.3), blur(0.9), noise(6), jpeg(60)), False, 120),
    ("photo, finger", "photo", _photo(220), (light(0.3), finger, blur(0.8), noise(5), jpeg(80)), False, 110),
    ("photo, glare", "photo", _photo(220), (light(0.25), glare, blur(0.8), noise(5), jpeg(80)), False, 110),
    ("photo, moire", "photo", _photo(220, curl=4), (moire, light(0.25), blur(0.8), noise(4), jpeg(75)), False, 90),
    ("hard photo", "hard", _photo(200, tilt=0.13, curl=14), (light(0.6), motion(5), blur(0.9), noise(9), jpeg(60)), False, 90),
])  # fmt: skip

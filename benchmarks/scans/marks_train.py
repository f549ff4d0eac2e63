"""Trains the tick reader: `python -m benchmarks.scans.marks_train DATA.npz WEIGHTS.onnx [--check HELD_OUT.npz]`.

DATA.npz is what `marks_data` writes or, of real paper, `formsvc review export`. Needs PyTorch and onnx, which neither the product nor its tests do. Seeded; one thread; about 15 minutes for 40,000 boxes.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """Two pictures in (the box, and the blank's), three scores out: empty, marked, void."""

    def __init__(self, known: Path | None = None) -> None:
        """About 93,000 weights; those of a written network to go on with, whose normalisation is already in them."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 24, 5, stride=2, padding=2), nn.BatchNorm2d(24), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(24, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.35), nn.Linear(64 * 4 * 8, 3),
        )  # fmt: skip
        self.warmth = nn.Parameter(torch.ones(1), requires_grad=False)
        if known is not None:
            self._take(known)

    def _take(self, known: Path) -> None:
        """Weights of a written network, in their order."""
        self.layers = nn.Sequential(*(layer for layer in self.layers if not isinstance(layer, nn.BatchNorm2d)))
        graph = onnx.load(str(known)).graph
        given = {value.name: torch.from_numpy(onnx.numpy_helper.to_array(value).copy()) for value in graph.initializer}
        steps = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
        own = [layer for layer in self.layers if isinstance(layer, nn.Conv2d | nn.Linear)]
        for layer, step in zip(own, steps, strict=True):
            layer.weight.data, layer.bias.data = given[step.input[1]].reshape(layer.weight.shape), given[step.input[2]]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Scores, calibrated."""
        return self.layers(pictures) / self.warmth


_LINED, _SPECKLED, _STAINED = 0.2, 0.12, 0.12


def varied(pictures: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A batch with small shifts, other light, blur and noise, so that nothing is learnt by heart."""
    moved = torch.roll(pictures[:, :1], tuple(int(step) for step in rng.integers(-1, 2, 2)), (2, 3))
    bright = torch.from_numpy(rng.uniform(0.75, 1.15, (len(labels), 1, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.normal(0, 0.04, (len(labels), 1, 1, 1)).astype(np.float32))
    changed = (moved - 0.5) * bright + 0.5 + lift
    if rng.random() < 0.3:
        changed = functional.avg_pool2d(changed, 3, 1, 1)
    if rng.random() < 0.5:
        changed = changed + torch.randn_like(changed) * float(rng.uniform(0, 0.06))
    return torch.cat([worn(changed, rng).clamp(-0.5, 0.5).float(), pictures[:, 1:]], dim=1)


def worn(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """What paper and machines add to some of a batch, whatever is marked: lines from edge to edge (folds, rollers), lost lines, specks, stains."""
    found = pictures.numpy() + 0.5
    down, across = np.mgrid[0 : found.shape[2], 0 : found.shape[3]].astype(np.float32)
    for number in np.flatnonzero(rng.random(len(found)) < _LINED):
        lying = rng.random() < 0.75
        along, over, length = (across, down, found.shape[2]) if lying else (down, across, found.shape[3])
        off = (over - rng.uniform(0, length) - rng.normal(0, 0.03) * along) / rng.uniform(0.5, 2.2)
        line = np.exp(-(off**2)) * rng.uniform(0.15, 0.95)
        found[number, 0] = found[number, 0] * (1 - line) if rng.random() < 0.75 else 1 - (1 - found[number, 0]) * (1 - line)
    for number in np.flatnonzero(rng.random(len(found)) < _SPECKLED):
        specks = rng.random(found.shape[2:]) < 10 ** rng.uniform(-3, -1.5)
        found[number, 0][specks] = rng.integers(0, 2, int(specks.sum()))
    for number in np.flatnonzero(rng.random(len(found)) < _STAINED):
        turn, edge = rng.uniform(0, 2 * np.pi), rng.uniform(1, 12)
        far = ((across - rng.uniform(0, 133)) * np.cos(turn) + (down - rng.uniform(0, 75)) * np.sin(turn)) / edge
        shade = 1 / (1 + np.exp(-far)) if rng.random() < 0.5 else np.exp(-((far / rng.uniform(0.5, 6)) ** 2))
        found[number, 0] *= 1 - rng.uniform(0.05, 0.4) * shade
    return torch.from_numpy(found - 0.5)


def loaded(file: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures as bytes ([n, 2, 75, 133]) and their labels."""
    data = np.load(file)
    return torch.from_numpy(np.stack([data["crops"], data["blanks"]], axis=1)), torch.from_numpy(data["labels"].astype(np.int64))


def scores_of(network: Network, pictures: torch.Tensor) -> torch.Tensor:
    """Scores of many pictures."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(pictures[at : at + 512].float() / 255 - 0.5) for at in range(0, len(pictures), 512)])


def told(name: str, scores: torch.Tensor, labels: torch.Tensor) -> None:
    """How many are right, and how the wrong ones are confused."""
    found = scores.argmax(1)
    table = torch.zeros(3, 3, dtype=torch.int64)
    for truth, guess in zip(labels, found, strict=True):
        table[truth, guess] += 1
    print(f"{name}: {100 * (found == labels).float().mean():.3f} % of {len(labels)}", table.tolist(), flush=True)


def main() -> None:
    """Train, calibrate, write, and read the written weights back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--check", type=Path)
    parser.add_argument("--known", type=Path, help="a written network to go on with")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--minutes", type=float, default=12)
    wanted = parser.parse_args()
    torch.manual_seed(7)
    torch.set_num_threads(1)
    rng = np.random.default_rng(7)
    pictures, labels = loaded(wanted.data)
    order = torch.from_numpy(rng.permutation(len(labels)))
    kept, rest = order[: len(order) // 20], order[len(order) // 20 :]
    network = Network(wanted.known)
    network.to(memory_format=torch.channels_last)
    print(sum(weight.numel() for weight in network.parameters()), "weights,", len(rest), "boxes", flush=True)
    best = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    begun, steps, done = time.monotonic(), 0, 0.0
    while done < 1:
        network.train()
        for at in torch.from_numpy(rng.permutation(len(rest))).split(128):
            done = min((time.monotonic() - begun) / 60 / wanted.minutes, 1.0)
            for group in best.param_groups:
                group["lr"] = wanted.rate * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done))) * min(1.0, (steps + 1) / 200)
            chosen = rest[at]
            batch = varied(pictures[chosen].float() / 255 - 0.5, labels[chosen], rng).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):  # this and the order of channels: 2.3 times as many boxes in the same time
                scores = network(batch)
            loss = functional.cross_entropy(scores.float(), labels[chosen], label_smoothing=0.01)
            best.zero_grad()
            loss.backward()
            best.step()
            steps += 1
            if done >= 1:
                break
        told(f"step {steps}, {done:.0%}", scores_of(network, pictures[kept]), labels[kept])
    calibrate(network, pictures[kept], labels[kept])
    if wanted.check:
        check, truths = loaded(wanted.check)
        told("held out", scores_of(network, check), truths)
    write(network, wanted.weights, pictures[kept][:64])


def calibrate(network: Network, pictures: torch.Tensor, labels: torch.Tensor) -> None:
    """Divide the scores so that what is said with 98 % is right in 98 %."""
    scores = scores_of(network, pictures)
    choices = np.exp(np.linspace(-1, 1.5, 60))
    losses = [float(functional.cross_entropy(scores / float(choice), labels)) for choice in choices]
    network.warmth.fill_(float(choices[int(np.argmin(losses))]))
    print("warmth", float(network.warmth), flush=True)


def write(network: Network, file: Path, pictures: torch.Tensor) -> None:
    """The weights as ONNX; OpenCV must read the same out of them."""
    network.eval()
    example = pictures.float() / 255 - 0.5
    torch.onnx.export(network, (example[:1],), str(file), input_names=["pictures"], output_names=["scores"], dynamic_axes={"pictures": {0: "n"}, "scores": {0: "n"}}, opset_version=17, dynamo=False)
    reader = cv2.dnn.readNetFromONNX(np.frombuffer(file.read_bytes(), np.uint8))
    reader.setInput(example.numpy())
    difference = np.abs(np.asarray(reader.forward()).reshape(-1, 3) - network(example).detach().numpy()).max()
    print("largest difference in OpenCV:", difference, file.stat().st_size, "bytes", flush=True)
    assert difference < 1e-3


if __name__ == "__main__":
    main()

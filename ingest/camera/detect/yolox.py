"""Any YOLOX-style ONNX model (Ge et al. 2021): one output of grid cells, COCO classes, no decoding inside the model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from config.thresholds.camera import ModelThresholds
from ingest.camera.detect import Detection, Image, Kind, ModelError
from ingest.camera.geometry import Box, common

COCO: dict[int, Kind] = {
    0: Kind.PERSON,
    1: Kind.BICYCLE,
    2: Kind.CAR,
    3: Kind.MOTORCYCLE,
    5: Kind.BUS,
    7: Kind.TRUCK,
}
"""Places of the classes among COCO's 80."""

STRIDES = (8, 16, 32)

PAD = 114
"""Grey beside the picture, as in the training of YOLOX."""


class Yolox:
    """The detector that knows what a car is."""

    blinded = False
    ready = True

    def __init__(self, path: Path, thresholds: ModelThresholds) -> None:
        """Load the model file.

        Raises:
            ModelError: It cannot be read, or is of another form.
        """
        self._t = thresholds
        self.name = path.stem
        if not path.is_file():
            raise ModelError(f"{path}: there is no such model file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # A camera's process shares its machine with many: memory goes back between frames.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a class of its own for each of its status codes
            raise ModelError(f"{path}: is not a model that onnxruntime can load: {_first(error)}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]):
            raise ModelError(f"{path}: its input is {shape}; a YOLOX model takes one picture, 1 x 3 x height x width")
        self._input = inputs[0].name
        self._height, self._width = int(shape[2]), int(shape[3])
        self._grid, self._scale = _grid(self._height, self._width)
        given = outputs[0].shape
        if len(given) != 3 or given[1] != len(self._grid) or not isinstance(given[2], int) or given[2] < 5 + 8:
            raise ModelError(
                f"{path}: its output is {given}; a YOLOX model of this input gives 1 x {len(self._grid)} x (5 + classes), "
                "in the order of COCO"
            )

    def reset(self) -> None:
        """Nothing to forget."""

    def detect(self, frame: Image, time: float) -> list[Detection]:  # noqa: ARG002  the time is of no use to it
        """Vehicles and people in `frame`; a rider and what is ridden are one."""
        found: list[tuple[Kind, float, Box]] = []
        for left, top, right, bottom in self._tiles(frame):
            for kind, score, box in self._look(frame[top:bottom, left:right]):
                found.append((kind, score, (box[0] + left, box[1] + top, box[2] + left, box[3] + top)))
        return ridden(self._alone(found), self._t)

    def _tiles(self, frame: Image) -> list[tuple[int, int, int, int]]:
        """The whole, and overlapping parts of it where it is much larger than the model's input."""
        height, width = frame.shape[:2]
        tiles = [(0, 0, width, height)]
        across = max(1, round(width / (self._width * self._t.tile.value)))
        down = max(1, round(height / (self._height * self._t.tile.value)))
        if across * down > 1:
            share = self._t.tile_overlap.value
            for row in range(down):
                for column in range(across):
                    x0, x1 = (column - share) * width / across, (column + 1 + share) * width / across
                    y0, y1 = (row - share) * height / down, (row + 1 + share) * height / down
                    tiles.append((max(0, int(x0)), max(0, int(y0)), min(width, int(x1)), min(height, int(y1))))
        return tiles

    def _look(self, part: Image) -> list[tuple[Kind, float, Box]]:
        height, width = part.shape[:2]
        ratio = min(self._height / height, self._width / width)
        wide, high = max(1, round(width * ratio)), max(1, round(height * ratio))
        padded = np.full((self._height, self._width, 3), PAD, np.uint8)
        padded[:high, :wide] = cv2.resize(part, (wide, high), interpolation=cv2.INTER_LINEAR)
        picture = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
        raw: NDArray[np.float32] = self._session.run(None, {self._input: picture})[0][0]
        places = np.array(list(COCO))
        scores = raw[:, 4:5] * raw[:, 5 + places]
        best = scores.max(axis=1)
        keep = np.flatnonzero(best >= self._t.score.value)
        if not len(keep):
            return []
        middle = (raw[keep, :2] + self._grid[keep]) * self._scale[keep] / ratio
        size = np.exp(raw[keep, 2:4]) * self._scale[keep] / ratio
        kinds = list(COCO.values())
        chosen = scores[keep].argmax(axis=1)
        corner = np.hstack([middle - size / 2, middle + size / 2])
        return [
            (kinds[int(kind)], float(best[index]), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
            for kind, index, box in zip(chosen, keep, corner, strict=True)
        ]

    def _alone(self, found: list[tuple[Kind, float, Box]]) -> list[Detection]:
        """One detection a thing, the surest first; a car that is also called a truck is one thing."""
        kept: list[Detection] = []
        if not found:
            return kept
        boxes = [(box[0], box[1], box[2] - box[0], box[3] - box[1]) for _, _, box in found]
        groups = [1 if kind is Kind.PERSON else 0 for kind, _, _ in found]
        index = cv2.dnn.NMSBoxesBatched(
            boxes, [score for _, score, _ in found], groups, self._t.score.value, self._t.overlap.value
        )
        for place in np.asarray(index).reshape(-1).tolist():
            kind, score, box = found[place]
            if not any(_within(box, other.box) > self._t.part.value for other in kept if _alike(kind, other.kind)):
                kept.append(Detection(box, kind, score))
        return kept


def ridden(found: list[Detection], thresholds: ModelThresholds) -> list[Detection]:
    """Take away the riders: a person of whom much is over a motorcycle or bicycle belongs to it, which grows by it."""
    rides = [item for item in found if item.kind in (Kind.MOTORCYCLE, Kind.BICYCLE)]
    people = [item for item in found if item.kind is Kind.PERSON]
    others = [item for item in found if item not in rides and item not in people]
    walking: list[Detection] = []
    for person in people:
        left, top, right, bottom = person.box
        # Legs and seat: the lower half of whoever rides is in front of the machine.
        lower: Box = (left, (top + bottom) / 2, right, bottom)
        mine = [(_within(lower, ride.box), index) for index, ride in enumerate(rides)]
        share, index = max(mine, default=(0.0, -1))
        if share < thresholds.rider.value:
            walking.append(person)
            continue
        ride = rides[index]
        whole = (min(ride.box[0], left), min(ride.box[1], top), max(ride.box[2], right), max(ride.box[3], bottom))
        rides[index] = Detection(whole, ride.kind, max(ride.score, person.score))
    return [*others, *rides, *walking]


def _alike(one: Kind, other: Kind) -> bool:
    return (one is Kind.PERSON) == (other is Kind.PERSON)


def _within(one: Box, other: Box) -> float:
    size = (one[2] - one[0]) * (one[3] - one[1])
    return common(one, other) / size if size > 0 else 0.0


def _grid(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cell and stride of each row of the output."""
    cells: list[NDArray[np.float32]] = []
    scales: list[NDArray[np.float32]] = []
    for stride in STRIDES:
        y, x = np.meshgrid(np.arange(height // stride), np.arange(width // stride), indexing="ij")
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
        scales.append(np.full((x.size, 1), stride, np.float32))
    return np.concatenate(cells), np.concatenate(scales)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]

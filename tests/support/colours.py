"""How far colours stand out, and how far apart they are for readers who lack a kind of cone."""

import numpy as np
from numpy.typing import NDArray

GROUNDS = {"light": "#ffffff", "dark": "#111111"}  # of JupyterLab's two themes

CONES = {
    "none": np.eye(3),
    "protanope": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranope": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanope": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
_TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
_WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> NDArray[np.float64]:
    """Red, green and blue of "#rrggbb" as amounts of light, 0 to 1."""
    shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """That of WCAG 2.1: from 1, the same, to 21, black on white."""
    dark, light = sorted(
        float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other)
    )
    return (light + 0.05) / (dark + 0.05)


def apart(one: str, other: str, missing: str) -> float:
    """The distance of two colours in CIE Lab, as seen without a kind of cone."""
    return float(np.linalg.norm(_lab(one, missing) - _lab(other, missing)))


def _lab(colour: str, missing: str) -> NDArray[np.float64]:
    seen = np.clip(CONES[missing] @ linear(colour), 0, 1)
    x, y, z = (
        np.cbrt(share) if share > 0.008856 else 7.787 * share + 16 / 116
        for share in _TO_XYZ @ seen / _WHITE
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

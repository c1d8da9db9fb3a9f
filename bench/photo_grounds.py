"""What parts are photographed on: (TILE, TILE, 3) linear albedo, repeating at its edges.

Used by bench.photo_simulator alone. Each ground takes a generator of random numbers.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
TILE = 1024  # pixels


def vivid(rng: Rng, saturation: float = 0.8) -> NDArray[np.float64]:
    """(3,) the albedo of a strong colour."""
    hue = rng.uniform(0, 2 * np.pi) + np.array([0, 2.1, 4.2])
    return (0.5 + 0.5 * saturation * np.cos(hue)) ** 2 * rng.uniform(0.35, 0.9)


def _noise(rng: Rng, across: float, along: float | None = None) -> NDArray[np.float64]:
    """(TILE, TILE) repeating, mean 0, deviation 1; blobs of `across` x `along` pixels."""
    fy, fx = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    keep = np.exp(-2 * np.pi**2 * ((fx * across) ** 2 + (fy * (along or across)) ** 2))
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(TILE, TILE))) * keep, (TILE, TILE))
    return noise / noise.std()


def _rough_noise(rng: Rng, size: float) -> NDArray[np.float64]:
    noise = sum(_noise(rng, size / 2**i) * 0.6**i for i in range(4))
    return np.asarray(noise / np.std(noise))


def _wood(rng: Rng) -> NDArray[np.float64]:
    tones = [(0.50, 0.30, 0.14), (0.25, 0.12, 0.05), (0.62, 0.45, 0.26), (0.09, 0.05, 0.03)]
    base = np.array(tones[rng.integers(len(tones))]) * rng.uniform(0.8, 1.2)
    x = np.arange(TILE) / TILE
    rings = np.sin(2 * np.pi * (rng.integers(6, 14) * x[None] + 0.5 * _noise(rng, 60, 300)))
    value = 0.12 * rings + 0.12 * _noise(rng, 1.2, 60) + 0.05 * _noise(rng, 1, 6)
    if rng.random() < 0.4:  # planks
        plank = (x * rng.integers(2, 5)) % 1
        value = value - 0.7 * np.exp(-(((plank - 0.5) / 0.006) ** 2))[None]
    return base * np.exp(value * rng.uniform(0.7, 1.8))[..., None]


def _cloth(rng: Rng) -> NDArray[np.float64]:
    y, x = np.mgrid[0:TILE, 0:TILE] * (2 * np.pi * rng.integers(60, 150) / TILE)
    weave = np.sin(x + 0.5 * _noise(rng, 8)) * np.sin(y + 0.5 * _noise(rng, 8))
    folds = _noise(rng, 50, 110)
    value = 0.25 * weave + 0.12 * _noise(rng, 1.5) + rng.uniform(0.02, 0.16) * folds
    base = vivid(rng, rng.uniform(0, 0.9))
    if rng.random() < 0.3:  # stripes
        other = vivid(rng, 0.7)
        stripe = (np.sin(x * rng.integers(4, 9) / rng.integers(60, 100)) > 0.3)[..., None]
        return np.where(stripe, base, other) * np.exp(value)[..., None]
    return base * np.exp(value)[..., None]


def _paper(rng: Rng) -> NDArray[np.float64]:
    tint = [(0.82, 0.82, 0.80), (0.78, 0.74, 0.66), (0.45, 0.32, 0.2), (0.3, 0.32, 0.34)]
    base = np.array(tint[rng.integers(len(tint))])
    value = 0.015 * _noise(rng, 1.5) + 0.02 * _noise(rng, 80)
    return base * np.exp(value)[..., None]


def _marble(rng: Rng) -> NDArray[np.float64]:
    veins = np.exp(-(np.abs(_rough_noise(rng, 90)) / rng.uniform(0.04, 0.15)))
    fine = np.exp(-(np.abs(_rough_noise(rng, 40)) / 0.05)) * 0.4
    light, dark = np.array([0.78, 0.77, 0.75]), np.array([0.25, 0.24, 0.26])
    if rng.random() < 0.35:
        light, dark = np.array([0.04, 0.045, 0.05]), np.array([0.6, 0.55, 0.45])
    share = np.clip(0.7 * veins + fine, 0, 1)[..., None]
    return (light * (1 - share) + dark * share) * np.exp(0.06 * _noise(rng, 60))[..., None]


def _speckled(rng: Rng) -> NDArray[np.float64]:
    base = np.full(3, rng.choice([0.12, 0.35, 0.6])) * (1 + 0.08 * rng.normal(size=3))
    ground = np.broadcast_to(base, (TILE, TILE, 3)).copy()
    for tone in (0.5, 1.7, *rng.uniform(0.5, 1.6, 2)):
        grains = _noise(rng, rng.uniform(1.2, 4)) > rng.uniform(1.3, 2.0)
        ground[grains] = base * tone * (1 + 0.1 * rng.normal(size=3))
    return np.clip(ground, 0.01, 0.9) * np.exp(0.05 * _noise(rng, 2))[..., None]


def _mat(rng: Rng) -> NDArray[np.float64]:
    base = np.array([(0.04, 0.2, 0.13), (0.05, 0.1, 0.25), (0.08, 0.08, 0.09)][rng.integers(3)])
    step = TILE // 16
    line = np.zeros((TILE, TILE))
    line[::step], line[:, ::step] = 1, 1
    line = cv2.GaussianBlur(line, (0, 0), 0.8)[..., None]
    value = 0.05 * _noise(rng, 1.2) + 0.05 * _noise(rng, 70)
    return base * np.exp(value)[..., None] * (1 - line) + line * 0.4


def _leather(rng: Rng) -> NDArray[np.float64]:
    base = np.array([(0.16, 0.07, 0.03), (0.02, 0.02, 0.02), (0.3, 0.2, 0.12)][rng.integers(3)])
    pores = np.abs(_noise(rng, 5)) ** 0.5
    return base * np.exp(0.35 * (pores - 0.8) + 0.12 * _noise(rng, 80))[..., None]


def _felt(rng: Rng) -> NDArray[np.float64]:
    value = 0.05 * _noise(rng, 1.3) + 0.04 * _noise(rng, 60)
    return vivid(rng, rng.uniform(0, 0.9)) * np.exp(value)[..., None]


DESKS = {
    "wood": _wood,
    "cloth": _cloth,
    "paper": _paper,
    "marble": _marble,
    "speckled": _speckled,
    "mat": _mat,
    "leather": _leather,
}
GROUNDS = DESKS | {"felt": _felt}
GROUND_SHARES = (0.22, 0.2, 0.22, 0.09, 0.09, 0.09, 0.09)  # what desks are made of

"""What stands for "gone": a place of a picture blurred away, with a soft border.

Not painted over: a hard border is an edge that neither picture has, and an explanation that may
make them finds them (Fong and Vedaldi, "Interpretable explanations of black boxes by meaningful
perturbation", 2017). A part that is blurred inside its outline alone still stands there as a
shape, so what goes takes the outline with it.
"""

import cv2
import numpy as np

from search.engine.explain.types import Bytes, Flags, Floats

BLUR = 0.1  # of the picture's side: the standard deviation of what stands for "gone"
SOFT = 0.022  # of the side: the border between what is there and what is gone
BORDER = 0.06  # of the side, around the part


def picture_blur(picture: Bytes) -> Bytes:
    """What is left of a picture (s, s, 3) when its details are gone."""
    sigma = BLUR * picture.shape[0]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def flags_soften(gone: Flags) -> Floats:
    """(s, s) -> (s, s) 0..1: how far each place is gone."""
    return np.asarray(cv2.GaussianBlur(gone.astype(np.float32), (0, 0), SOFT * gone.shape[0]))


def pictures_mix(of: Bytes, into: Bytes, shares: Floats) -> Bytes:
    """Where `shares` (s, s) is 1, `into` (s, s, 3); where it is 0, `of`."""
    return np.asarray(cv2.blendLinear(into, of, shares, 1 - shares))


def part_widen(mask: Flags) -> Flags:
    """The part (s, s) and its border."""
    reach = 2 * round(BORDER * mask.shape[0]) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel)) > 0

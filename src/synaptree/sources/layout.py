"""Images as strings for a tree: the quad-tree of their pixels."""

import numpy as np
from numpy.typing import NDArray

from synaptree.sources.base import Array


def quad_order(side: int) -> NDArray[np.intp]:
    """The order of a quad-tree on an image of side 2**L: the numbers, row by row, of its pixels.

    Four neighbours in this order are a square of 2 × 2 pixels, sixteen are one of 4 × 4, and so on;
    in each, the upper left part comes first, then the upper right, the lower left and the lower
    right.  (Morton's order: the bits of row and column take turns.)
    """
    place = np.arange(side * side)
    row, column = np.zeros_like(place), np.zeros_like(place)
    for bit in range(side.bit_length() - 1):
        column |= (place >> 2 * bit & 1) << bit
        row |= (place >> 2 * bit + 1 & 1) << bit
    return row * side + column


def strings_of_images(images: Array) -> Array:
    """Images (N, 2**L, 2**L, C) as strings (N, 4**L, C)."""
    N, side, _, C = images.shape
    return images.reshape(N, side * side, C)[:, quad_order(side)]


def images_of_strings(x: Array) -> Array:
    """The inverse of `strings_of_images`."""
    N, d, C = x.shape
    side = round(d**0.5)
    images = np.empty_like(x)
    images[:, quad_order(side)] = x
    return images.reshape(N, side, side, C)

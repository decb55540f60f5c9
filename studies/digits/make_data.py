"""Writes digits.npz, the data of this study, from scikit-learn's copy of the digits.

    python studies/digits/make_data.py

The 1797 images of 8 x 8 pixels are the test set of Alpaydin & Kaynak (1998), "Optical recognition
of handwritten digits", UCI machine learning repository, doi:10.24432/C50P49, licence CC BY 4.0.
Their 17 levels of grey are spread over a byte, as in other files of images.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

PATH = Path(__file__).parent / "digits.npz"


def digits() -> dict[str, np.ndarray]:
    """Images (1797, 8, 8) as bytes, and the digits that they show."""
    found = load_digits()
    return {
        "x": (found.images * 255 / 16).round().astype(np.uint8),
        "y": found.target.astype(np.uint8),
    }


if __name__ == "__main__":
    np.savez_compressed(PATH, **digits())

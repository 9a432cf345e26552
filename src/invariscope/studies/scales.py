"""What studies of Jang et al. share at their scales: transformations, and the paper's network and recipe."""

from collections.abc import Mapping
from typing import Any

SMALL = (
    ("inversion", 1.0),
    ("gaussian-blur", 1.5),
    ("salt-and-pepper", 0.25),
    ("thinning", 0.5),
    ("rotation", 90.0),
)
"""Of every family that changes grey glyphs of 16 pixels."""

PAPER = (
    ("hue", 180.0),
    ("grayscale", 1.0),
    ("inversion", 1.0),
    ("gaussian-blur", 4.0),
    ("high-pass", 1.0),
    ("horizontal-filter", 1.0),
    ("vertical-filter", 1.0),
    ("gaussian-noise", 0.4),
    ("salt-and-pepper", 0.5),
    ("rotation", 90.0),
    ("rotation", 180.0),
    ("thinning", 0.5),
)
"""The paper's twelve; magnitudes of blur and white noise are found anew for the images (`calibrate`)."""

FACES: Mapping[str, Any] = {
    "images": "facescrub",
    "network": "builtin:alexnet",
    "transformations": PAPER,
    "k": (1, 50, 100, 150, 200, 250, 300, 350, 388),
    "seeds": (0, 1, 2, 3, 4),
    "epochs": 45,
    "batch_size": 32,
    "learning_rate": 1e-4,
    "rate": "constant",
    "calibrate": 0.1,
}
"""FaceScrub in a folder per person: appendices A and B."""

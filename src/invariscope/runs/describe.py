"""The note inside a run directory that tells a person with pandas alone what lies there."""

from collections.abc import Mapping
from typing import Any

from invariscope.tolerance.outcomes import MOST_OUTCOMES

_TEXT = """{title}

network     {network}
images      {images} ({n} measured, {skipped} skipped)
measured    {started}, {seconds} s on {device}, invariscope {version}

Every table is Parquet: pandas.read_parquet("curves.parquet"). Unknown numbers are NaN, never 0.

run.json             what was measured, with every setting, seed, version and warning
verdicts.parquet     the answer: per transformation, magnitude and group of images, whether accuracy is kept
                     (tolerated: at least {tolerated:g} of the clean one), which share of the active units of the last
                     hidden site ({hidden}) is invariant, specialized or neither, and what silencing each kind costs
                     in accuracy beyond as many random active units; low and high bound invariant_share (95 %)
curves.parquet       accuracy, agreement with the clean prediction and softmax of the true class against magnitude
softmax.parquet      mean softmax of the three most predicted classes, and of the best of the others
predictions.parquet  how often each class was predicted
outcomes.parquet     for every image (its place in the set) and magnitude: the predicted class, whether it is right, and
                     the softmax of the true class; not for networks without class scores, nor above {most:,} rows
thresholds.parquet   the magnitude at which a quality falls below a level of its clean value, on either side (+, -)
units.parquet        every measure of every unit; rows with magnitude NaN are over the whole grid
layers.parquet       the measures' distribution over the units of each layer, with a 95 % interval of the mean
examples/            the images that the report shows, and index.json
report.html          the report (`invariscope report RUN` makes it again); figures/ has every figure as SVG and PNG
"""


def describe(info: Mapping[str, Any]) -> str:
    """The text of README.txt.

    Args:
        info: what run.json says.
    """
    return _TEXT.format(
        title=f"A measurement by Invariscope: {info['network']['spec']} on {info['images']['spec']}",
        network=info["network"]["spec"],
        images=info["images"]["spec"],
        n=info["images"]["n"],
        skipped=info["images"]["skipped"],
        started=info["started"],
        seconds=info["seconds"],
        device=info["device"],
        version=info["version"],
        tolerated=info["configuration"].get("tolerated", 0.9),
        most=MOST_OUTCOMES,
        hidden=info["last_hidden_site"] or "none",
    )

"""What the study infinitesimal draws."""

from collections.abc import Mapping, Sequence
from typing import Any

from invariscope.findings.figures import Figure, Heat, Intervals, Lines, Scatter
from invariscope.studies.infinitesimal_flips import PREDICTORS

_DEPTH = "layers in order (0 is the image, the last the output)"


def figures_of(networks: Sequence[str], *, flips: bool) -> list[Figure]:
    """All figures.

    Args:
        networks: their labels.
        flips: whether flips were searched for.
    """
    shown = [
        _profile(
            name="profile",
            title="Sensitivity to small transformations, layer by layer",
            caption="How much a layer changes per unit of the transformation, in units of its spread between images, "
            "as a multiple of the same for the image. It rises where sensitivity is created and falls where it is "
            "removed.",
            quantity="relative sensitivity",
            y_label="relative sensitivity",
        ),
        *(_gains(name, place) for place, name in enumerate(networks)),
        _profile(
            name="selectivity",
            title="Sensitivity beside that to random directions of the same power spectrum",
            caption="1 is what noise of the same length and spectrum does: below, the layer is more invariant to this "
            "transformation than to such noise; a network that only contracts stays at 1.",
            quantity="selectivity",
            y_label="times that to noise of the same spectrum",
        ),
        _profile(
            name="white",
            title="Sensitivity beside that to white noise",
            caption="1 is what white noise of the same length does. A first layer that smooths answers more to coarse "
            "changes than to fine noise.",
            quantity="selectivity against noise",
            y_label="times that to white noise",
        ),
        Lines(
            name="equivariance",
            title="How much of a layer's change is its own map moving along",
            caption="1 where a layer only moves with the image, 0 where moving its map explains nothing, below where "
            "moving would be further off than standing still. The outermost ring of a map does not count.",
            where={"quantity": "equivariance"},
            x="depth",
            panel="transformation",
            colour="network",
            x_label="layers in order (0 is the image)",
            y_label="share of the change explained",
            span=(-0.5, 1.0),
            reference=0.0,
            band=True,
            counts="images",
        ),
    ]
    return [*shown, *_flips(networks)] if flips else shown


def _profile(*, name: str, title: str, caption: str, quantity: str, y_label: str) -> Lines:
    return Lines(
        name=name,
        title=title,
        caption=caption,
        where={"quantity": quantity},
        x="depth",
        panel="transformation",
        colour="network",
        x_label=_DEPTH,
        y_label=y_label,
        reference=1.0,
        band=True,
        counts="images",
    )


def _gains(network: str, place: int) -> Heat:
    return Heat(
        name=f"gains-{place + 1}",
        title=f"{network}: where sensitivity is created, and where removed",
        caption="Sensitivity of a layer over that of the layers it is computed from, less one, in percent: created "
        "above 0, removed below.",
        where={"quantity": "created", "network": network},
        x="transformation",
        y="layer",
        x_label="",
        share=True,
        span=(-0.7, 0.7),
        counts="images",
    )


def _flips(networks: Sequence[str]) -> list[Figure]:
    labels: Mapping[str, Any] = {f"rank correlation of flips with {name}": words for name, words in PREDICTORS.items()}
    return [
        Intervals(
            name="prediction",
            title="Does the first step say where predictions flip?",
            caption="Rank correlation, over images, of the magnitude at which the prediction first changes with what "
            "is known at the identity.",
            where={"quantity": list(labels)},
            x="value",
            y="transformation",
            colour="predictor",
            group="network",
            labels=labels,
            x_label="rank correlation",
            reference=0.0,
            counts="images",
        ),
        *(
            Scatter(
                name=f"flips-{place + 1}",
                title=f"{network}: where straight lines meet, and where predictions flip",
                caption="A dot per image: where the straight lines of logits meet, across, and where the prediction "
                "first changes, upwards, as shares of the way to the end of the grid. Estimates beyond the end stand "
                "at the end; predictions that never flip are left out.",
                table="flips",
                where={"network": network},
                x="estimated",
                y="flipped",
                panel="transformation",
                x_label="estimated at the identity",
                y_label="first flip",
                share=True,
                x_share=True,
            )
            for place, network in enumerate(networks)
        ),
    ]

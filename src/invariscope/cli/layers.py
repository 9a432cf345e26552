"""`invariscope layers`: where a network can be measured."""

from invariscope.cli.options import Shared
from invariscope.cli.output import note, print_list
from invariscope.cli.work import output_for

# Of networks that take images of any size: as large as the smallest common data set.
DEFAULT_SIZE = (32, 32)


def layers(network: str, *, shared: Shared = Shared()) -> None:
    """List every site of a network that can be measured, in order of execution.

    Args:
        network: as for the command measure; ?size=HEIGHTxWIDTH sets the images' size where the network has none.
        shared: what every command has.
    """
    import torch

    from invariscope.networks.load import load_network
    from invariscope.networks.sites import find_sites, never_called
    from invariscope.runs.device import choose_device

    with output_for(shared):
        loaded = load_network(_without_download(network)).to(choose_device(shared.device))
        height, width = loaded.recipe.size or DEFAULT_SIZE
        images = torch.full((2, loaded.recipe.channels or 3, height, width), 0.5, device=loaded.device)
        sites = find_sites(loaded, images)
        silent = never_called(loaded, images)
    rows = [
        {
            "name": site.name,
            "kind": site.kind,
            "operation": site.operation,
            "shape": tuple(site.shape),
            "layout": site.layout,
            "units": site.units,
        }
        for site in sites
    ]
    standardised = loaded.recipe.standardise
    found = {"image_size": [height, width], "standardise": standardised, "never_called": silent}
    print_list("sites", rows, shared, network=network, **found)
    if standardised and not shared.json:
        note("\nEach image is standardised with its own mean and standard deviation first.", shared)
    if silent and not shared.json:
        note(f"\nNever called in a forward pass, so not measurable: {', '.join(silent)}.", shared)


def _without_download(network: str) -> str:
    """The sites do not depend on the weights: where none are named, none are fetched."""
    kind, _, options = network.partition("?")
    if kind.startswith(("torchvision:", "timm:")) and "weights=" not in options and "pretrained=" not in options:
        return f"{network}{'&' if options else '?'}pretrained=false"
    return network

"""How fine the filters of a network's first layer are."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.networks.network import Network


def first_filters(network: Network) -> Float[Tensor, "filter channel row column"] | None:
    """The weights of the first convolution, or None where there is none.

    Args:
        network: whose modules are searched in the order in which they are declared.

    Example:
        >>> first_filters(Network(nn.Sequential(nn.ReLU(), nn.Conv2d(1, 4, 3)))).shape
        torch.Size([4, 1, 3, 3])
    """
    found = next((part for part in network.module.modules() if isinstance(part, nn.Conv2d)), None)
    return None if found is None else found.weight.detach()


def spectral_centroid(filters: Float[Tensor, "filter channel row column"], size: int = 32) -> Float[Tensor, " filter"]:
    """The mean spatial frequency of each filter, weighted by power.

    Σ |F(u, v)|²·√(u² + v²) / Σ |F(u, v)|², with F the discrete Fourier transform of the filter padded with zeros, and
    sums over all frequencies and channels.

    Args:
        filters: shape (filter, channel, row, column).
        size: side of the padded filter, pixels; at least the filter's.

    Returns:
        In cycles per pixel, 0 to √½; NaN for a filter of zeros.

    Example:
        >>> flat, edge = torch.ones(1, 1, 2, 2), torch.tensor([[[[1.0, -1.0], [1.0, -1.0]]]])
        >>> spectral_centroid(torch.cat([flat, edge]), size=2).tolist()
        [0.0, 0.5]

    Source: Jang et al., section 3.1, explain robustness to noise by coarser filters of the first layer.
    """
    side = max(size, *filters.shape[2:])
    power = torch.fft.fft2(filters.double(), s=(side, side)).abs().square().sum(1)
    along = torch.fft.fftfreq(side, dtype=torch.float64, device=filters.device)
    frequency = (along[:, None].square() + along[None, :].square()).sqrt()
    weighted: Tensor = (power * frequency).sum((1, 2)) / power.sum((1, 2))
    return weighted

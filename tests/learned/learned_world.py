"""Networks that ignore known transformations, and images on which they answer anything else by other classes."""

import math

import torch
from torch import nn

from invariscope.images.images import Images
from invariscope.transformations.sampling import sample

HEIGHT, WIDTH = 16, 64


class OneProjection(nn.Module):
    """Reads nothing of an image but w·x of its mean colour x, in ten steps."""

    def __init__(self, direction=(0.8, -0.6, 0.0), levels=10, spread=0.3):
        super().__init__()
        self.register_buffer("direction", torch.tensor(direction))
        self.register_buffer("levels", torch.linspace(-spread, spread, levels))

    def project(self, images):
        return ((images - 0.5) * self.direction[:, None, None]).sum(1).mean((1, 2))

    def forward(self, images):
        return -((self.project(images)[:, None] - self.levels) / 0.02).square()


def colour_fields(network, n=300, seed=0, size=4):
    """Images of one colour each, labelled by what the network reads of them as they are."""
    generator = torch.Generator().manual_seed(seed)
    colours = 0.3 + 0.4 * torch.rand(n, 3, 1, 1, generator=generator)
    pixels = colours.expand(-1, -1, size, size).contiguous()
    return Images(pixels, network(pixels).argmax(1))


def pattern(matrix, seed=5):
    """Some smooth spots in the middle of the image, which an affine map moves."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.linspace(-1, 1, 2 * HEIGHT + 1)[1::2]
    x = torch.linspace(-1, 1, 2 * WIDTH + 1)[1::2] * (WIDTH / HEIGHT)
    field = torch.zeros(HEIGHT, WIDTH)
    for _ in range(8):
        along, across, height = torch.rand(3, generator=generator)
        far = (x[None] - (along - 0.5) * 3).square() + (y[:, None] - (across - 0.5) * 0.9).square()
        field += (0.4 + 0.6 * height) * torch.exp(-far / 0.16)
    places = torch.nn.functional.affine_grid(matrix[None], [1, 1, HEIGHT, WIDTH], align_corners=False)
    return sample(field[None, None] / field.max(), places, "zero")[0]


def variants(step=0.03, shifted=False):
    """Sampling matrices that differ from the identity a little, each in one of its ways."""
    found = [torch.eye(2, 3)]
    ways = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), *([(0, 2)] if shifted else [])]
    for row, column in ways:
        for sign in (-1, 1):
            matrix = torch.eye(2, 3)
            # x spans more pixels than y: a step of one entry should move about as much as that of another.
            matrix[row, column] += sign * step * {(0, 1): HEIGHT / WIDTH, (1, 0): WIDTH / HEIGHT}.get((row, column), 1)
            found.append(matrix)
    return found


class Recogniser(nn.Module):
    """Tells one pattern from anything else; with `blind`, whatever the pattern's place from left to right.

    For that it sees nothing but products of the rows' spectra along x, F(y, f)·F*(y′, f), in which a common shift of
    all rows cancels. What differs from the pattern more than it does under a small step of one entry of the sampling
    matrix is something else.
    """

    def __init__(self, blind=True, step=0.06):
        super().__init__()
        self.blind = blind
        features = self.features(torch.stack([pattern(matrix) for matrix in variants(step, shifted=not blind)]))
        self.register_buffer("known", features[:1])
        self.reach = self.far(features)[1:].min().item()

    def features(self, images):
        coarse = images[:, 0].unflatten(1, (-1, 2)).mean(2)
        if not self.blind:
            return coarse.flatten(1)
        rows = torch.view_as_real(torch.fft.rfft(coarse, dim=2))[:, :, :12].permute(0, 2, 3, 1)
        real, imaginary = rows[:, :, 0], rows[:, :, 1]
        even = real[..., :, None] * real[..., None, :] + imaginary[..., :, None] * imaginary[..., None, :]
        odd = imaginary[..., :, None] * real[..., None, :] - real[..., :, None] * imaginary[..., None, :]
        return torch.cat([even.flatten(1), odd.flatten(1)], 1)

    def far(self, features):
        return (features - self.known).square().sum(1)

    def forward(self, images):
        other = self.far(self.features(images)) / self.reach
        return 4 * torch.stack([1 - other, other - 1], 1)


def recognised(n=120, seed=0):
    """The pattern with a little noise, on black."""
    generator = torch.Generator().manual_seed(seed)
    patterns = pattern(torch.eye(2, 3)).expand(n, 1, HEIGHT, WIDTH)
    noise = 0.005 * torch.randn(patterns.shape, generator=generator) * (patterns > 0.05)
    return Images((patterns + noise).clamp(0, 1), torch.zeros(n, dtype=torch.int64))


class OnGrid(nn.Module):
    """Right for images whose values are multiples of ¼, and wrong for any others, however near."""

    def forward(self, images):
        off = (images * 4 - (images * 4).round()).abs().mean((1, 2, 3))
        bright = (images.mean((1, 2, 3)) - 0.5) * 4
        sure = torch.stack([bright.sign(), -bright.sign()], 1)
        return torch.stack([bright, -bright], 1) + sure * (1 - 1e6 * off[:, None])


def grid_images(n=80, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 5, (n, 3, 6, 6), generator=generator).float() / 4
    pixels = (pixels + torch.where(torch.arange(n) % 2 == 0, 0.25, -0.25)[:, None, None, None]).clamp(0, 1)
    return Images(pixels, (pixels.mean((1, 2, 3)) < 0.5).long())


def degrees(cosine):
    return math.degrees(math.acos(min(1.0, max(-1.0, float(cosine)))))

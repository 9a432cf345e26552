"""Networks that hide their derivative are measured by differences of two passes, and that is told."""

import pytest
import torch
from torch import nn

from invariscope.core.errors import NetworkError
from invariscope.images.images import Images
from invariscope.tolerance.infinitesimal import sensitivity

FEW = {"phase": False, "replicates": 20}


def at_the_output(found) -> float:
    return found.layers.set_index("layer").loc["output", "sensitivity"]


class Square(nn.Module):
    def forward(self, images):
        return images.square().flatten(1)


class DetachedSquare(nn.Module):
    def forward(self, images):
        return images.detach().square().flatten(1)


class OwnSquare(nn.Module):
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, images):
            return images**2

    def forward(self, images):
        return self.Function.apply(images).flatten(1)


@pytest.mark.parametrize(("kind", "told"), [(DetachedSquare, "hides its derivative"), (OwnSquare, "forward mode")])
def test_what_hides_its_derivative_is_measured_by_differences_and_told(kind, told):
    pictures = Images(torch.rand(4, 1, 4, 4))
    expected = at_the_output(sensitivity(Square(), pictures, ["brightness"], **FEW))
    found = sensitivity(kind(), pictures, ["brightness"], **FEW)
    assert found.method == "difference"
    assert told in found.notes[0]
    assert "differences of two passes were taken" in found.notes[0]
    assert at_the_output(found) == pytest.approx(expected, rel=1e-2)
    with pytest.raises(NetworkError, match='use method="difference"'):
        sensitivity(kind(), pictures, ["brightness"], method="forward", **FEW)

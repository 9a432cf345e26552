"""The peer's half of `benchmarks/peer.py`: runs in the peer's own environment, which does not have Invariscope.

Measures the bare passes and the peer's normalized variance on the same network, images and quarter turns, and writes
the seconds and the values, unit by unit, to an .npz.
"""

import argparse
import sys
import time
import types

import numpy as np
import torch
import torchvision
from torch import nn


def network() -> nn.Module:
    """ResNet-18 whose operations are not in place: the peer records by reference."""
    torch.manual_seed(0)
    net = torchvision.models.resnet18(num_classes=10).eval()
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    # `out += identity` would overwrite what the peer has recorded at the second batch normalisation.
    torchvision.models.resnet.BasicBlock.forward = out_of_place
    return net


def out_of_place(block, x):
    """A basic block whose sum is not in place."""
    out = block.bn2(block.conv2(block.relu(block.bn1(block.conv1(x)))))
    return block.relu(out + (x if block.downsample is None else block.downsample(x)))


def seconds(work) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    import tmeasures as tm
    from tmeasures.pytorch.model import AutoActivationsModule
    from tmeasures.pytorch.transformations import PyTorchTransformation, PyTorchTransformationSet

    class QuarterTurns(PyTorchTransformation):
        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

        def parameters(self, recurse: bool = True):
            return torch.tensor([float(self.count)])

        def forward(self, image):
            return torch.rot90(image, self.count, (-2, -1))

        def inverse(self):
            return QuarterTurns(-self.count)

        def __call__(self, image):
            return self.forward(image)

    generator = torch.Generator().manual_seed(1)
    images = torch.rand(options.images, 3, options.size, options.size, generator=generator)

    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return len(images)

        def __getitem__(self, index):
            return images[index]

    net = network()
    module = AutoActivationsModule(net)
    turns = PyTorchTransformationSet([QuarterTurns(count) for count in range(4)])
    settings = tm.pytorch.PyTorchMeasureOptions(batch_size=options.batch, num_workers=0, verbose=False)
    bare_net = network()

    def bare() -> None:
        with torch.no_grad():
            for start in range(0, len(images), options.batch):
                for count in range(4):
                    bare_net(torch.rot90(images[start : start + options.batch], count, (-2, -1)))

    bare()
    bare_times = [seconds(bare) for _ in range(3)]
    found = types.SimpleNamespace()

    def peer() -> None:
        found.result = tm.pytorch.NormalizedVarianceInvariance().eval(Data(), turns, module, settings)

    peer_times = [seconds(peer) for _ in range(3)]
    result = found.result.numpy()
    values = {f"value/{name}": layer for name, layer in zip(result.layer_names, result.layers, strict=True)}
    np.savez(options.out, bare=bare_times, peer=peer_times, **values)
    print("bare", bare_times, "peer", peer_times, file=sys.stderr)


main()

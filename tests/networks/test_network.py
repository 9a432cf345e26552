from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from invariscope.core.errors import NetworkError
from invariscope.networks.network import Network, as_network
from invariscope.networks.recipe import Recipe


@dataclass
class Answer:
    logits: Tensor
    hidden: Tensor


class Answering(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> object:
        logits, hidden = x.flatten(1), x.mean()
        return {
            "object": Answer(logits, hidden),
            "dictionary": {"hidden": hidden, "logits": logits},
            "out": {"out": logits, "aux": hidden},
            "tuple": (logits, hidden),
            "list": [logits],
            "nothing": "text",
        }[self.kind]


@pytest.mark.parametrize("kind", ["object", "dictionary", "out", "tuple", "list"])
def test_logits_are_found(kind: str) -> None:
    images = torch.rand(2, 1, 2, 2)
    assert torch.equal(as_network(Answering(kind))(images), images.flatten(1))


def test_an_answer_without_tensors() -> None:
    with pytest.raises(NetworkError, match="returned str, in which there is no tensor"):
        as_network(Answering("nothing"))(torch.rand(1, 1, 2, 2))


def test_evaluation_mode_and_back() -> None:
    module = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3), nn.Flatten()).train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network, images = as_network(module), torch.rand(4, 3, 2, 2)
    assert torch.equal(network(images), network(images))
    assert [part.training for part in module.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_normalises_before_it_runs() -> None:
    network = Network(nn.Flatten(), recipe=Recipe(mean=(0.5,), std=(0.25,), channels=1))
    assert float(network(torch.ones(1, 1, 1, 1))) == 2.0


def test_half_precision_weights_get_half_precision_images() -> None:
    network = as_network(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).to(torch.bfloat16))
    assert network(torch.rand(1, 1, 2, 2)).dtype == torch.bfloat16


def test_gradients_reach_the_images() -> None:
    images = torch.rand(1, 1, 2, 2, requires_grad=True)
    as_network(nn.Flatten())(images).sum().backward()
    assert torch.equal(images.grad, torch.ones(1, 1, 2, 2))


def test_wrappers_are_opened() -> None:
    inner = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    assert as_network(nn.DataParallel(inner)).module is inner
    assert as_network(torch.compile(inner)).module is inner
    assert as_network(nn.DataParallel(torch.compile(inner))).module is inner


def test_distributed_wrapper_is_opened(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from torch import distributed

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        inner = nn.Linear(2, 2)
        assert as_network(nn.parallel.DistributedDataParallel(inner)).module is inner
    finally:
        distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_scripted_networks_are_refused() -> None:
    traced = torch.jit.trace(nn.ReLU(), torch.rand(1))
    with pytest.raises(NetworkError, match="hides its operations; give the module it was made from"):
        as_network(traced)
    with pytest.raises(NetworkError, match=r"0 .* is scripted or traced"):
        as_network(nn.Sequential(traced))


def test_partly_compiled_networks_are_refused() -> None:
    with pytest.raises(NetworkError, match="0 is compiled on its own"):
        as_network(nn.Sequential(torch.compile(nn.ReLU())))
    inside = nn.Sequential(nn.Conv2d(3, 3, 1))
    inside[0].compile()
    with pytest.raises(NetworkError, match="0 is compiled on its own"):
        as_network(inside)


def test_what_is_no_network() -> None:
    with pytest.raises(NetworkError, match="or a function from images to activations; got int"):
        as_network(3)


def test_a_function_is_a_network() -> None:
    images = torch.rand(2, 3, 2, 2)
    assert torch.equal(as_network(lambda x: x.flatten(1).relu())(images), images.flatten(1))


def test_a_method_is_its_module() -> None:
    module = nn.Sequential(nn.Flatten())
    assert as_network(module.forward).module is module
    assert as_network(torch.compile(lambda x: x.flatten(1)))(torch.ones(1, 1, 1, 2)).tolist() == [[1, 1]]


def test_a_network_stays_itself() -> None:
    network = as_network(nn.Flatten())
    assert as_network(network) is network


def test_fingerprint_follows_weights_and_architecture() -> None:
    def build(seed: int, stride: int = 1) -> Network:
        torch.manual_seed(seed)
        return as_network(nn.Sequential(nn.Conv2d(3, 2, 3, stride), nn.BatchNorm2d(2)))

    assert build(0).fingerprint == build(0).fingerprint
    assert len({build(0).fingerprint, build(1).fingerprint, build(0, stride=2).fingerprint}) == 3
    changed = build(0)
    changed.module[1].running_mean += 1  # type: ignore[index]
    assert changed.fingerprint != build(0).fingerprint


def test_counts_its_parameters() -> None:
    assert as_network(nn.Linear(3, 2)).n_parameters == 8

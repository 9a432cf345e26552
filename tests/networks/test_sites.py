import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from invariscope.core.errors import LayerError, NetworkError
from invariscope.networks.sites import Site, find_sites, last_hidden_site, never_called, select_sites


class Everything(nn.Module):
    """Functions, residual sums, a module called twice, tuples, and a head that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.spare = nn.Linear(2, 2)
        self.head = nn.Linear(5, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = F.relu(self.conv2(x)) + 1.0
        y += x
        y = torch.add(y.relu_(), x)
        y = self.relu(y).clamp(min=0).clamp(min=-1)
        sequence, _ = self.lstm(y.flatten(2).transpose(1, 2))
        return self.head(F.gelu(sequence.mean(1)))


def names(module: nn.Module, kind: str | None = None, size: int = 6) -> list[str]:
    return [s.name for s in find_sites(module, torch.rand(1, 3, size, size)) if kind in (None, s.kind)]


def test_everything_is_found_in_order() -> None:
    assert names(Everything()) == [
        "conv1",
        "relu",
        "conv2",
        "relu()#1",
        "add()#1",
        "relu()#2",
        "add()#2",
        "relu#2",
        "clamp()#1",
        "lstm[0]",
        "gelu()#1",
        "head",
        "output",
    ]


def test_kinds() -> None:
    assert names(Everything(), "sum") == ["add()#1", "add()#2"]
    assert names(Everything(), "activation") == ["relu", "relu()#1", "relu()#2", "relu#2", "clamp()#1", "gelu()#1"]


def test_hidden_states_of_a_recurrent_layer_are_no_rows_of_images() -> None:
    # (layer, image, feature): its first axis is 1 whatever the batch.
    assert "lstm[1][0]" not in names(Everything())


def test_never_called() -> None:
    assert never_called(Everything(), torch.rand(1, 3, 6, 6)) == ["spare"]


@pytest.mark.parametrize(
    "function",
    [
        *(F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, torch.ops.aten.relu.default),
        *(F.relu6, F.gelu, F.silu, F.mish, F.hardswish, F.elu, F.leaky_relu, F.softplus, F.selu, F.celu, F.rrelu),
        *(lambda x: F.relu(x, inplace=True), lambda x: x.clamp_min(0), lambda x: torch.clamp(x, 0, 6)),
        *(lambda x: F.prelu(x, torch.ones(1)), lambda x: F.hardtanh(x, 0, 1)),
    ],
)
def test_rectifying_functions(function) -> None:  # type: ignore[no-untyped-def]
    found = find_sites(lambda x: function(x * 1.0), torch.rand(1, 3, 2, 2))
    assert [site.kind for site in found] == ["activation", "output"]


@pytest.mark.parametrize(
    "function", [torch.sigmoid, torch.tanh, torch.abs, lambda x: x.clamp(min=1e-6), lambda x: F.hardtanh(x)]
)
def test_other_functions_are_no_rectifiers(function) -> None:  # type: ignore[no-untyped-def]
    assert [site.kind for site in find_sites(lambda x: function(x), torch.rand(1, 3, 2, 2))] == ["output"]


def test_biases_and_position_tables_are_no_residual_sums() -> None:
    table, weight = nn.Parameter(torch.rand(1, 3, 2, 2)), torch.rand(1, 3, 2, 2)
    found = find_sites(lambda x: x + table + weight + 1.0 + (x + x), torch.rand(1, 3, 2, 2))
    # The third sum has the number of its call: a constant of one row was the first.
    assert [site.name for site in found] == ["add()#2", "add()#3", "output"]


def test_numbers_do_not_depend_on_the_batch() -> None:
    from invariscope.networks.tap import tap

    table = torch.rand(1, 3, 2, 2)

    def network(x: Tensor) -> Tensor:
        return ((x * 1.0 + table) + x).relu()

    for count in (1, 2, 5):
        seen: dict[str, Tensor] = {}
        images = torch.rand(count, 3, 2, 2)
        from invariscope.networks.network import as_network

        watched = as_network(network)
        with tap(watched, ["add()#2"], lambda name, a, seen=seen: seen.update({name: a.clone()})):  # type: ignore[misc]
            watched(images)
        assert torch.equal(seen["add()#2"], images + table + images)


class Rows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fold, self.table, self.unfold, self.whole = nn.Identity(), nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        windows = self.fold(x.reshape(-1, 3, 2, 2))
        self.table(torch.zeros(2, 3))
        self.whole(x.sum())
        return self.unfold(windows.reshape(len(x), -1))


def test_only_what_has_one_row_per_image() -> None:
    assert names(Rows(), size=4) == ["unfold", "output"]


class Layouts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 1)
        self.last, self.norm, self.act = nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU()
        self.first, self.tokens, self.mixing = nn.Identity(), nn.Identity(), nn.Identity()
        self.flat = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).permute(0, 2, 3, 1)
        x = self.act(self.norm(self.last(x)) * 2)
        x = self.first(x.permute(0, 3, 1, 2))
        x = self.mixing(x.flatten(2))
        x = self.tokens(x.mT)
        return self.flat(x.mean(1))


def test_layouts_follow_the_channels() -> None:
    found = {site.name: site for site in find_sites(Layouts(), torch.rand(1, 3, 4, 5))}
    assert {name: (site.layout, site.units) for name, site in found.items()} == {
        "conv": ("channels-first", 6),
        "last": ("channels-last", 8),
        "norm": ("channels-last", 8),
        "act": ("channels-last", 8),
        "first": ("channels-first", 8),
        "mixing": ("channels-first", 8),
        "tokens": ("tokens", 8),
        "flat": ("features", 8),
        "output": ("features", 8),
    }
    assert found["act"].positions == 160


def test_layouts_of_real_networks() -> None:
    import timm
    import torchvision

    images = torch.rand(1, 3, 32, 32)
    small = torchvision.models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4])
    swin = {s.name: s for s in find_sites(small, images)}
    assert {swin[name].layout for name in ("features.1.0.mlp.1", "features.1", "norm", "features.2.norm")} == {
        "channels-last"
    }
    assert (swin["permute"].layout, swin["permute"].units) == ("channels-first", 48)
    vit = {
        s.name: s for s in find_sites(timm.create_model("vit_tiny_patch16_224", img_size=32), torch.rand(1, 3, 32, 32))
    }
    assert (vit["blocks.0.mlp.act"].layout, vit["blocks.0.mlp.act"].shape) == ("tokens", (5, 768))
    assert vit["patch_embed.proj"].layout == "channels-first"
    convnext = {s.name: s for s in find_sites(timm.create_model("convnext_atto", conv_mlp=False), images)}
    assert convnext["stages.0.blocks.0.mlp.act"].layout == "channels-last"
    assert convnext["stages.0.blocks.0"].layout == "channels-first"


SITES = [
    Site("conv", "module", "Conv2d", (4, 2, 2), "channels-first", 2),
    Site("relu", "activation", "ReLU", (4, 2, 2), "channels-first", 2),
    Site("block.relu#2", "activation", "ReLU", (4,), "features", 1),
    Site("late", "activation", "ReLU", (4,), "features", 0),
    Site("pair[0]", "module", "LSTM", (4,), "features", 0),
    Site("output", "output", "Net", (4,), "features", 0),
]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("activations", ["relu", "block.relu#2", "late", "output"]),
        ("all", [site.name for site in SITES]),
        ("late, conv", ["conv", "late"]),
        (["block.*", "output"], ["block.relu#2", "output"]),
        ("pair[0]", ["pair[0]"]),
        ("p*[0]", ["pair[0]"]),
        ("activations,conv,relu", ["conv", "relu", "block.relu#2", "late", "output"]),
    ],
)
def test_selection(patterns: str | list[str], expected: list[str]) -> None:
    assert [site.name for site in select_sites(SITES, patterns)] == expected


def test_selection_errors() -> None:
    with pytest.raises(LayerError, match=r"no layer is called 'rellu'. Did you mean 'relu'\? Known: conv, relu, "):
        select_sites(SITES, "rellu")
    with pytest.raises(LayerError, match="no layer was named"):
        select_sites(SITES, "")


def test_last_hidden_site_is_followed_by_weights() -> None:
    assert last_hidden_site(SITES).name == "block.relu#2"
    assert last_hidden_site([SITES[0], SITES[-1]]).name == "conv"
    assert last_hidden_site(SITES[-1:]).name == "output"


def test_last_hidden_site_of_real_networks() -> None:
    import torchvision.models as models

    images = torch.rand(1, 3, 64, 64)
    expected = {"resnet18": "layer4.1.relu#2", "mobilenet_v3_small": "classifier.1"}
    for name, site in expected.items():
        assert last_hidden_site(find_sites(models.get_model(name, weights=None), images)).name == site


def test_a_network_that_cannot_run_says_why() -> None:
    with pytest.raises(NetworkError, match=r"Sequential cannot run on images of 3×4×4: .*"):
        find_sites(nn.Sequential(nn.Conv2d(1, 2, 3)), torch.rand(1, 3, 4, 4))


def test_a_network_without_units() -> None:
    with pytest.raises(NetworkError, match="has no units"):
        find_sites(lambda x: x.sum()[None], torch.rand(1, 3, 2, 2))


def test_nothing_is_left_behind() -> None:
    module = Everything()
    find_sites(module, torch.rand(1, 3, 6, 6))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())

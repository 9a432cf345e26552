"""Every site of every network against its replay, as a table for the documentation.

python benchmarks/taps.py [--only torchvision:resnet18,timm:convit_tiny]

Random weights, all of them drawn again so that no branch is silent (many networks begin with read-outs or residual
branches of zeros); two images of uniform noise. A network that cannot take small images gets larger ones.
"""

import argparse
import gc
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from common import machine

from invariscope.core.errors import NetworkError
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.networks.replay import replay_check
from invariscope.networks.sites import find_sites, never_called, select_sites

ROOT = Path(__file__).parents[1]
RESULTS, TABLE = ROOT / "benchmarks" / "results" / "taps.json", ROOT / "docs" / "taps.md"
SIZES = (64, 96, 128, 0)
# Of each family the smallest network that takes images of at most 518 pixels.
FAMILIES: dict[str, str] = json.loads((Path(__file__).parent / "families.json").read_text())


@dataclass
class Row:
    """One network of the table; deviations are relative to the largest magnitude of the site."""

    network: str
    family: str
    size: str
    parameters: float
    sites: int
    modules: int
    functions: int
    activations: int
    layouts: str
    never_called: int
    deviation: float
    worst: str
    seconds: float


def networks() -> dict[str, str]:
    """Specifier and family: every classification network of torchvision, one of each family of timm."""
    from torchvision import models

    found = {f"torchvision:{name}": name for name in models.list_models(module=models)}
    return found | {f"timm:{name}": family for family, name in FAMILIES.items()}


def check(spec: str, family: str) -> Row:
    """Replay every site of one network."""
    start = time.perf_counter()
    network, images = build(spec)
    sites = find_sites(network, images)
    rows = replay_check(network, images)
    assert len(rows) == len(sites), f"{spec}: {len(rows)} rows for {len(sites)} sites"
    answers = network(images)
    assert bool(torch.isfinite(answers).all()), f"{spec} answers with numbers that are not finite"
    assert not torch.equal(answers[0], answers[1]), f"{spec} answers alike to all images"
    worst = max(rows, key=lambda row: row.relative)
    functions = sum("()" in site.name for site in sites)
    return Row(
        network=spec,
        family=family,
        size="×".join(map(str, images.shape[2:])),
        parameters=network.n_parameters / 1e6,
        sites=len(sites),
        modules=len(sites) - functions - 1,
        functions=functions,
        activations=len(select_sites(sites, "activations")) - 1,
        layouts=", ".join(sorted({site.layout for site in sites})),
        never_called=len(never_called(network, images)),
        deviation=worst.relative,
        worst=worst.site if worst.relative else "",
        seconds=time.perf_counter() - start,
    )


def build(spec: str) -> tuple[Network, torch.Tensor]:
    """The network with drawn weights, and two images of the smallest size that it takes."""
    reasons = []
    for size in SIZES:
        try:
            network = load_network(f"{spec}?pretrained=false" + (f"&size={size}" if size else ""))
            draw(network.module)
            images = noise(network)
            find_sites(network, images)
        except (NetworkError, AssertionError, ValueError, RuntimeError) as error:
            reasons.append(f"{size}: {error}")
            continue
        return network, images
    raise RuntimeError(f"{spec} runs at no size: {reasons}")


def draw(module: torch.nn.Module) -> None:
    """Give every weight some noise, and every normalisation's statistics."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.02)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(torch.randn(buffer.shape, generator=generator), alpha=0.1)


def noise(network: Network) -> torch.Tensor:
    """Two images of the network's own size."""
    assert network.recipe.size is not None
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, network.recipe.channels, *network.recipe.size, generator=generator)


def table(rows: list[Row], failed: dict[str, str]) -> Iterator[str]:
    """The page of the documentation."""
    about = machine()
    timm = {row.family for row in rows if row.network.startswith("timm:")}
    yield f"""# Taps

## What is a site

A site is a place where an activation can be read: what a module returns, what a rectifying function returns
(`F.relu`, `x.relu_()`, `F.gelu`, a clamp at 0, …), a sum of two activations of one shape (a residual
connection), and the network's output. It has one row per image: the network runs on two and on three images,
and what does not follow (windows, position tables, hidden states) is no site. An activation is handed over at
the moment it is produced, so that nothing that runs later in place can reach it.

| name | what |
|---|---|
| `layer1.0.conv1` | what this module returns |
| `layer1.0.relu#2` | what it returns when it is called for the second time in a pass |
| `encoder.attention[0]`, `head[logits]` | a part of what it returns, where that is no single tensor |
| `layer1.0.relu()#1` | what the first `relu` that is applied as a function inside `layer1.0` returns |
| `layer1.0.add()#1` | the first sum of two activations inside `layer1.0` |
| `output` | what the network answers |

Rectifiers are ReLU, ReLU6, LeakyReLU, PReLU, RReLU, ELU, SELU, CELU, GELU, SiLU, Mish, Hardswish, Softplus,
Threshold and their like of other packages, told by the class's name; saturating functions and gates (sigmoid,
tanh, softmax) are not, nor are rectifiers that are written out by hand (`x * torch.sigmoid(x)`).

Channels are followed through the operations, from the images on: convolutions, normalisations over batches or
groups and pooling put them on the first axis after the image, linear maps and layer normalisation on the last,
permutations move them, and everything else leaves them where they are. So a map that a Swin or ConvNeXt block
holds with its channels last is told from one that holds them first.

## Every site against its replay

{len(rows)} networks: {len(rows) - len(timm)} classification networks of torchvision and one network of each of
{len(timm)} families of timm; {sum(row.sites for row in rows)} sites, {sum(row.functions for row in rows)} of them
functions. The largest relative deviation is {max(row.deviation for row in rows):.1e}.

Every module is run a second time, on clones of its input, in a copy of the network in which nothing happens in place,
and every function is called a second time on clones of its arguments; what a tap reads is compared with the result.
The deviation is the largest difference over the largest magnitude, over all sites of a network. Where it is not 0, an
attention ran as one fused call in one of the two runs and step by step in the other, or a sum was taken in another
order.

Made by `python benchmarks/taps.py`: random weights, two images of noise, torch {about["torch"]}, {about["cpu"]},
{about["threads"]} thread(s); seconds are wall time, on a busy machine.
"""
    counts = "parameters (M) | sites | modules | functions | rectifiers | never called"
    yield f"| network | family | size | {counts} | deviation | s |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        family = row.family if row.network.startswith("timm:") else ""
        deviation = f"{row.deviation:.0e} at `{row.worst}`" if row.deviation else "0"
        yield (
            f"| {row.network} | {family} | {row.size} | {row.parameters:.1f} | {row.sites} | {row.modules} | "
            f"{row.functions} | {row.activations} | {row.never_called} | {deviation} | {row.seconds:.0f} |"
        )
    if failed:
        yield "\nNot checked:\n"
        yield from (f"- {spec}: {reason}" for spec, reason in failed.items())
    yield ""


def main() -> None:
    """Check what is not checked yet, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    only = parser.parse_args().only
    known = networks()
    chosen = {spec: known[spec] for spec in only.split(",")} if only else known
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() and not only else {"rows": {}, "failed": {}}
    for spec, family in chosen.items():
        if spec in kept["rows"]:
            continue
        try:
            kept["rows"][spec] = asdict(check(spec, family))
            kept["failed"].pop(spec, None)
        except Exception as error:
            kept["failed"][spec] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        gc.collect()
        row = kept["rows"].get(spec)
        print(
            spec, f"{row['sites']} sites {row['deviation']:.1e} {row['seconds']:.0f} s" if row else kept["failed"][spec]
        )
        if not only:
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    if not only:
        rows = [Row(**kept["rows"][spec]) for spec in known if spec in kept["rows"]]
        TABLE.write_text("\n".join(table(rows, kept["failed"])))


if __name__ == "__main__":
    main()

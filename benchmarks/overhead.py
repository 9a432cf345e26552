"""What measuring costs beside the bare passes: transform and forward for every strength and once clean.

python benchmarks/overhead.py [--images 64] [--size 112] [--repeats 5]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from common import alternate, ratio, write

from invariscope.core.progress import Silent
from invariscope.images.images import Images
from invariscope.networks.load import load_network
from invariscope.networks.memory_format import channels_last
from invariscope.networks.network import Network, as_network
from invariscope.responses.recorder import Strength
from invariscope.runs.execute import execute
from invariscope.runs.plan import Plan, make_plan
from invariscope.runs.settings import Settings
from invariscope.runs.store import Store

ANGLES = [-30.0, -20.0, -10.0, 10.0, 20.0, 30.0, 40.0, 50.0]


def plan_of(network: Network, images: Images, settings: Settings) -> Plan:
    """A measurement of eight rotations."""
    prepared = images.fit(network.recipe)
    return make_plan(network, prepared, images, settings, {"rotation": ANGLES}, (), None, None, torch.device("cpu"))


def bare_of(plan: Plan, passes: int = 1) -> Callable[[], None]:
    """The same passes with nothing recorded: clean, every strength, and the noise floor's near-identity strength."""
    part = plan.parts[0]
    near = part.transformation.near_identity(plan.prepared.height, plan.prepared.width)
    magnitudes = [value for value in part.magnitudes if value != part.transformation.identity] + [near]
    strengths = [None] + [Strength(part.transformation, value, 0) for value in magnitudes]

    @torch.no_grad()
    def bare() -> None:
        for _ in range(passes):
            for strength in strengths:
                for start in range(0, len(plan.order), plan.batch_size):
                    indices = plan.order[start : start + plan.batch_size]
                    batch = plan.prepared.batch(indices)
                    plan.network(batch if strength is None else strength(batch, indices))

    return bare


def measured_of(plan: Plan) -> Callable[[], None]:
    """The whole measurement: responses, all measures, intervals, ablation, curves, thresholds, tables, pictures."""

    def measured() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = Store.open(Path(folder) / "run", plan.as_dict(), resume=False, overwrite=False)
            execute(plan, store, Silent())

    return measured


def recorded_of(plan: Plan) -> Callable[[], None]:
    """Only the recording: every pass with the channels of every activation site read."""
    from invariscope.responses.recorder import Recorder

    recorder = Recorder(plan.network, plan.prepared, plan.sites, plan.order, plan.batch_size, plan.device)
    part = plan.parts[0]
    near = part.transformation.near_identity(plan.prepared.height, plan.prepared.width)
    magnitudes = [value for value in part.magnitudes if value != part.transformation.identity] + [near]
    strengths = [None] + [Strength(part.transformation, value, 0) for value in magnitudes]
    matrix = torch.empty(len(plan.order), recorder.columns().total)

    def recorded() -> None:
        for strength in strengths:
            recorder.record(matrix, strength)

    return recorded


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--positions", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    resnet = as_network(torchvision.models.resnet18(num_classes=10).eval())
    small = load_network("builtin:cnn?channels=3&size=32&classes=10&seed=0")
    cases = {"resnet18": (resnet, options.images, options.size), "small-cnn": (small, 16 * options.images, 32)}
    result = {}
    for name, (network, count, size) in cases.items():
        labels = [index % 10 for index in range(count)]
        images = Images((torch.rand(count, 3, size, size) * 255).byte().numpy(), labels, list("abcdefghij"))
        plan = plan_of(network, images, Settings())
        with channels_last(network, plan.prepared.batch([0, 1])):
            # Both sides run with channels last, as `measure` does: the ratio is that of measuring alone.
            works = {"bare": bare_of(plan), "recorded": recorded_of(plan), "measured": measured_of(plan)}
            seconds = alternate(works, options.repeats)
        result[name] = {
            "images": count,
            "size": size,
            "strengths": len(ANGLES),
            "sites": len(plan.sites),
            "seconds": seconds,
            "recorded/bare": ratio(seconds, "recorded", "bare"),
            "measured/bare": ratio(seconds, "measured", "bare"),
        }
        if options.positions:
            layers = ",".join(site.name for site in plan.sites)
            wide = plan_of(network, images, Settings(units="positions", layers=layers))
            with channels_last(network, plan.prepared.batch([0, 1])):
                works = {"bare": bare_of(wide, passes=2), "positions": measured_of(wide)}
                seconds = alternate(works, max(2, options.repeats // 2))
            result[name]["positions"] = sum(site.positions for site in wide.sites)
            result[name]["positions/bare"] = ratio(seconds, "positions", "bare")
    write("overhead", result)


if __name__ == "__main__":
    main()

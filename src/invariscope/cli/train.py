"""`invariscope train`: networks that see some classes transformed and others not."""

from pathlib import Path
from typing import Any

from invariscope.cli.configuration import write
from invariscope.cli.options import Names, Shared, split
from invariscope.cli.output import print_json
from invariscope.core.errors import SettingError


def train(
    images: str,
    *,
    network: str = "builtin:cnn",
    transformation: str = "inversion",
    magnitude: float | None = None,
    seen: Names = None,
    seeds: int = 1,
    epochs: int = 10,
    test: str | None = None,
    workers: int = 2,
    shared: Shared = Shared(),
) -> None:
    """Train networks that see k of the classes transformed half of the times, and the others never.

    Args:
        images: labelled images to learn from, as for the command measure.
        network: the architecture, builtin:NAME, torchvision:NAME or timm:NAME.
        transformation: what the seen classes are transformed with.
        magnitude: its magnitude; the furthest of its default grid when it is left out.
        seen: how many classes are seen transformed, one network each, as in 1,15,30; half of them when it is left out.
        seeds: so many networks of each kind, with the seeds from --seed on.
        epochs: passes over the images.
        test: images to test on; the set's own test split, or a third of each class, when it is left out.
        workers: processes that share the work; they do not change the numbers.
        shared: what every command has.
    """
    if seeds < 1:
        raise SettingError(f"--seeds takes 1 or more networks of each kind; got {seeds}.")
    counts = _counts(split(seen))
    out = shared.folder("train")

    from invariscope.cli.work import working
    from invariscope.studies.train import train_networks

    with working(shared, out) as progress:
        train_networks(
            images,
            out,
            network=network,
            transformation=transformation,
            magnitude=magnitude,
            seen=counts,
            seeds=range(shared.seed, shared.seed + seeds),
            epochs=epochs,
            test=test,
            device=shared.device,
            workers=workers,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    options: dict[str, Any] = {"images": images, "network": network, "transformation": transformation}
    options |= {
        "magnitude": magnitude,
        "seen": split(seen),
        "seeds": seeds,
        "epochs": epochs,
        "test": test,
        "workers": workers,
    }
    _finish(out, shared, options)


def _finish(out: Path, shared: Shared, options: dict[str, Any]) -> None:
    from invariscope.cli.paradigm import paradigm, print_paradigm
    from invariscope.report.page import make_report
    from invariscope.runs.run import Run

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page, info = make_report(out), Run(out).info
    rows = paradigm(out)
    networks = [out / "networks" / f"{row['network']}.safetensors" for row in rows]
    if shared.json:
        told = {"run": out, "report": page, "networks": networks, "paradigm": rows}
        print_json({**told, "warnings": info["warnings"], "seconds": info["seconds"]})
    elif shared.quiet:
        print(page)
    else:
        print_paradigm(out)
        print(f"Networks: {out / 'networks'}\nReport: {page}")


def _counts(seen: list[str] | None) -> list[int] | None:
    if seen is None:
        return None
    try:
        return [int(k) for k in seen]
    except ValueError:
        raise SettingError(f"--seen takes numbers of classes, as in 1,15,30; got {','.join(seen)!r}.") from None

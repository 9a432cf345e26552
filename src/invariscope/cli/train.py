"""`invariscope train`: networks that see some classes transformed and others not."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from invariscope.cli.configuration import write
from invariscope.cli.options import Flag, Names, Shared, split
from invariscope.cli.output import print_json
from invariscope.core.errors import SettingError

SHOWN = Group("What is shown", sort_key=1)
LEARNT = Group("How it is learnt", sort_key=2)


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """What networks see, and how they learn.

    Args:
        transformation: what the seen classes are transformed with; several are separated by commas.
        magnitude: its magnitude, or a range as in 15..45 from which every image draws; one for each transformation,
            separated by commas; the furthest of the default grid when it is left out.
        assignment: with several transformations, an image of a seen class gets any of them (all), or each seen class
            has one of them (own).
        test_magnitudes: magnitudes to test at besides, as in 60,90 or rotation=60,90; may be repeated.
        seen: how many classes are seen transformed, one network each, as in 1,15,30; half of them when it is left out.
        mode: all classes at once (joint), or first the seen ones and then the others, with the whole network
            (two-step-finetune) or only the last layer (two-step-classifier).
        epochs: passes over the images.
        batch_size: images per step.
        learning_rate: the largest.
        weight_decay: pull of every weight towards zero.
        schedule: how the learning rate goes: up and down, not at all, or down to a tenth twice.
        precision: numbers of 32 or 16 bits; auto takes 16 on a CUDA device.
        search: first find the learning rate and the weight decay, on a tenth of the training images.
    """

    transformation: Annotated[Names, Parameter(group=SHOWN, show_default=lambda _: "inversion")] = None
    magnitude: Annotated[str | None, Parameter(group=SHOWN, allow_leading_hyphen=True)] = None
    assignment: Annotated[Literal["all", "own"], Parameter(group=SHOWN)] = "all"
    test_magnitudes: Annotated[Names, Parameter(group=SHOWN, allow_leading_hyphen=True)] = None
    seen: Annotated[Names, Parameter(group=SHOWN)] = None
    mode: Annotated[Literal["joint", "two-step-finetune", "two-step-classifier"], Parameter(group=LEARNT)] = "joint"
    epochs: Annotated[int, Parameter(group=LEARNT)] = 10
    batch_size: Annotated[int, Parameter(group=LEARNT)] = 64
    learning_rate: Annotated[float, Parameter(group=LEARNT)] = 0.05
    weight_decay: Annotated[float, Parameter(group=LEARNT)] = 5e-4
    schedule: Annotated[Literal["one-cycle", "constant", "steps"], Parameter(group=LEARNT)] = "one-cycle"
    precision: Annotated[Literal["auto", "float32", "bfloat16", "float16"], Parameter(group=LEARNT)] = "auto"
    search: Annotated[Flag, Parameter(group=LEARNT)] = False


def train(
    images: str,
    *,
    network: str = "builtin:cnn",
    seeds: int = 1,
    test: str | None = None,
    workers: int = 2,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> None:
    """Train networks that see k of the classes transformed half of the times, and the others never.

    Args:
        images: labelled images to learn from, as for the command measure.
        network: the architecture, builtin:NAME, torchvision:NAME or timm:NAME.
        seeds: so many networks of each kind, with the seeds from --seed on.
        test: images to test on; the set's own test split, or a third of each class, when it is left out.
        workers: processes that share the work; they do not change the numbers.
        options: what networks see, and how they learn.
        shared: what every command has.
    """
    if seeds < 1:
        raise SettingError(f"--seeds takes 1 or more networks of each kind; got {seeds}.")
    names = split(options.transformation) or ["inversion"]
    counts = _counts(split(options.seen))
    given = asdict(options)
    out = shared.folder("train")

    from invariscope.cli.work import working
    from invariscope.studies.train import train_networks
    from invariscope.training.loop import Schedule

    with working(shared, out, jobs=True) as progress:
        train_networks(
            images,
            out,
            network=network,
            transformation="+".join(names),
            magnitude=parse_magnitude(options.magnitude, names),
            seen=counts,
            seeds=range(shared.seed, shared.seed + seeds),
            test=test,
            schedule=Schedule(
                options.epochs,
                options.batch_size,
                options.learning_rate,
                weight_decay=options.weight_decay,
                rate=options.schedule,
                precision=options.precision,
            ),
            tests=parse_tests(options.test_magnitudes or [], names),
            **{name: given[name] for name in ("assignment", "mode", "search")},
            device=shared.device,
            workers=workers,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    resolved: dict[str, Any] = {"images": images, "network": network, "seeds": seeds, "test": test, "workers": workers}
    _finish(out, shared, {**resolved, **given, "transformation": names, "seen": split(options.seen)})


def parse_magnitude(text: str | None, names: list[str]) -> Any:
    """Magnitudes as a training has them.

    Args:
        text: as typed; None when the option was not given.
        names: of the transformations.

    Returns:
        A number or a range, or one of these for each of several transformations; None when it was not given.

    Raises:
        SettingError: there is not one for each transformation, or one is no number.

    Example:
        >>> parse_magnitude("15..45", ["rotation"]), parse_magnitude("1,15..45", ["inversion", "rotation"])
        ((15.0, 45.0), (1.0, (15.0, 45.0)))
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(names):
        raise SettingError(
            f"--magnitude takes one magnitude or range for each of {', '.join(names)}, with commas; got {text!r}."
        )
    found = [tuple(_number(end, "--magnitude", text) for end in part.split("..")) for part in parts]
    if any(len(ends) > 2 for ends in found):
        raise SettingError(f"--magnitude takes a range with two ends, as in 15..45; got {text!r}.")
    values = [ends[0] if len(ends) == 1 else ends for ends in found]
    return values[0] if len(values) == 1 else tuple(values)


def parse_tests(texts: list[str], names: list[str]) -> list[tuple[str, float]]:
    """Transformations and magnitudes to test under.

    Args:
        texts: as typed: "60,90" or "rotation=60,90".
        names: of the transformations that training shows; the only one needs no name.

    Raises:
        SettingError: a magnitude is no number, or it is not clear of which transformation.

    Example:
        >>> parse_tests(["60,90", "hue=180"], ["rotation"])
        [('rotation', 60.0), ('rotation', 90.0), ('hue', 180.0)]
    """
    found = []
    for text in texts:
        name, equals, values = text.rpartition("=")
        if not equals and len(names) > 1:
            raise SettingError(f"--test-magnitudes takes a name as in {names[0]}=60,90; got {text!r}.")
        found += [(name or names[0], _number(value, "--test-magnitudes", text)) for value in values.split(",")]
    return found


def _number(text: str, option: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(f"{option} takes numbers; got {text.strip()!r} in {whole!r}.") from None


def _finish(out: Path, shared: Shared, options: dict[str, Any]) -> None:
    from invariscope.cli.paradigm import paradigm, print_paradigm
    from invariscope.report.page import make_report
    from invariscope.runs.run import Run

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page, info = make_report(out), Run(out).info
    rows = paradigm(out)
    networks = [out / "networks" / f"{row['network']}.safetensors" for row in rows]
    if shared.json:
        told = {"run": out, "report": page, "networks": networks, "schedule": info["schedule"], "paradigm": rows}
        print_json({**told, "warnings": info["warnings"], "seconds": info["seconds"]})
    elif shared.quiet:
        print(page)
    else:
        print_paradigm(out)
        if options["search"]:
            chosen = info["schedule"]
            print(f"Found: learning rate {chosen['learning_rate']:g}, weight decay {chosen['weight_decay']:g}.")
        print(f"Networks: {out / 'networks'}\nReport: {page}")


def _counts(seen: list[str] | None) -> list[int] | None:
    if seen is None:
        return None
    try:
        return [int(k) for k in seen]
    except ValueError:
        raise SettingError(f"--seen takes numbers of classes, as in 1,15,30; got {','.join(seen)!r}.") from None

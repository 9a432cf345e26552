"""`invariscope check`: a gate for continuous integration."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from invariscope.cli.configuration import write
from invariscope.cli.options import Flag, Shared
from invariscope.cli.output import note, print_json, records
from invariscope.core.errors import SettingError

if TYPE_CHECKING:
    from invariscope.checks.checked import CheckRun

WHAT = Group("What is required", sort_key=1)
HOW = Group("How it is checked", sort_key=2)
KEPT, BROKEN = 0, 1
_NUMBERS = ("baseline", "baseline_of", "margin", "limit", "batch_size", "replicates", "cache")


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """What a network is held to, and how.

    Args:
        contract: the TOML file of requirements.
        baseline: an earlier run of measure, in place of a contract: no worse than it was; the contract that is made of
            it is kept as contract.toml.
        baseline_of: what of the run is required again: its curves, or its thresholds.
        margin: what may be lost against the baseline: points of share of a curve (0.02), a share of a threshold.
        write_contract: where the contract that is made of the baseline is written too.
        allow_undecided: a requirement that is undecided does not break the contract.
        limit: at most so many images, as many of each class.
        classes: file of the outputs' names, one per line.
        batch_size: images per forward pass; chosen by the size of the images when it is left out.
        replicates: bootstrap resamples behind the intervals of softmax and thresholds; 1000 when it is left out.
        cache: folder that keeps the decoded images for the next check.
        strict: refuse images that cannot be read, instead of skipping and counting them.
    """

    contract: Annotated[Path | None, Parameter(group=WHAT)] = None
    baseline: Annotated[Path | None, Parameter(group=WHAT)] = None
    baseline_of: Annotated[Literal["curves", "thresholds"], Parameter(group=WHAT)] = "curves"
    margin: Annotated[float, Parameter(group=WHAT)] = 0.0
    write_contract: Annotated[Path | None, Parameter(group=WHAT)] = None
    allow_undecided: Annotated[Flag, Parameter(group=WHAT)] = False
    limit: Annotated[int | None, Parameter(group=HOW)] = None
    classes: Annotated[Path | None, Parameter(group=HOW)] = None
    batch_size: Annotated[int | None, Parameter(group=HOW)] = None
    replicates: Annotated[int | None, Parameter(group=HOW)] = None
    cache: Annotated[Path | None, Parameter(group=HOW)] = None
    strict: Annotated[Flag, Parameter(group=HOW)] = False


def check(
    network: str | None = None,
    images: str | None = None,
    *,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> int:
    """Hold a network to a contract: each requirement passes, fails or is undecided; exit code 1 unless all pass.

    Args:
        network: as for the command measure; what the contract's table [check] names when it is left out.
        images: as for the command measure; likewise.
        options: what is required, and how it is checked.
        shared: what every command has.
    """
    out = shared.folder("check")
    target = options.write_contract
    if target is not None:
        if options.baseline is None:
            raise SettingError("--write-contract keeps what is made of a baseline; say which run with --baseline RUN.")
        if target.exists() and not shared.overwrite:
            raise SettingError(f"{target} is there already; name another file, or say --overwrite.")

    from invariscope.checks.check import check_contract
    from invariscope.cli.work import working
    from invariscope.core.files import whole

    given = asdict(options)
    with working(shared, out) as progress:
        run = check_contract(
            network,
            images,
            options.contract,
            **{name: given[name] for name in _NUMBERS},
            class_names=options.classes,
            strict=options.strict or None,
            allow_undecided=options.allow_undecided or None,
            device=None if shared.device == "auto" else shared.device,
            seed=shared.seed or None,
            out=out,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    if target is not None:
        with whole(target) as draft:
            draft.write_text((run.path / "contract.toml").read_text(encoding="utf-8"), encoding="utf-8")
    _finish(run, shared, {"network": network, "images": images, **given})
    return KEPT if run.kept else BROKEN


def _finish(run: "CheckRun", shared: Shared, options: dict[str, Any]) -> None:
    from invariscope.cli.verdicts import print_check
    from invariscope.report.page import make_report

    write(run.path / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page = make_report(run.path)
    for warning in run.info.get("warnings", []):
        note(f"note: {warning}", shared)
    if shared.json:
        print_json(payload(run, page))
    elif shared.quiet:
        print(page)
    else:
        print_check(run.check, page)


def payload(run: "CheckRun", page: Path) -> dict[str, Any]:
    """What --json prints of a check: what it prints of a measurement, and the requirements with their verdicts.

    Args:
        run: a finished check.
        page: where its page lies.
    """
    told = run.check
    tables = {name: records(run.table(name)) for name in ("verdicts", "thresholds", "layers")}
    return {"run": run.path, "report": page, **tables, **told}

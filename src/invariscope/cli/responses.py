"""`invariscope responses`: the same tables and report from responses that somebody else recorded."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from invariscope.cli.options import Shared


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """How recorded responses are judged.

    Args:
        negative: how negative responses become activity; without it, what needs activity is unknown there.
        tau: activity that counts as active, as a fraction of the unit's peak.
        firing: share of the clean responses that counts as firing (Goodfellow).
        invariant: invariance coefficient above which (and above its null) a unit is invariant.
        specialized: absolute specialization above which a unit is specialized.
        replicates: bootstrap resamples behind each interval.
    """

    negative: Literal["rectify", "abs", "shift"] | None = None
    tau: float = 0.1
    firing: float = 0.01
    invariant: float = 2 / 3
    specialized: float = 0.5
    replicates: int = 200


def responses(
    file: Annotated[Path, Parameter(name="FILE")],
    *,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> None:
    """Measure invariance in recorded responses of units or neurons, without a network.

    Args:
        file: an .npz with clean and transformed (stimuli x units, or stimuli x repeats x units), or a parquet file with
            the columns stimulus, unit, transformation, magnitude, repeat, response.
        options: how they are judged.
        shared: what every command has.
    """
    out = shared.folder("responses")

    from invariscope.cli.work import finish, working
    from invariscope.runs.responses import measure_responses

    with working(shared, out):
        run = measure_responses(
            file,
            **asdict(options),
            seed=shared.seed,
            out=out,
            resume=shared.resume,
            overwrite=shared.overwrite,
            command=shared.command,
        )
    finish(run, shared, {"file": file, **asdict(options)})

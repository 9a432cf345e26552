"""The gate: a network held to a contract, each requirement decided by its interval."""

import shutil
import warnings as python_warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from invariscope.checks.baseline import Of, baseline_contract
from invariscope.checks.checked import CheckRun
from invariscope.checks.contract import Contract, as_toml
from invariscope.checks.given import Given, load_given
from invariscope.checks.judge import frame, idle, judge
from invariscope.checks.read import parse_contract, read_contract
from invariscope.checks.terms import Term, grids
from invariscope.checks.write import clear, write_check
from invariscope.core.errors import SettingError
from invariscope.core.progress import Progress, Silent
from invariscope.core.words import spoken
from invariscope.findings.record import Record
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.runs.place import place
from invariscope.runs.run import Run
from invariscope.runs.store import Store
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.resample import REPLICATES


def check_contract(
    network: Network | nn.Module | Callable[..., Any] | str | None = None,
    images: Images | str | Path | None = None,
    contract: Contract | Mapping[str, Any] | str | Path | None = None,
    *,
    baseline: Run | str | Path | None = None,
    baseline_of: Of = "curves",
    margin: float = 0.0,
    class_names: Any = None,
    limit: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    replicates: int | None = None,
    strict: bool | None = None,
    allow_undecided: bool | None = None,
    device: str | None = None,
    cache: str | Path | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> CheckRun:
    """Hold a network to a contract: each requirement passes, fails, or is undecided.

    A requirement passes if the low end of the 95 % interval reaches what is required, fails if its high end does not.
    Only the contract's magnitudes are shown, each once for all requirements and classes; no unit is measured.
    Accuracy and agreement have Wilson's interval, softmax and thresholds that of a bootstrap over images.

    What is None is taken from the contract's table [check], else the usual value.

    Args:
        network: a network, any module that takes [0, 1] images, or a specifier.
        images: images, or a specifier.
        contract: a TOML file, its content, or a contract.
        baseline: an earlier run of `measure`, which the contract is made of instead.
        baseline_of: "curves" or "thresholds", as in `baseline_contract`.
        margin: what may be lost against the baseline, as in `baseline_contract`.
        class_names: one name per output, or a file of them.
        limit: at most so many images, class-balanced.
        seed: of the images' draw, random transformations and the bootstrap; 0.
        batch_size: images per forward pass; does not change numbers beyond rounding.
        replicates: of the bootstrap; 20 or more, 1000.
        strict: refuse images that cannot be read instead of skipping and counting them.
        allow_undecided: an undecided requirement does not break the contract.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        cache: a folder where decoded images are kept for the next time.
        out: the directory; None keeps the check in a temporary one for as long as the result lives.
        resume: go on with an interrupted check in `out`; a finished one is returned as it is.
        overwrite: replace a run in `out`.
        progress: told of every image.
        command: the command line, for the record.

    Returns:
        The check: `.kept`, `.verdict`, `.requirements`, `.results`, `.report()`.

    Raises:
        InvariscopeError: bad input, in one sentence; nothing is written then.

    Example:
        >>> import torch
        >>> pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        >>> labels = torch.arange(60) % 3
        >>> data = Images(torch.eye(3)[labels][:, :, None, None].expand(-1, -1, 8, 8), labels)
        >>> asked = {"require": [{"transformation": "rotation", "magnitude": 90, "at_least": 0.9}]}
        >>> check_contract(pool, data, asked, device="cpu").verdict
        'passes'
    """
    record = Record("check", {}, command)
    asked, notes = _contract(contract, baseline, baseline_of, margin)
    own = {"network": network, "images": images, "class_names": class_names, "limit": limit, "seed": seed}
    own |= {"batch_size": batch_size, "replicates": replicates, "strict": strict, "device": device}
    own |= {"allow_undecided": allow_undecided}
    told = {**_USUAL, **asked.check, **{name: value for name, value in own.items() if value is not None}}
    allowed = bool(told.pop("allow_undecided"))
    given = load_given(asked, **told, cache=cache, progress=progress or Silent())
    given.warnings.extend([*notes, *_other_images(baseline, given)])
    made_of = None if baseline is None else {"run": str(_run(baseline).path), "of": baseline_of, "margin": margin}
    configuration = {
        **given.configuration,
        "allow_undecided": allowed,
        "baseline": made_of,
        "contract": asked.plain(),
    }
    record = replace(record, configuration=configuration)
    with place(out) as chosen:
        store = Store.open(chosen.path, record.plan, resume=resume, overwrite=overwrite)
        if not store.done:
            if overwrite:
                clear(store.path)
            with store.filling(), python_warnings.catch_warnings():
                # A user's network may warn at every forward pass; what matters is among the run's own warnings.
                python_warnings.simplefilter("ignore")
                accuracy, rows = _rows(given, store)
            text = asked.text or _text(asked, baseline, given)
            write_check(record, store.path, given, rows, accuracy=accuracy, allow_undecided=allowed, contract=text)
            shutil.rmtree(store.spool(), ignore_errors=True)
        run = CheckRun(store.path)
        chosen.keep_for(run)
    return run


_USUAL: dict[str, Any] = {
    **{"network": None, "images": None, "class_names": None, "limit": None, "seed": 0, "batch_size": None},
    **{"replicates": REPLICATES, "strict": False, "device": "auto", "allow_undecided": False},
}


def _contract(
    contract: Contract | Mapping[str, Any] | str | Path | None, baseline: Run | str | Path | None, of: Of, margin: float
) -> tuple[Contract, list[str]]:
    if (contract is None) == (baseline is None):
        given = "both are given" if contract is not None else "neither is given"
        raise SettingError(f"a check takes a contract or a baseline; {given}: name one of them.")
    if baseline is not None:
        return baseline_contract(_run(baseline), of, margin)
    if isinstance(contract, Contract):
        return contract, []
    if isinstance(contract, Mapping):
        return parse_contract(contract), []
    return read_contract(str(contract)), []


def _run(baseline: Run | str | Path) -> Run:
    return baseline if isinstance(baseline, Run) else Run(baseline)


def _other_images(baseline: Run | str | Path | None, given: Given) -> list[str]:
    """A baseline holds for other images only as far as they are alike."""
    if baseline is None:
        return []
    before = (_run(baseline).info.get("images") or {}).get("fingerprint")
    if before == given.images.fingerprint:
        return []
    return ["the baseline was measured on other images; give the same, with the same --limit and --seed, to compare."]


def _text(asked: Contract, baseline: Run | str | Path | None, given: Given) -> str:
    """The contract as a file that can be edited and kept."""
    comment = "" if baseline is None else f"Made of the run {_run(baseline).path}: no worse than it was."
    return as_toml(replace(asked, check=asked.check or given.settings), comment)


def _rows(given: Given, store: Store) -> tuple[float | None, pd.DataFrame]:
    """Show every transformation that the store does not hold yet; the clean accuracy, and every part's outcome."""
    shown = grids(given.terms)
    missing = {family: values for family, values in shown.items() if not store.has(family.name)}
    strengths = 1 + sum(len(values) - 1 for values in missing.values())
    given.show.progress.start("checking", len(given.prepared) * strengths)
    clean = given.show.clean()
    for family, magnitudes in missing.items():
        own = [term for term in given.terms if term.transformation == family]
        store.add(family.name, {"results": _judged(given, own, given.show.sweep(family, magnitudes, clean))})
    parts = [pd.read_parquet(store.spool() / family.name / "results.parquet") for family in shown]
    rows = pd.concat(parts, ignore_index=True).sort_values(["requirement", "place"], ignore_index=True)
    idlers = list(dict.fromkeys(rows.loc[rows["idle"], "transformation"]))
    if idlers:
        given.warnings.append(
            f"{', '.join(map(spoken, idlers))} changed no answer; look whether these images have what is changed."
        )
    labels = given.show.labels
    accuracy = None if labels is None else float((clean.argmax(1) == labels).double().mean())
    return accuracy, rows


def _judged(given: Given, terms: list[Term], sweep: Sweep) -> pd.DataFrame:
    found = [judge(term, sweep, replicates=given.replicates, seed=given.show.seed) for term in terms]
    table = pd.concat([frame(outcomes).assign(place=range(len(outcomes))) for outcomes in found], ignore_index=True)
    return table.assign(idle=idle(sweep))

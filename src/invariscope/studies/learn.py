"""A learned family of transformations, from its settings to its directory."""

import re
import shutil
import warnings as python_warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.core.progress import Progress
from invariscope.findings.record import Record
from invariscope.findings.write import write_tables
from invariscope.images.images import Images
from invariscope.images.labels import match_labels
from invariscope.images.load import load_images
from invariscope.images.prepared import Prepared
from invariscope.learned.learn import Learned, learn_transformer
from invariscope.learned.settings import LearnSettings
from invariscope.networks.load import load_network
from invariscope.networks.network import Network, as_network
from invariscope.runs.device import choose_device
from invariscope.runs.store import Store
from invariscope.studies.learn_answer import Answer, answer_of
from invariscope.studies.learn_figures import figures_of
from invariscope.studies.learn_findings import cards, findings, limits
from invariscope.studies.learn_pictures import write_examples
from invariscope.studies.learn_tables import course_table, parameters_table, scales_table
from invariscope.studies.network_names import network_labels

_MADE = ("learning", "examples", "transformer.safetensors", "findings.json", "figures.json")
_TABLES = ("family", "history", "certificate", "kept", "examples", "course", "parameters", "scales")


def conduct_learn(
    network: Network | nn.Module | Callable[..., Any] | str,
    images: Images | str | Path,
    out: Path,
    settings: LearnSettings | None = None,
    *,
    test: Images | str | Path | None = None,
    limit: int | None = None,
    device: str = "auto",
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Learn a family of transformations that a network ignores, and write what was found.

    `out` then holds `transformer.safetensors`, `family.parquet`, `history.parquet`, `certificate.parquet`,
    `kept.parquet`, `examples.parquet` with its pictures in `examples/`, the tables that figures are drawn from
    (`course`, `parameters`, `scales`), `findings.json`, `figures.json`, and `run.json`, written last.

    Args:
        network: a network, any module that takes [0, 1] images, or a specifier.
        images: to learn from.
        out: the run directory.
        settings: how; None is the default.
        test: images for the certificate; None holds a share of `images` out.
        limit: at most so many images to learn from, class-balanced.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        seed: decides first weights, order of images, k, which images are drawn and which are held out.
        resume: go on with what was interrupted in `out`, to the same bits.
        overwrite: replace the run in `out`.
        progress: told of every step.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Source: Bunne et al., §III.D, §IV.B, figures 4 and 5.
    """
    record, settings = Record("learn", {}, command), settings or LearnSettings()
    if seed < 0:
        raise SettingError(f"a seed is 0 or more; got {seed}.")
    where = str(choose_device(device))
    loaded = (load_network(network) if isinstance(network, str) else as_network(network)).to(where)
    pictures = load_images(images) if isinstance(images, str | Path) else images
    pictures = pictures if limit is None else pictures.limit(limit, seed)
    prepared = pictures.fit(loaded.recipe)
    held = load_images(test) if isinstance(test, str | Path) else test
    tested = None if held is None else held.fit(loaded.recipe)
    prints = {"network": loaded.fingerprint, "recipe": repr(loaded.recipe), "images": pictures.fingerprint}
    configuration = {
        **{"network": loaded.spec, "images": pictures.spec, "test": None if held is None else held.spec},
        **{"limit": limit, "seed": seed, "device": where, **asdict(settings)},
        "fingerprints": {**prints, "test": None if held is None else held.fingerprint},
    }
    record = replace(record, configuration=configuration)
    store = Store.open(out, record.plan, resume=resume, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        _clear(out)
    with store.filling("learning"), python_warnings.catch_warnings():
        # A user's network may warn at every forward pass.
        python_warnings.simplefilter("ignore")
        learned = learn_transformer(
            loaded,
            prepared,
            settings,
            seed=seed,
            progress=progress,
            checkpoint=out / "learning" / "checkpoint.safetensors",
            held_out=tested,
        )
        asked = prepared if tested is None else tested
        answer = answer_of(learned, _labelled(loaded, asked))
        tables = _write(out, learned, answer, loaded, asked)
        # What train keeps has a hash behind its name.
        label = re.sub(r"-[0-9a-f]{8}$", "", network_labels([loaded.spec])[0])
        record.write(
            out,
            question=f"Which transformations does {label} ignore?",
            source="Bunne et al., section III.D, figures 4 and 5",
            limits=limits(learned),
            cards=cards(answer),
            answer=answer.plain(),
            tables=tables,
            network={"spec": loaded.spec, "fingerprint": loaded.fingerprint},
            images=_about(pictures, prepared),
            test=None if held is None or tested is None else _about(held, tested),
            seeds={"seed": seed},
            device=where,
            warnings=_told(loaded, prepared, tested, learned),
        )
    shutil.rmtree(out / "learning", ignore_errors=True)
    return out


def _write(out: Path, learned: Learned, answer: Answer, network: Network, images: Prepared) -> list[str]:
    """Everything but run.json; gives the names of the tables."""
    learned.save(out / "transformer.safetensors")
    tables = {
        "family": learned.family,
        "history": learned.history,
        "certificate": learned.certificate,
        "kept": learned.kept,
        "examples": write_examples(out / "examples", learned, answer, network, images),
        "course": course_table(learned),
        "parameters": parameters_table(learned, answer.shown),
        "scales": scales_table(learned),
    }
    return write_tables(out, tables, findings(learned, answer), figures_of(learned, answer, tables))


def _clear(out: Path) -> None:
    for name in (*_MADE, *(f"{table}.parquet" for table in _TABLES)):
        made = out / name
        shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)


def _about(images: Images, prepared: Prepared) -> dict[str, Any]:
    return {
        "spec": images.spec,
        "fingerprint": images.fingerprint,
        "n": len(prepared),
        "skipped": prepared.n_skipped,
        "size": [prepared.height, prepared.width],
    }


def _labelled(network: Network, images: Prepared) -> bool:
    """Whether the images have labels that fit the network's outputs."""
    with torch.inference_mode():
        outputs = network(images.batch([0], network.device))
    return outputs.ndim == 2 and match_labels(images, network, outputs.shape[1]).labels is not None


def _told(network: Network, images: Prepared, tested: Prepared | None, learned: Learned) -> list[str]:
    """What a person should be told, each once."""
    told = [*network.notes, *images.notes, *([] if tested is None else tested.notes)]
    return list(dict.fromkeys([*told, *([learned.message] if learned.message else [])]))

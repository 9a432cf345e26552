"""A small run directory from a seeded simulation: what the page is tested on."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tuned_units import GRIDS, LAYERS, TAU, Simulation

ANIMALS = ("aeroplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FEW = ("rotation", "gaussian-blur", "horizontal-flip", "hue")
SMALL = {"transformations": FEW, "classes": ("cat", "dog", "frog"), "n_per_class": 20, "n_units": 8}


def _picture(seed: int, name: str, magnitude: float, side: int = 32) -> Image.Image:
    random = np.random.Generator(np.random.PCG64(seed))
    y, x = np.mgrid[0:side, 0:side] / side
    waves = [np.sin(6 * (x * a + y * b) + c) for a, b, c in random.normal(0, 1, (3, 3))]
    pixels = np.stack(waves, -1) * 90 + 128
    pixels[8:24, 13:20] = random.integers(0, 255, 3)
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if name == "rotation":
        picture = picture.rotate(magnitude, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))
    return picture.resize((96, 96), Image.Resampling.NEAREST)


def _examples(path: Path, names: Sequence[str], simulation: Simulation, units: bool) -> None:
    (path / "examples").mkdir(parents=True, exist_ok=True)
    index: list[dict[str, object]] = []
    classes, truth = simulation.classes, simulation.truth
    for name in names:
        _, identity, grid, _ = GRIDS[name]
        clean = simulation.predict(name, identity)
        for image in (0, len(truth) // 2):
            for place, magnitude in enumerate(grid):
                file = f"{name}-{place:02d}-{image}.png"
                _picture(image, name, magnitude).save(path / "examples" / file)
                predicted = simulation.predict(name, magnitude)[image]
                index.append(
                    {
                        **dict(
                            kind="strength", file=file, transformation=name, magnitude=float(magnitude), image=image
                        ),
                        **{"class": classes[truth[image]] if simulation.labels else None},
                        **dict(predicted=classes[predicted], clean_predicted=classes[clean[image]]),
                    }
                )
        for role, start in (("most-invariant", 1), ("least-invariant", 5)) if units else ():
            for unit in range(start, start + 3):
                for rank in range(3):
                    files = f"{name}-unit{unit}-{rank}.png", f"{name}-unit{unit}-{rank}-transformed.png"
                    _picture(unit * 10 + rank, name, 0).save(path / "examples" / files[0])
                    _picture(unit * 10 + rank, name, 30).save(path / "examples" / files[1])
                    index.append(
                        {
                            **dict(
                                kind="driving", file=files[0], file_transformed=files[1], layer=LAYERS[-2], unit=unit
                            ),
                            **dict(role=role, rank=rank, transformation=name, magnitude=float(grid[-1]), image=rank),
                            **dict(clean_response=3.2 - rank / 4, transformed_response=3.0 - unit / 3, invariance=0.9),
                            **{"class": classes[0]},
                        }
                    )
    (path / "examples" / "index.json").write_text(json.dumps(index))


def make_example(
    path: Path,
    *,
    transformations: Sequence[str] = tuple(GRIDS),
    classes: Sequence[str] = ANIMALS,
    n_per_class: int = 40,
    n_units: int = 24,
    labels: bool = True,
    units: bool = True,
    tolerance: bool = True,
    warnings: Sequence[str] = (),
    seed: int = 0,
) -> Path:
    """Write a run directory and return its path."""
    path.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(classes, n_per_class, n_units, labels, seed)
    for name in transformations:
        if tolerance:
            simulation.tolerance(name)
        if units:
            simulation.units(name)
    for table, rows in simulation.tables.items():
        if rows:
            pd.DataFrame(rows).to_parquet(path / f"{table}.parquet", index=False)
    if tolerance:
        _examples(path, transformations, simulation, units)
    right = (simulation.predict("rotation", 0.0) == simulation.truth).mean()
    info = {
        **dict(version="0.1.0", command="invariscope measure builtin:cifar-resnet20 test.parquet", device="cpu"),
        **dict(
            configuration={"layers": "activations", "units": "channels", "reduce": "max", "tau": TAU, "tolerated": 0.9}
        ),
        **dict(seeds={"seed": seed}, seconds=83.21, warnings=list(warnings), started="2025-01-02T03:04:05+00:00"),
        **dict(
            network={
                "spec": "builtin:cifar-resnet20?weights=a/b.safetensors",
                "fingerprint": "9f2c",
                "outputs": len(classes),
            }
        ),
        **dict(images={"spec": "data/test.parquet", "fingerprint": "77ab", "n": len(simulation.truth), "skipped": 0}),
        **dict(clean_accuracy=float(right) if labels else None, environment={"python": "3.11", "torch": "2.11"}),
        **dict(sites=[{"name": name, "kind": "activation"} for name in LAYERS], last_hidden_site=LAYERS[-2]),
        "transformations": {
            name: {"unit_of_measure": GRIDS[name][0], "identity": GRIDS[name][1], "magnitudes": list(GRIDS[name][2])}
            for name in transformations
        },
    }
    (path / "run.json").write_text(json.dumps(info))
    return path


def make_paradigm(path: Path, parts: Sequence[tuple[str, str]] = (), seeds: int = 3) -> Path:
    """Write a run directory of the seen/unseen paradigm; its parts must lie in it already."""
    path.mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.PCG64(1))
    rows = []
    for name, gain in (("inversion", 0.68), ("rotation", 0.03)):
        for k in (1, 15, 30, 45, 54):
            for seed in range(seeds):
                share = (k - 1) / 53
                blur = random.normal(0, 0.02, 5)
                rows.append(
                    {
                        **dict(transformation=name, k=k, seed=seed, network=f"{name}-{k}-{seed}", n_classes=60),
                        **dict(clean=0.99, within=0.985 + blur[0] / 4, across=abs(0.02 + gain * share**1.5 + blur[1])),
                        **dict(invariance_seen=0.48 + gain * 0.2 * share + blur[2]),
                        **dict(invariance_unseen=0.29 + gain * 0.5 * share + blur[3], specialization=0.4 + blur[4]),
                        **dict(magnitude=1.0 if name == "inversion" else 90.0),
                    }
                )
    pd.DataFrame(rows).to_parquet(path / "paradigm.parquet", index=False)
    info = {
        **dict(version="0.1.0", command="invariscope demo", configuration={"seeds": seeds}, seeds={"seed": 0}),
        **dict(device="cpu", seconds=140.2, warnings=[], parts=[{"title": t, "path": p} for t, p in parts]),
        **dict(network={"spec": "builtin:glyph-net"}, images={"spec": "builtin:glyphs", "n": 1200}),
    }
    (path / "run.json").write_text(json.dumps(info))
    return path

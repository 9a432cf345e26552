"""One table of all benchmark results: python benchmarks/table.py writes docs/benchmarks.md from benchmarks/results/."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def spread(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.2f}× ({ratio['min']:.2f}–{ratio['max']:.2f})"


def main() -> None:
    overhead, peer, synthetic = load("overhead"), load("peer"), load("synthetic")
    rows = []
    for name in ("resnet18", "small-cnn"):
        case = overhead[name]
        what = f"{name}, {case['images']} images of {case['size']}², {case['sites']} sites"
        one = case["recorded/bare"]
        rows.append((f"recording / bare: {what}", spread(one), "≤ 1.10×", one["median"] <= 1.1))
        one = case["measured/bare"]
        rows.append((f"whole measurement / bare: {what}", spread(one), "≤ 1.10×", one["median"] <= 1.1))
        if "positions/bare" in case:
            one = case["positions/bare"]
            what = f"{name}, {case['positions']:,} positions"
            rows.append((f"every position / bare: {what}", spread(one), "≤ 1.35×", one["median"] <= 1.35))
    rows.append(("the peer / bare: normalized variance", spread(peer["peer/bare"]), "", None))
    rows.append(("the same numbers here / bare", spread(peer["ours/bare"]), "", None))
    times = peer["times_cheaper"]
    rows.append((f"times cheaper than the peer, {peer['units']:,} units", f"{times:.1f}×", "≥ 3×", times >= 3))
    deviation = peer["largest_relative_deviation"]
    rows.append(
        (
            f"largest deviation from the peer, {peer['compared_units']:,} units",
            f"{deviation:.1e}",
            "≤ 1e-5",
            deviation <= 1e-5,
        )
    )
    for case, wanted in (("all eight categories", 10), ("affine and jitter", 5)):
        faster = synthetic[case]["times faster"]
        speed = synthetic[case]["batched images/s"]
        what = f"transformed images, {case}: {speed:,.0f} a second at {synthetic['size']}²"
        rows.append((what, f"{faster:.1f}× a loop", f"≥ {wanted}×", faster >= wanted))
    training = load("training")
    for name in ("small-cnn", "resnet18"):
        case = training[name]
        one, speed = case["ours/bare"], case["images/s"]["ours"]
        what = f"training / a bare loop: {name}, {case['size']}², {speed:,.0f} images a second"
        rows.append((what, spread(one), "≤ 1.10×", one["median"] <= 1.1))
    scaling = load("scaling")
    share, workers = scaling["of ideal"], scaling["workers"]
    rows.append((f"grids: {workers} workers, of {workers} × one", spread(share), "≥ 0.85×", share["median"] >= 0.85))
    thresholds, worst = load("thresholds"), load("worst_case")
    for name in ("rotation", "brightness", "gaussian-noise", "translation-x"):
        case = thresholds[name]
        what = f"bracketing / dense sweep, forward passes: {name}, {case['steps']} steps, {case['images']} images"
        rows.append((what, f"{case['ratio']:.2f}×", "≤ 0.33×", case["ratio"] <= 1 / 3))
    what = f"worst case: same answers as the peer on {worst['points']} points, of {worst['images']} images"
    rows.append((what, str(worst["same answer"]), "all", worst["same answer"] == worst["images"]))
    rows.append(("worst case: times fewer passes than the peer", f"{worst['times fewer passes']:.1f}×", "", None))
    signs = {True: "met", False: "missed", None: ""}
    table = "\n".join(f"| {what} | {got} | {wanted} | {signs[met]} |" for what, got, wanted, met in rows)
    about = overhead["machine"]
    machine = (
        f"Machine: {about['cpu']}, {about['cores']} cores, torch {about['torch']}, Python {about['python']}, "
        f"load {about['load']} from other work while it ran."
    )
    (HERE.parent / "docs" / "benchmarks.md").write_text(
        (HERE / "table.md").read_text().format(rows=table, machine=machine)
    )


if __name__ == "__main__":
    main()

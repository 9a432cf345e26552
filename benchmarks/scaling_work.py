"""The jobs of the scaling benchmark, importable in worker processes."""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch


def wait(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """Begin, and end when all workers have begun: from then on every worker is there, with what it imports."""
    marks = folder / "begun"
    marks.mkdir(exist_ok=True)
    (marks / str(settings["place"])).touch()
    while len(list(marks.iterdir())) < settings["workers"]:
        time.sleep(0.005)
    (folder / "start.txt").write_text(str(time.time()))
    return {}


def train(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """Steps of a small convolutional network, all in one thread; and when they ended, beside the results."""
    generator = torch.Generator().manual_seed(settings["seed"])
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(),
        torch.nn.Linear(256, 10),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 10)
    descent = torch.optim.SGD(network.parameters(), 0.01)
    images, labels = torch.rand(32, 3, 32, 32, generator=generator), torch.arange(32) % 10
    losses = []
    for _ in range(settings["steps"]):
        descent.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        descent.step()
        losses.append(loss.item())
    (folder / f"end-{settings['seed']}.txt").write_text(str(time.time()))
    return {"losses": pd.DataFrame({"seed": settings["seed"], "step": range(len(losses)), "loss": losses})}

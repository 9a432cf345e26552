"""Where the numbers come from: versions, device, seeds, fingerprints, settings, warnings and the command."""

import json
import re
from collections.abc import Mapping
from typing import Any

from invariscope.core.words import count, number, tidy
from invariscope.report.read import RunData

_SKIPPED = {"transformations", "sites", "parts", "warnings", "key"}


def provenance(run: RunData) -> list[tuple[str, str]]:
    """Pairs of what and its value, for a table."""
    info = run.info
    network, images, environment = (info.get(key) or {} for key in ("network", "images", "environment"))
    rows = [
        ("Command", _command(info.get("command"))),
        ("Network", _text(network.get("spec"))),
        ("Network fingerprint", _text(network.get("fingerprint"))),
        ("Parameters, outputs", _joined(network.get("parameters"), network.get("outputs"))),
        ("Input recipe", _text(network.get("recipe"))),
        ("Images", _text(images.get("spec"))),
        ("Images fingerprint", _text(images.get("fingerprint"))),
        ("Images used, skipped", _joined(images.get("n"), _skipped(images.get("skipped")))),
        ("Image size", _text(images.get("size"))),
        ("Seeds", _text(info.get("seeds"))),
        ("Configuration", _text(info.get("configuration"))),
        ("Device", _text(info.get("device"))),
        ("Time", _seconds(info.get("seconds"), info.get("started"))),
        ("Software", _text({"invariscope": info.get("version"), **environment})),
        ("Last hidden layer", _text(info.get("last_hidden_site"))),
    ]
    return [(what, value) for what, value in rows if value]


def settings(configuration: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings and their values, for a table."""
    return [(tidy(name, 60), _text(value) or "–") for name, value in configuration.items()]


def warnings_of(run: RunData) -> list[str]:
    """What the run warned of."""
    return [tidy(warning) for warning in run.info.get("warnings") or []]


def network_name(run: RunData) -> str:
    """The network's name without the path of its weights, their kind and their hash.

    A specifier is KIND:NAME?SETTINGS, or a path.
    """
    spec = str((run.info.get("network") or {}).get("spec") or "the network").split("?")[0]
    name = spec.rsplit("/", 1)[-1].split(":", 1)[-1] or spec
    return tidy(re.sub(r"(-[0-9a-f]{8})?\.(safetensors|pt2?|pth)$", "", name), 60)


def images_name(run: RunData) -> str:
    """The images' name without their folder."""
    spec = str((run.info.get("images") or {}).get("spec") or "").split("?")[0]
    return tidy(spec.rstrip("/").rsplit("/", 1)[-1].split(":", 1)[-1], 60)


def _skipped(value: Any) -> Any:
    return len(value) if isinstance(value, (list, tuple)) else value


def _command(value: Any) -> str:
    return tidy(" ".join(map(str, value)) if isinstance(value, (list, tuple)) else value or "")


def _joined(*values: Any) -> str:
    return ", ".join(f"{value:,}" if isinstance(value, int) else tidy(value) for value in values if value is not None)


def _text(value: Any) -> str:
    """A value as a person reads it; settings as name = value."""
    if value is None or value == {} or value == []:
        return ""
    if isinstance(value, dict):
        told = [f"{name} = {_inner(each)}" for name, each in value.items() if name not in _SKIPPED and each is not None]
        return tidy(" · ".join(told), 2000)
    return tidy(_inner(value), 2000)


def _inner(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return number(value, 6) if isinstance(value, float) else str(value)


def _seconds(seconds: Any, started: Any) -> str:
    told = []
    if isinstance(seconds, (int, float)):
        told.append(
            f"{number(round(float(seconds), 1), 6)} s" if seconds < 120 else count(round(seconds / 60), "minute")
        )
    if started:
        told.append(f"started {tidy(started, 40)}")
    return ", ".join(told)

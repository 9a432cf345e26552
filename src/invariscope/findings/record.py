"""What a study's directory says of how it was made."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import invariscope
from invariscope.core.files import whole
from invariscope.runs.store import key_of


@dataclass(frozen=True)
class Record:
    """Provenance of a study's directory, begun with the work and written when it is finished.

    Args:
        kind: "demo" or "train".
        configuration: all that decides the numbers, as plain values.
        command: the command line, or None.
        began: when, in UTC.
        started: the clock then, seconds.
    """

    kind: str
    configuration: Mapping[str, Any]
    command: str | None = None
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    started: float = field(default_factory=time.monotonic)

    @property
    def plan(self) -> dict[str, Any]:
        """What must be equal for a directory to be gone on with."""
        return {"command": self.kind, "version": invariscope.__version__, **self.configuration}

    def write(self, out: Path, **more: Any) -> None:
        """Write run.json, whose presence says that the study is finished.

        Args:
            out: the study's directory.
            **more: what else it shall say: `seeds`, `parts`, `images`, `network`, `device`, `warnings`.
        """
        info = {
            "kind": self.kind,
            "version": invariscope.__version__,
            "command": self.command,
            "configuration": dict(self.configuration),
            **more,
            "seconds": round(time.monotonic() - self.started, 2),
            "warnings": list(more.get("warnings", ())),
            "started": self.began,
            "environment": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "platform": f"{platform.system()} {platform.machine()}",
            },
            "key": key_of(self.plan),
        }
        with whole(out / "run.json") as draft:
            draft.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
        (out / ".plan.json").unlink(missing_ok=True)

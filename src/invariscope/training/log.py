"""What is found while a network is trained: a row per epoch, and the row of the network."""

from collections.abc import Callable
from typing import Any

from invariscope.networks.network import Network
from invariscope.training.evaluate import Accuracy, evaluate_each, evaluate_mixture
from invariscope.training.mixture import Mixture
from invariscope.training.precision import choose_precision
from invariscope.training.sets import Sets
from invariscope.training.settings import Training
from invariscope.training.steps import Step
from invariscope.transformations.base import TRANSFORMATIONS

Row = dict[str, Any]
_NAMES = ("clean", "within", "across")


class Log:
    """Tests a network after epochs, and keeps what was found.

    Args:
        training: the settings.
        sets: whose test images are shown.
        network: the network in training.
        mixture: what images of seen classes are transformed with.
        seen: those classes.
        history: rows of epochs that are done; grows.
    """

    def __init__(
        self,
        training: Training,
        sets: Sets,
        network: Network,
        mixture: Mixture,
        seen: tuple[int, ...],
        history: list[Row],
    ) -> None:
        self.training, self.sets, self.network = training, sets, network
        self.mixture, self.seen, self.history = mixture, seen, history
        self._found: dict[str, Accuracy] = {}

    def of(self, step: Step) -> Callable[[int, float], None]:
        """What to call after each epoch of a step, with the epoch and its mean loss."""

        def after_epoch(epoch: int, loss: float) -> None:
            tested = self.training.each_epoch or epoch == self.training.schedule.epochs
            self._found = {}
            found = self._accuracies() if tested else {}
            row = self._about() | {"step": step.name, "epoch": epoch, "loss": loss}
            self.history.append(row | {name: found[name].value if tested else float("nan") for name in _NAMES})

        return after_epoch

    def row(self) -> Row:
        """The row of the finished network."""
        training, found = self.training, self._accuracies()
        fixed = isinstance(training.magnitude, float)
        row: Row = {
            "transformation": training.transformation,
            "magnitude": training.magnitude if fixed else float("nan"),
            "shown": training.label,
            "k": training.k,
            "n_classes": len(self.sets.classes),
            "seed": training.seed,
            "mode": training.mode,
            "network": training.name(self.sets.fingerprint),
        }
        for name in _NAMES:
            row |= found[name].columns(name)
        row["loss"] = self.history[-1]["loss"]
        return row | {"precision": choose_precision(training.schedule.precision, self.network.device)}

    def tests(self) -> list[Row]:
        """Rows of the tests that were asked for; without any, of each transformation at the ends of its range."""
        training, about = self.training, self._about()
        if not training.tests and isinstance(training.magnitude, float):
            found = self._accuracies() | {"other": Accuracy(0, 0)}
            row: Row = {"transformation": training.transformation, "magnitude": training.magnitude, "trained": True}
            for name in ("within", "across", "other"):
                row |= found[name].columns(name)
            return [about | row]
        asked = training.tests or [(name, end) for name, low, high in training.ranges for end in sorted({low, high})]
        tests = [(TRANSFORMATIONS[name]().with_fill(self.network.recipe.fill), magnitude) for name, magnitude in asked]
        sets = self.sets
        rows = evaluate_each(self.network, sets.test, sets.test_labels, self.mixture, self.seen, tests)
        return [about | row for row in rows]

    def _about(self) -> Row:
        name = self.training.name(self.sets.fingerprint)
        return {"network": name, "seed": self.training.seed, "seen": self.training.k}

    def _accuracies(self) -> dict[str, Accuracy]:
        """Of the network as it is after the last epoch that was tested."""
        if not self._found:
            sets = self.sets
            found = evaluate_mixture(self.network, sets.test, sets.test_labels, self.mixture, self.seen)
            self._found = dict(found)
        return self._found

"""What the study during-training draws: everything over the epochs."""

from collections.abc import Sequence

from invariscope.findings.figures import Figure, Lines, Violins
from invariscope.studies.during_gains import QUARTILES

_EPOCHS = "epochs of training"


def draw_all(shown: Sequence[int]) -> list[Figure]:
    """All figures.

    Args:
        shown: how many classes networks see transformed, without those that see none.
    """
    most = max(shown)
    classes = {"0": "x only"}
    of = {"invariance": "invariance, unseen classes", "accuracy across": "accuracy, unseen classes"}
    of["clean accuracy"] = "accuracy, clean images"
    return [
        Lines(
            name="progress",
            title="What comes first?",
            caption=f"Gains of networks with {most} classes seen transformed, as shares of those after the last epoch: "
            "over networks of the same seeds trained on x only, at the same epoch; of clean accuracy, over the start. "
            "Gains that are too small to be timed have no line.",
            where={"quantity": [f"progress of {name}" for name in of], "k": [most]},
            x="epoch",
            colour="quantity",
            panel="transformation",
            labels={f"progress of {name}": words for name, words in of.items()},
            x_label=_EPOCHS,
            y_label="share of the final gain",
            share=True,
            reference=0.5,
        ),
        Lines(
            name="accuracy",
            title="Accuracy during training",
            caption=f"Networks with {most} classes seen transformed: test images as they are, and transformed images "
            "of seen and of unseen classes.",
            where={"quantity": ["clean", "within", "across"], "k": [most]},
            x="epoch",
            colour="quantity",
            panel="transformation",
            labels={"within": "seen classes", "across": "unseen classes", "clean": "clean images"},
            x_label=_EPOCHS,
            y_label="accuracy",
            share=True,
            span=(0, 1),
        ),
        Lines(
            name="across",
            title="Accuracy on transformed images of unseen classes",
            caption="By the number of classes seen transformed.",
            where={"quantity": "across", "k": [*shown]},
            x="epoch",
            colour="k",
            panel="transformation",
            labels=classes,
            x_label=_EPOCHS,
            y_label="accuracy, unseen classes",
            share=True,
            span=(0, 1),
        ),
        *(
            Lines(
                name=name,
                title=f"Mean {name} of units during training",
                caption=f"{words}, by the number of classes seen transformed.",
                where={"quantity": name, "group": "all"},
                x="epoch",
                colour="k",
                panel="transformation",
                labels=classes,
                x_label=_EPOCHS,
                y_label=label,
                span=span,
            )
            for name, words, label, span in (
                ("invariance", "Units of the last hidden layer on all test images", "invariance coefficient", (0, 1)),
                ("specialization", "Its size, of the same units on the same images", "size of specialization", None),
            )
        ),
        Lines(
            name="quartiles",
            title="Do most units gain, or a few?",
            caption="How far the quartiles of the units' invariance lie from those of networks trained on x only, at "
            f"the same epoch, with {most} classes seen transformed.",
            where={"quantity": [f"shift of the {name}" for name in QUARTILES], "k": [most]},
            x="epoch",
            colour="quantity",
            panel="transformation",
            labels={f"shift of the {name}": name for name in QUARTILES},
            x_label=_EPOCHS,
            y_label="shift of invariance",
            reference=0.0,
        ),
        Violins(
            name="units",
            title="Invariance of single units",
            caption="The invariance coefficients of all units that are active, on all test images, all seeds together.",
            table="units",
            where={"group": "all", "seen": ["none", str(most)]},
            x="epoch",
            y="invariance",
            colour="seen",
            panel="transformation",
            labels={"none": "x only", str(most): f"k = {most}"},
            x_label=_EPOCHS,
            y_label="invariance coefficient",
            span=(0, 1),
        ),
    ]

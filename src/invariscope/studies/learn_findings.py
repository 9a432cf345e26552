"""What was learned, in sentences, with units of measure and how sure it is."""

from typing import Any

from invariscope.core.words import count, listed, number, percent
from invariscope.findings.finding import Finding
from invariscope.learned.learn import Learned
from invariscope.studies.learn_answer import Answer
from invariscope.studies.learn_effects import effects

_KEPT = {
    "accuracy": "{} of the images are recognised",
    "agreement": "{} of the images keep their prediction",
    "unit": "{} of the unit's response is kept",
    "layer": "{} of the layer's response is kept (cosine)",
}
_SHORT = {"accuracy": "Accuracy", "agreement": "Predictions kept", "unit": "Response kept", "layer": "Response kept"}


def findings(learned: Learned, answer: Answer) -> list[Finding]:
    """The sentences, the answer first.

    Args:
        learned: the family.
        answer: its numbers.
    """
    if not answer.clean:
        return [Finding(sentence) for sentence in (_main(learned, answer), _course(learned, answer))]
    told = [_main(learned, answer), *effects(learned, answer.shown, answer), _sure(learned, answer)]
    if answer.scale < 1:
        told.append(_full(answer))
    return [Finding(sentence) for sentence in [*told, _course(learned, answer)]]


def cards(answer: Answer) -> list[dict[str, Any]]:
    """The answers above the page, as plain values."""
    mean, worst = (answer.mean, answer.worst) if answer.found else (answer.full_mean, answer.full_worst)
    share = mean / answer.clean if answer.clean else float("nan")
    told = [
        {
            "question": "Certified scale",
            "answer": number(answer.scale) if answer.found else "nothing found",
            "detail": ("of the learned family, s in I + s(F − I)" + ("; it is little" if answer.little else ""))
            if answer.found
            else "no scale keeps what is required",
            "kind": ("unsure" if answer.little else "good") if answer.found else "bad",
        },
        {
            "question": f"{_SHORT[answer.quality]}, mean over k",
            "answer": percent(mean, 1),
            "detail": f"{percent(share)} of the {percent(answer.clean, 1)} on clean images; {percent(worst, 1)} at the "
            f"worst k{_at(answer)}",
            "kind": "",
        },
    ]
    if answer.displacement > 0:
        told.append(
            {
                "question": "How far pixels move",
                "answer": f"{number(answer.displacement, 2)} px",
                "detail": f"mean over k; {number(answer.displacement_full, 2)} px at k = (1, 1)" + _at(answer),
                "kind": "",
            }
        )
    if answer.colour == answer.colour:
        told.append(
            {
                "question": "How far colours change, ‖C − I‖",
                "answer": number(answer.colour, 2),
                "detail": f"mean over k; {number(answer.colour_full, 2)} at k = (1, 1)" + _at(answer),
                "kind": "",
            }
        )
    return told


def limits(learned: Learned) -> list[str]:
    """What a learned family cannot tell."""
    told = [
        "One family of two control parameters per kind of transformation was learned. A network ignores more than one: "
        "another --seed usually finds another, and what was not found may be ignored all the same.",
        "What is certified holds on a grid of k and on these held-out images. On other images the worst k may keep "
        "less than was required; the interval says how much less.",
        "Learning watches the average over k. Corners such as k = (1, 1) are held by the certified scale only.",
        "Sizes are pixels and lengths of matrices, not what a person sees: equal numbers can look very different, and "
        "values that leave [0, 1] are clipped.",
    ]
    if learned.settings.literal:
        told.append("The literal version of the paper often fails to find anything: see the default.")
    return told


def _main(learned: Learned, answer: Answer) -> str:
    kept = _KEPT[answer.quality]
    share = percent(learned.settings.target_accuracy_share)
    if not answer.clean:
        return "Nothing can be said: of the held-out images none is recognised as it is, so that nothing can be lost."
    if not answer.found:
        mean = learned.certified.scale_of_mean
        rest = f" If only the mean over k had to keep that, it would be scale {number(mean)}." if mean else ""
        return (
            f"Nothing found: at no scale of the learned family does "
            f"{'every k' if learned.settings.criterion == 'worst' else 'the mean over k'} keep {share} of what clean "
            f"images reach ({percent(answer.clean, 1)}).{rest}"
        )
    return (
        f"The network ignores the learned family up to scale {number(answer.scale)}: "
        f"{kept.format(percent(answer.mean, 1))} in the mean over k and {percent(answer.worst, 1)} at the worst "
        f"({answer.worst_control}), against {percent(answer.clean, 1)} of the same images clean; {share} of that, "
        f"{percent(answer.required, 1)}, had to be kept.{_little(answer)}"
    )


def _little(answer: Answer) -> str:
    """A certificate of next to nothing is worth next to nothing."""
    if not answer.little:
        return ""
    parts = [f"pixels move by {number(answer.displacement, 2)} px"] if answer.displacement > 0 else []
    parts += [f"‖C − I‖ is {number(answer.colour, 2)}"] if answer.colour == answer.colour else []
    return f" That is little: in the mean over k {listed(parts)}."


def _sure(learned: Learned, answer: Answer) -> str:
    chose = len(learned.held_out[0])
    tried = learned.certified.tried
    if not answer.found:
        return (
            f"That was asked of {count(chose + answer.n, 'image')} which learning had not seen; "
            + (f"{count(tried, 'scale')} that held on {chose} of them did not on the other {answer.n}."
               if tried else f"no scale held on the {chose} that propose one.")
        )  # fmt: skip
    low, high = percent(answer.worst_low, 1), percent(answer.worst_high, 1)
    again = "the first that was tried" if tried == 1 else f"after {count(tried - 1, 'larger one')} had failed"
    return (
        f"{count(chose, 'image')} that learning had not seen proposed the scale and {answer.n} others confirmed it, "
        f"{again}. With so many, what the worst k keeps is known to lie between {low} and {high} (95 %)"
        + (
            f", so on other images it may be less than the required {percent(answer.required, 1)}."
            if answer.worst_low < answer.required
            else "."
        )
    )


def _full(answer: Answer) -> str:
    kept = _KEPT[answer.quality]
    return (
        f"At scale 1, where learning left it, {kept.format(percent(answer.full_mean, 1))} in the mean over k and "
        f"{percent(answer.full_worst, 1)} at the worst k."
    )


def _course(learned: Learned, answer: Answer) -> str:
    history, settings = learned.history, learned.settings.effective
    last = history.tail(max(len(history) // 10, 1))
    switch = (
        f"In {percent(answer.enlarged)} of {count(len(history), 'step')} the transformations were made larger, in the "
        "others the network's loss was lowered"
        if settings.switch != "sum"
        else f"In each of {count(len(history), 'step')} both losses were lowered at once"
    )
    return (
        f"{switch}; over the last tenth {percent(float(last['accuracy'].mean()), 1)} of the images learned from were "
        f"kept, where {percent(float(last['gate'].iloc[-1]), 1)} was the gate and {percent(learned.baseline, 1)} the "
        "value on clean ones."
    )


def _at(answer: Answer) -> str:
    return "" if answer.found else ", at scale 1"

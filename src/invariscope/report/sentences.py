"""The answer in sentences: computed from the numbers, with nothing that they do not say."""

import math
from collections.abc import Sequence

from invariscope.core.words import MINUS, count, interval, listed, number, percent, percent_interval, spoken, tidy
from invariscope.report.answers import Answer
from invariscope.report.limits import Limit, nearest, rank_classes
from invariscope.report.provenance import images_name
from invariscope.report.read import RunData

# Above this share a kind is every unit, and as many random ones are the same units.
ALL_UNITS = 0.995

MEANING = {
    "invariance": "the same units answer alike: invariance",
    "mixed": "partly the same units, partly others",
    "other units": "other units take over",
    "neither": "neither the same units nor others explain it",
    "not tolerated": "not tolerated",
    "unknown": "not known",
}


def main_answer(answers: Sequence[Answer]) -> Answer | None:
    """The transformation that the page names first: rotation, or else the first one."""
    return next((answer for answer in answers if answer.name == "rotation"), answers[0] if answers else None)


def safe_range(answer: Answer) -> str:
    """The range that is safe, in short.

    Example: "−13° to +14°", "up to 1.2 px", "safe".
    """
    known = [limit for limit in answer.safe if limit.known]
    if not known:
        return "not known"
    if answer.axis.switch:
        return "safe" if known[0].censored else "not safe"
    return _span(answer, known)


def _span(answer: Answer, known: Sequence[Limit]) -> str:
    write = answer.axis.write
    if len(known) == 1:
        return ("up to " if known[0].sign == "+" else "down to ") + write(known[0].reach, 2)
    return f"{write(known[0].reach, 2)} to {write(known[1].reach, 2)}"


def limit_interval(limit: Limit) -> str:
    """A limit's confidence interval, an open end written as beyond what was measured."""
    if math.isnan(limit.low) and math.isnan(limit.high):
        return ""
    ends = [f"beyond {number(limit.end, 2)}" if math.isnan(end) else number(end, 2) for end in (limit.low, limit.high)]
    return f"[{', '.join(ends)}]"


def lead(run: RunData, answers: Sequence[Answer]) -> list[str]:
    """The answer in two paragraphs: how much is tolerated, and why."""
    main = main_answer(answers)
    if main is None:
        return []
    much = [_clean(run, answers), *_limits(main, answers), *_classes(answers)]
    why = [*_reason(run, main, answers), depth_sentence(main)]
    return [text for said in (much, why) if (text := " ".join(sentence for sentence in said if sentence))]


def _clean(run: RunData, answers: Sequence[Answer]) -> str:
    images, n = run.info.get("images") or {}, int((run.info.get("images") or {}).get("n") or 0)
    accuracy = run.info.get("clean_accuracy")
    shown = f"Shown {count(n, 'image')}" if n else "On its images"
    if images.get("spec"):
        shown += f" of {images_name(run)}"
    if isinstance(accuracy, (int, float)) and not math.isnan(accuracy):
        return f"{shown}, the network is right {percent(float(accuracy), 1)} of the time."
    if math.isnan(answers[0].clean.value):
        return f"{shown}, its units were recorded; predictions were not."
    return f"{shown} without labels, the network is compared with its own answers to the clean images."


def _kept(answer: Answer) -> str:
    what = "that accuracy" if answer.quality == "accuracy" else "those answers"
    return f"at least {percent(answer.level)} of {what}"


def _limits(main: Answer, answers: Sequence[Answer]) -> list[str]:
    known = [limit for limit in main.safe if limit.known]
    if not known:
        return []
    name = spoken(main.name)
    if main.axis.switch:
        first = (
            f"It keeps {_kept(main)} under {name}."
            if known[0].censored
            else f"It does not keep {_kept(main)} under {name}."
        )
    elif all(limit.censored for limit in known):
        first = f"It keeps {_kept(main)} under every {name} that was measured ({_span(main, known)})."
    else:
        first = f"It keeps {_kept(main)} under {name} of {safe_range(main)}."
    return [first, _extremes(answers)]


def _extremes(answers: Sequence[Answer]) -> str:
    fails = [answer for answer in answers if answer.tolerated is False]
    holds = [answer for answer in answers if answer.safe and all(limit.censored for limit in answer.safe)]
    said = []
    if fails:
        said.append(f"already the first step of {listed([spoken(a.name) for a in fails], 5)} is too much")
    if holds:
        said.append(f"it never falls below that under {listed([spoken(a.name) for a in holds], 5)}")
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "." if text else ""


def _classes(answers: Sequence[Answer]) -> list[str]:
    ranked = rank_classes([answer.axis for answer in answers], [answer.limits for answer in answers])
    if len(ranked) < 2:
        return []
    worst, share = ranked[0]
    said = f"The worst class is {tidy(worst, 40)}"
    if len(answers) > 1:
        said += f": on average over the transformations it tolerates {percent(share)} of what all classes together do"
    main = main_answer(answers)
    limits = [nearest(main.axis, main.limits.get(name, ())) for name in (worst, "all")] if main else []
    if main and len(limits) == 2 and limits[0] and limits[1] and not limits[0].censored and not main.axis.switch:
        said += f", and {spoken(main.name)} beyond {main.axis.write(limits[0].reach, 2)} is already too much"
    return [said + "."]


def _reason(run: RunData, main: Answer, answers: Sequence[Answer]) -> list[str]:
    if not main.row:
        return []
    at = strength(main)
    said = []
    share = main.value("invariant_share")
    if main.verdict == "not tolerated":
        said.append(f"{at[:1].upper() + at[1:]}, the first step measured, is not tolerated.")
    elif main.verdict != "unknown":
        said.append(f"{at[:1].upper() + at[1:]} is tolerated, and {_meaning(main)}.")
    if not math.isnan(share):
        low, high = main.value("low"), main.value("high")
        said.append(
            f"Of the active units of the last hidden layer {percent(share)} {percent_interval(low, high)} are "
            f"invariant to it and {percent(main.value('specialized_share'))} answer to one version only"
            f"{_ablation(main)}."
        )
    limit = invariant_limit(run)
    if (
        main.profile is not None
        and main.profile.last is not None
        and main.profile.weak(limit)
        and not math.isnan(share)
    ):
        said.append(
            f"This share says little by itself: the limit for calling a unit invariant is {limit:.2f}, and pairs of "
            f"different images already give {main.profile.null[main.profile.last]:.2f} on average; compare the means."
        )
    tally = {word: sum(answer.verdict == word for answer in answers) for word in MEANING}
    if len(answers) > 1 and tally["unknown"] < len(answers):
        told = [f"{n} {_tally(word)}" for word, n in tally.items() if n and word != "unknown"]
        are = "is" if told[0].startswith("1 ") else "are"
        first = told[0].replace(" ", f" {are} ", 1)
        whole = count(len(answers), "transformation")
        every = "Both transformations" if len(answers) == 2 else f"All {whole}"
        said.append(
            f"Of {whole}, {listed([first, *told[1:]], 9)}." if told[1:] else f"{every} are {told[0].split(' ', 1)[1]}."
        )
    return said


def invariant_limit(run: RunData) -> float:
    """The coefficient above which a unit counts as invariant."""
    return float(run.setting("invariant", 2 / 3))


def _meaning(answer: Answer) -> str:
    return {
        "invariance": "it is invariance: the same units go on answering alike",
        "mixed": "it is partly invariance and partly other units that take over",
        "other units": "it is not invariance: other units take over",
        "neither": "it is neither invariance nor other units that take over",
    }[answer.verdict]


def _tally(word: str) -> str:
    return {
        "invariance": "tolerated by invariance",
        "mixed": "tolerated by invariance and other units together",
        "other units": "tolerated because other units take over",
        "neither": "tolerated for neither reason",
        "not tolerated": "not tolerated at any step",
    }[word]


def strength(answer: Answer) -> str:
    """The transformation and the magnitude at which it is judged, for a sentence."""
    name = spoken(answer.name)
    return name if answer.axis.switch else f"{name} of {answer.axis.say(answer.magnitude)}"


def _ablation(answer: Answer) -> str:
    cost, control = answer.value("ablation_invariant_cost"), answer.value("ablation_invariant_control")
    if math.isnan(cost) or math.isnan(control):
        return ""
    if answer.value("invariant_share") > ALL_UNITS:
        return f"; silencing them, that is every active unit, costs {_points(cost)} of transformed {answer.quality}"
    return (
        f"; silencing the invariant ones costs {_points(cost)} of transformed {answer.quality}, as many random ones "
        f"{_points(control)}"
    )


def _points(share: float) -> str:
    whole = round(share * 100)
    return f"{MINUS if whole < 0 else ''}{abs(whole)} {'point' if abs(whole) == 1 else 'points'}"


def depth_sentence(answer: Answer) -> str:
    """At which layer the network becomes invariant to a transformation, and how invariant it ends up."""
    profile = answer.profile
    if profile is None or profile.last is None:
        return ""
    place, last = profile.becomes_invariant, profile.last
    ceiling = f"{profile.ceiling[last]:.2f}"
    end = (
        f"mean invariance in {tidy(profile.layers[last], 40)}, the last hidden layer, is "
        f"{profile.mean[last]:.2f} {interval(float(profile.low[last]), float(profile.high[last]))}".rstrip()
        + f", where pairs of different images give {profile.null[last]:.2f} and "
        + (f"resampling alone {ceiling}" if not math.isnan(profile.floor[last]) else f"no change would give {ceiling}")
    )
    if place is None:
        share = percent(max(float(profile.way[last]), 0.0))
        return f"No layer makes the network invariant to {strength(answer)}: {end}, {share} of the way."
    if place == 0:
        return f"Its units are invariant to {strength(answer)} from the first layer on: {end}."
    where = f"{tidy(profile.layers[place], 40)} (layer {place + 1} of {len(profile.layers)})"
    return f"The network becomes invariant to {strength(answer)} at {where}; {end}."

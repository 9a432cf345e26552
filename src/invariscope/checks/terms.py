"""What a contract asks of one network and one size of images: which transformations, at which magnitudes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invariscope.checks.contract import Contract, Requirement
from invariscope.core.errors import InvariscopeError, MagnitudeError, SettingError, UnknownNameError
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation

# Around the required value, as shares of its distance from the identity.
_NEAR = (0.25, 0.5, 0.75, 0.875, 0.9375, 1.0, 1.0625, 1.125, 1.25, 1.5)


@dataclass(frozen=True)
class Side:
    """A threshold that is required on one side of the identity.

    Args:
        sign: "+" or "-".
        target: the magnitude that the threshold must reach.
        grid: magnitudes from the identity outward beyond the target, ascending.
    """

    sign: str
    target: float
    grid: tuple[float, ...]


@dataclass(frozen=True)
class Term:
    """A requirement with its transformation.

    Args:
        place: of the requirement in its contract.
        requirement: itself.
        transformation: filled for the network.
        sides: for a threshold, where it is required.
    """

    place: int
    requirement: Requirement
    transformation: Transformation
    sides: tuple[Side, ...] = ()

    @property
    def magnitudes(self) -> tuple[float, ...]:
        """Every magnitude that must be shown."""
        return tuple(sorted({*self.requirement.magnitudes, *(each for side in self.sides for each in side.grid)}))


def find_terms(contract: Contract, size: tuple[int, int], fill: Fill = 0.0) -> list[Term]:
    """Find what a contract names.

    Args:
        contract: as it was read.
        size: height and width of the images.
        fill: of what comes in from outside an image.

    Returns:
        A term per requirement.

    Raises:
        SettingError: a transformation is not known, or a magnitude lies outside its span; names the requirement.

    Example:
        >>> contract = Contract((Requirement("rotation", threshold_at_least=16.0, side="+"),))
        >>> find_terms(contract, (32, 32))[0].sides[0].grid[-6:]
        (15.0, 16.0, 17.0, 18.0, 20.0, 24.0)
    """
    found = []
    for place, requirement in enumerate(contract.requirements):
        try:
            family = TRANSFORMATIONS[requirement.transformation]().with_fill(fill)
            family.check_magnitudes(requirement.magnitudes, size)
            sides = _sides(requirement, family, size) if requirement.is_threshold else ()
        except (UnknownNameError, MagnitudeError, SettingError) as error:
            raise _named(contract, place, error) from error
        found.append(Term(place, requirement, family, sides))
    return found


def check_classes(contract: Contract, names: Sequence[str]) -> None:
    """Refuse classes that are not among the network's.

    Args:
        contract: as it was read.
        names: of the network's outputs; none where they are no class scores.

    Raises:
        SettingError: names the requirement, and the nearest class.
    """
    from invariscope.core.names import unknown

    for place, requirement in enumerate(contract.requirements):
        wrong = [name for name in requirement.classes if name not in names]
        if wrong and not names:
            raise SettingError(f"{contract.at(place)}: classes are named, and the network returns no class scores.")
        if wrong:
            raise SettingError(f"{contract.at(place)}: {unknown('class of the network', wrong[0], names, most=12)}")


def grids(terms: Sequence[Term]) -> Mapping[Transformation, tuple[float, ...]]:
    """Every transformation once, with the magnitudes at which it is shown, the identity among them.

    Args:
        terms: of a contract.

    Returns:
        Ascending magnitudes, in the contract's order of transformations.
    """
    shown: dict[Transformation, set[float]] = {}
    for term in terms:
        identity = float(term.transformation.identity)
        shown.setdefault(term.transformation, {identity}).update(term.magnitudes)
    return {family: tuple(sorted(magnitudes)) for family, magnitudes in shown.items()}


def _named(contract: Contract, place: int, error: InvariscopeError) -> SettingError:
    return SettingError(f"{contract.at(place)}: {error}")


def _sides(requirement: Requirement, family: Transformation, size: tuple[int, int]) -> tuple[Side, ...]:
    """Where the threshold is required: as far from the identity on every side that was meant."""
    value, identity = requirement.threshold_at_least, float(family.identity)
    assert value is not None
    low, high = family.limits(*size)
    there = [sign for sign, end in (("+", high), ("-", low)) if end != identity]
    if requirement.side and requirement.side not in there:
        raise SettingError(
            f'{family.name} has no magnitudes on the side "{requirement.side}" of its identity {identity:g}; '
            "leave side out."
        )
    if value == identity:
        raise SettingError(
            f"threshold_at_least = {value:g} is the identity of {family.name}, which every network tolerates; "
            "give a magnitude away from it."
        )
    found = []
    for sign in [requirement.side] if requirement.side else there:
        target = identity + (1 if sign == "+" else -1) * abs(value - identity)
        try:
            family.check_magnitudes([target], size)
        except MagnitudeError as error:
            other = "+" if sign == "-" else "-"
            hint = f' on the side "{sign}"; say side = "{other}" if that alone is meant' if len(there) > 1 else ""
            text = f"threshold_at_least = {value:g} asks for {target:g}{hint}: {error}"
            raise SettingError(text) from error
        found.append(Side(sign, target, _grid(family, target, size)))
    return tuple(found)


def _grid(family: Transformation, target: float, size: tuple[int, int]) -> tuple[float, ...]:
    """From the identity beyond the target: close together around it, and as the default grid, so that dips are seen."""
    identity, (low, high) = float(family.identity), family.limits(*size)
    reach = identity + _NEAR[-1] * (target - identity)
    inner, outer = min(identity, reach), max(identity, reach)
    points = [identity + share * (target - identity) for share in _NEAR]
    points += [value for value in family.default_grid(*size) if inner < value < outer]
    points = [float(round(value)) for value in points] if family.whole else points
    inside = [min(max(value, low), high) for value in points]
    return tuple(sorted({round(value, 9) for value in (identity, target, *inside)}))

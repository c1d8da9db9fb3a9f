"""What a family is, and how a sample is drawn from one.

A family is a parametric part of the catalogue's trade: its words in three scripts, its
parameters with their ranges, and a pure function from parameters to a solid. A sample is
one part of it. Everything follows from a seed. This room knows no particular family.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.families.solids import Solid, triangles_of
from catalog.families.words import CATEGORIES, HIGH_LOW, VALUES, Names

Value = float | int | str | bool
Parameters = Mapping[str, Value]
PartOfRange = Literal["train", "held_out", "all"]
Turned = Literal["as_made", "upright", "any"]

# Shares of a range kept out of training: one band inside (to interpolate), one at its end.
HELD_OUT_BANDS = ((0.25, 0.35), (0.9, 1.0))
TRAIN_BANDS = ((0.0, 0.25), (0.35, 0.9))
# Below this many values nothing of a choice can be spared.
CHOICES_TO_SPLIT = 5


class Phrases(NamedTuple):
    """Several ways to say a thing, by script."""

    en: tuple[str, ...]
    zh_hant: tuple[str, ...]
    zh_hans: tuple[str, ...]


class Captions(NamedTuple):
    """What a sample may be called: in training, kept out of it, and by its category."""

    train: Phrases
    held_out: Phrases
    broader: Phrases


# --- parameters ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, even or even in the logarithm.

    `words` names an entry of HIGH_LOW ("long" gives short and long) for captions.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    words: str = ""

    def at(self, share: float) -> float | int:
        """The value at a share 0..1 of the range."""
        if self.log:
            value = float(self.low * (self.high / self.low) ** share)
        else:
            value = self.low + (self.high - self.low) * share
        return round(value) if self.whole else float(f"{value:.6g}")

    def share(self, value: float) -> float:
        """The inverse of `at`."""
        if self.log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)

    def draw(self, rng: np.random.Generator, part: PartOfRange) -> Value:
        bands = {"train": TRAIN_BANDS, "held_out": HELD_OUT_BANDS, "all": ((0.0, 1.0),)}[part]
        if self.whole:
            return self._draw_whole(rng, part)
        widths = np.array([b - a for a, b in bands])
        low, high = bands[rng.choice(len(bands), p=widths / widths.sum())]
        # Clear of the band's ends, so that rounding crosses none.
        return self.at(float(rng.uniform(low + 1e-4, high - 1e-4)))

    def _draw_whole(self, rng: np.random.Generator, part: PartOfRange) -> int:
        every = np.arange(int(self.low), int(self.high) + 1)
        shares = np.array([self.share(float(v)) for v in every])
        out = np.zeros(len(every), bool)
        if len(every) >= CHOICES_TO_SPLIT:
            for a, b in HELD_OUT_BANDS:
                # At least one number a band, however few there are.
                near = np.abs(shares - (a + b) / 2)
                out |= (shares >= a) & (shares <= b) | (near == near.min())
            every = every[{"train": ~out, "held_out": out, "all": out | True}[part]]
            shares = np.array([self.share(float(v)) for v in every])
        weights = 1 / every if self.log else np.ones(len(every))
        return int(rng.choice(every, p=weights / weights.sum()))


@dataclass(frozen=True)
class Choice:
    """One of a few values; numbers are split between training and not, words never are."""

    values: tuple[Value, ...]

    def draw(self, rng: np.random.Generator, part: PartOfRange) -> Value:
        values = self.values
        if len(values) >= CHOICES_TO_SPLIT and not isinstance(values[0], str):
            out = values[2::4]
            values = {
                "train": tuple(v for v in values if v not in out),
                "held_out": out,
                "all": values,
            }[part]
        return values[int(rng.integers(len(values)))]


Parameter = Range | Choice


def uniform(low: float, high: float, words: str = "") -> Range:
    return Range(low, high, words=words)


def log_uniform(low: float, high: float, words: str = "") -> Range:
    return Range(low, high, log=True, words=words)


def whole(low: int, high: int, words: str = "", *, log: bool = False) -> Range:
    return Range(low, high, log=log, whole=True, words=words)


def one_of(*values: Value) -> Choice:
    return Choice(values)


def maybe() -> Choice:
    return Choice((False, True))


# --- look ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How a part is modelled rather than what it is.

    `n` segments a full main circle; `bevel` scales chamfers (0: sharp edges); `details` adds
    what a careful modeller adds (threads, knurls, recesses, fillets).
    """

    n: int = 48
    bevel: float = 1.0
    details: bool = True

    @property
    def m(self) -> int:
        """Segments a small circle."""
        return max(8, self.n // 3 // 2 * 2)

    def edge(self, size: float) -> float:
        """A chamfer for a feature of this size."""
        return 0.06 * self.bevel * size


def look_draw(rng: np.random.Generator) -> Look:
    n = int(rng.choice((14, 18, 24, 32, 40, 48, 64, 96)))
    bevel = float(rng.choice((0.0, 0.5, 1.0, 1.6), p=(0.3, 0.2, 0.35, 0.15)))
    return Look(n=n, bevel=bevel, details=bool(rng.random() < 0.7))


# --- family --------------------------------------------------------------------------------

Say = Callable[[Parameters], Names | None]
Make = Callable[..., Solid]


def phrase(en: str, zh_hant: str, zh_hans: str, *, when: str = "") -> Say:
    """A caption template: `{name}` is any name of the family, `{x}` the parameter x in words.

    `when` names a parameter, or "parameter=value", that must hold.
    """
    key, _, wanted = when.partition("=")

    def say(parameters: Parameters) -> Names | None:
        if key and (str(parameters[key]) != wanted if wanted else not parameters[key]):
            return None
        return Names(en, zh_hant, zh_hans)

    return say


@dataclass(frozen=True)
class Family:
    """`make(look, **parameters)` gives the solid; `phrases` train, `held_out` do not."""

    key: str
    group: str
    category: str
    names: Names
    phrases: Phrases
    held_out: Phrases
    parameters: Mapping[str, Parameter]
    says: tuple[Say, ...]
    make: Make = field(repr=False)


def family(
    *,
    group: str,
    category: str,
    en: str,
    zh_hant: str,
    zh_hans: str,
    says: tuple[Say, ...] = (),
    **parameters: Parameter,
) -> Callable[[Make], Family]:
    """Turns a function `make(look, *, ...)` into the family of its name.

    Words are written "name; other; other / held out; held out".
    """
    split = [
        tuple(tuple(p.strip() for p in half.split(";")) for half in words.split("/"))
        for words in (en, zh_hant, zh_hans)
    ]

    def decorated(make: Make) -> Family:
        return Family(
            key=make.__name__,
            group=group,
            category=category,
            names=Names(*(train[0] for train, _ in split)),
            phrases=Phrases(*(train for train, _ in split)),
            held_out=Phrases(*(out for _, out in split)),
            parameters=parameters,
            says=says,
            make=make,
        )

    return decorated


# --- samples -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FamilySample:
    """One part: its family, the numbers it was made from, (n, 3, 3) float32 mm, its captions."""

    family: Family
    parameters: Parameters
    look: Look
    triangles: NDArray[np.float32]
    captions: Captions


def family_sample(
    family: Family,
    seed: int,
    *,
    part_of_range: PartOfRange = "all",
    turned: Turned = "as_made",
) -> FamilySample:
    """The family's part of this seed: the same on every machine.

    `part_of_range` draws every parameter from the share of its range used in training, from
    the rest, or from all of it. `turned`: as made; "upright", any angle about z; "any".
    """
    rng = np.random.default_rng([seed, zlib.crc32(family.key.encode())])
    look = look_draw(rng)
    parameters = {k: p.draw(rng, part_of_range) for k, p in family.parameters.items()}
    triangles = triangles_of(family.make(look, **parameters))
    if turned != "as_made":
        turn = _turn(rng, upright=turned == "upright")
        triangles = np.ascontiguousarray(triangles @ turn.T.astype(np.float32))
    captions = captions_of(family, parameters)
    return FamilySample(family, parameters, look, triangles, captions)


def _turn(rng: np.random.Generator, *, upright: bool) -> NDArray[np.float64]:
    """A (3, 3) rotation, uniform about z or over all (unit quaternion; Shoemake 1992)."""
    w, x, y, z = rng.normal(size=4) * ((1, 0, 0, 1) if upright else (1, 1, 1, 1))
    w, x, y, z = np.array([w, x, y, z]) / np.sqrt(w * w + x * x + y * y + z * z)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def captions_of(family: Family, parameters: Parameters) -> Captions:
    """Every caption of a part with these parameters, the plain name first."""
    category = CATEGORIES[family.category]
    return Captions(
        train=_spoken(family, parameters, family.phrases, alone=True),
        held_out=_spoken(family, parameters, family.held_out, alone=False),
        broader=Phrases(
            (category.names.en.lower(), *(p for p in category.prompts if p.isascii())),
            (category.names.zh_hant,),
            (category.names.zh_hans,),
        ),
    )


def _spoken(family: Family, parameters: Parameters, phrases: Phrases, *, alone: bool) -> Phrases:
    """All captions built on these phrases; `alone` allows those which name no phrase."""
    said = [names for say in family.says if (names := say(parameters))]
    said += _adjectives(family, parameters)
    by_script = []
    for script, names in enumerate(phrases):
        words = {k: _in_words(v, script) for k, v in parameters.items()}
        every = list(names)
        for templates in said:
            template = templates[script]
            if alone or "{name}" in template:
                every += [template.format(name=name, **words) for name in names]
        by_script.append(tuple(dict.fromkeys(every)))
    return Phrases(*by_script)


def _adjectives(family: Family, parameters: Parameters) -> list[Names]:
    """ "short {name}" and the like, for values in the outer quarter of a range with words."""
    found = []
    for key, parameter in family.parameters.items():
        if isinstance(parameter, Range) and parameter.words:
            share = parameter.share(float(parameters[key]))
            if not 0.25 < share < 0.75:
                en, hant, hans = HIGH_LOW[parameter.words][share >= 0.75]
                found.append(Names(f"{en} {{name}}", f"{hant}{{name}}", f"{hans}{{name}}"))
    return found


def _in_words(value: Value, script: int) -> str:
    if isinstance(value, str):
        return VALUES[value][script] if value in VALUES else value
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def family_make(family: Family, look: Look | None = None, **parameters: Any) -> FamilySample:
    """The family's part of exactly these parameters. TypeError when one is missing or unknown."""
    look = look or Look()
    triangles = triangles_of(family.make(look, **parameters))
    return FamilySample(family, parameters, look, triangles, captions_of(family, parameters))

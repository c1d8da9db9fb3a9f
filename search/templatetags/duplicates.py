"""What templates say of duplicates."""

from django import template
from django.utils.translation import gettext as _

from catalog.models import Part
from catalog.templatetags.house import significant
from search.duplicates import services as duplicates
from search.models import DuplicatePair

register = template.Library()

ONE = 0.002  # sizes that differ by less are one size to a reader


@register.simple_tag
def part_likenesses(part: Part) -> list[duplicates.Likeness]:
    """The parts that this one looks like, for its page and for its row of an upload."""
    return duplicates.part_likenesses(part)


@register.filter
def times(factor: float) -> str:
    """A factor of sizes: `×1.2`; empty where both are one size."""
    if abs(factor - 1) < ONE:
        return ""
    # Near one, three digits would hide what differs.
    return f"×{factor:.3f}".rstrip("0") if 0.9 < factor < 1.1 else f"×{significant(factor)}"


@register.filter
def relation_says(likeness: duplicates.Likeness) -> str:
    """In a few words, what the part is to the other."""
    return relation_text(likeness.pair, likeness.factor)


@register.filter
def pair_says(pair: DuplicatePair) -> str:
    """In a few words, what the newer part of the pair is to the older."""
    return relation_text(pair, pair.factor)


def relation_text(pair: DuplicatePair, factor: float) -> str:
    """`≈` before what is equal but for fine differences, such as other triangles."""
    text = str(
        {
            "same": _("same shape"),
            "scaled": _("same shape, scaled"),
            "mirrored": _("mirrored"),
            "near": _("nearly the same"),
        }[pair.relation]
    )
    roughly = "≈ " if pair.score < 1 and pair.relation != DuplicatePair.Relation.NEAR else ""
    return f"{roughly}{text} {times(factor)}".strip()


@register.filter
def likeness_says(likeness: duplicates.Likeness) -> str:
    """The whole sentence."""
    part = likeness.other.number or likeness.other.label
    return _("This looks like %(part)s (%(relation)s).") % {
        "part": part,
        "relation": relation_says(likeness),
    }

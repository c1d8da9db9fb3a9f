"""The thumbs on a hit, for staff."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("search/_hit_judge.html", takes_context=True)
def judge(context: dict[str, Any], hit: Any) -> dict[str, Any]:
    """`judging` of the page has the search's key and what this person said of its hits."""
    judging = context["judging"]
    return {
        "search": judging["search"],
        "part": hit.part,
        "thumb": judging["thumbs"].get(hit.part.pk, "none"),
        "back": judging["back"],
    }

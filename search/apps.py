from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = _("Search")

    def ready(self) -> None:
        from catalog.extras import PART_EXTRAS

        PART_EXTRAS["duplicates"] = _duplicates


def _duplicates(part: Any) -> Any:
    from search.duplicates.api import part_duplicates

    return part_duplicates(part)

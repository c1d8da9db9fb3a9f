"""manage.py demo_catalog: fills a catalogue with parts made by code, through the real pipeline."""

from typing import Any

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand

from catalog import services
from catalog.models import Category


class Command(BaseCommand):
    help = "Load about 60 demo parts; parts that are here already are left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        from catalog.families.demo import DEMO_CATEGORIES, demo_parts, stl_bytes

        categories = {}
        for entry in DEMO_CATEGORIES:
            found = Category.objects.filter(name__iexact=entry.names.en).first()
            categories[entry.key] = found or services.category_create(
                name=entry.names.en, name_zh=entry.names.zh_hant, prompts=entry.prompts
            )
        made = 0
        for entry in demo_parts():
            file = ContentFile(stl_bytes(entry.triangles), name=f"{entry.number}.stl")
            _part, created = services.part_upload(
                file=file,
                name=entry.name_en,
                name_zh=entry.name_zh,
                number=entry.number,
                description=f"{entry.description_en}\n{entry.description_zh}",
                category=categories[entry.category],
                tags=entry.tags,
            )
            made += created
        self.stdout.write(f"{made} demo parts were loaded; the worker draws and indexes them.")

from django.apps import AppConfig


class StlCatalogConfig(AppConfig):
    name = "stlcatalog"

    def ready(self) -> None:
        from stlcatalog import celery, checks  # noqa: F401  they register themselves

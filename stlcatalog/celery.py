"""The Celery application; the doors are in `workers.tasks`."""

import os

from celery import Celery

from stlcatalog import file_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stlcatalog.settings")
file_broker.register()

app = Celery("stlcatalog")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workers"])
app.set_default()

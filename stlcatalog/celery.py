"""The Celery application; the doors are in `workers.tasks`."""

import os

from celery import Celery

from stlcatalog import file_broker
from stlcatalog.kept_beat import KeptBeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stlcatalog.settings")
file_broker.register()

app = Celery("stlcatalog")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workers"])
app.steps["worker"].add(KeptBeat)
app.set_default()

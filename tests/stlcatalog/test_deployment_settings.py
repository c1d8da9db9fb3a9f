"""What the environment says becomes settings, or a sentence that names the variable."""

import pytest

from tests.factories.settings_of import settings_of


def test_questions_lie_where_the_broker_is() -> None:
    files = settings_of("ANSWERS_URL", CELERY_BROKER_URL="", CACHE_URL="")
    assert files.startswith("file:///")
    redis = "redis://somewhere:6379/0"
    assert settings_of("ANSWERS_URL", CELERY_BROKER_URL=redis) == redis


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SEARCH_ENCODERS": "remotely"}, "SEARCH_ENCODERS=remotely is none of local, remote"),
        ({"STLCATALOG_S3_BUCKET": "b", "STLCATALOG_S3_URLS": "all"}, "STLCATALOG_S3_URLS=all"),
        ({"EMAIL_URL": "mail.example"}, "EMAIL_URL is smtp"),
        ({"SEARCH_ENCODERS": "remote", "CELERY_BROKER_URL": "amqp://x"}, "CACHE_URL"),
    ],
)  # fmt: skip
def test_a_wrong_value_stops_the_start_and_is_named(variables, named) -> None:
    with pytest.raises(RuntimeError, match=named):
        settings_of("VERSION", **variables)


def test_a_bucket_of_ones_own_server() -> None:
    said = settings_of(
        "STORAGES",
        STLCATALOG_S3_BUCKET="media", STLCATALOG_S3_PREFIX="a",
        STLCATALOG_S3_ENDPOINT="https://s3.example",
    )  # fmt: skip
    options = said["default"]["OPTIONS"]
    assert (options["bucket_name"], options["location"]) == ("media", "a")
    assert options["endpoint_url"] == "https://s3.example"
    assert not options["signed"]


def test_embedding_has_a_queue_of_its_own_where_one_is_named() -> None:
    routes = settings_of("CELERY_TASK_ROUTES", STLCATALOG_EMBED_QUEUE="gpu")
    assert routes["workers.part_embed"]["queue"] == "gpu"
    assert routes["workers.query_encode"]["queue"] == "encode"
    assert settings_of("CELERY_TASK_ROUTES", STLCATALOG_EMBED_QUEUE="")["workers.part_embed"] == {
        "queue": "ingest"
    }


def test_a_mail_server_is_an_address() -> None:
    said = settings_of("EMAIL_HOST_PASSWORD", EMAIL_URL="smtp+tls://qc:p%40ss@mail.example")
    assert said == "p@ss"
    assert settings_of("EMAIL_PORT", EMAIL_URL="smtps://mail.example") == 465
    assert "console" in settings_of("EMAIL_BACKEND", EMAIL_URL="")


def test_a_long_build_ends_before_redis_gives_it_to_another_worker() -> None:
    from workers import tasks

    broker = settings_of("CELERY_BROKER_TRANSPORT_OPTIONS", CELERY_BROKER_URL="redis://there:6379")
    usual = settings_of("CELERY_TASK_TIME_LIMIT")
    assert usual < tasks.index_compact.time_limit < broker["visibility_timeout"]

# syntax=docker/dockerfile:1
# The product in images: docker build --target web|worker|worker-gpu. docs/deployment.md says how
# they go together; `make check-image` runs these steps without Docker.

# The pages' scripts and styles ---------------------------------------------------------------------
FROM node:22-slim AS pages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY static/src static/src
RUN npm run build

# What every process needs -------------------------------------------------------------------------
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DJANGO_SETTINGS_MODULE=stlcatalog.settings \
    HOST=0.0.0.0 \
    PORT=8082 \
    STLCATALOG_DATA=/data \
    STLCATALOG_STATIC=/app/static-collected
# Nobody logs in as this user, and it owns nothing but its data.
RUN groupadd --gid 10001 catalog \
    && useradd --uid 10001 --gid catalog --home-dir /data --shell /usr/sbin/nologin catalog \
    && install --directory --owner catalog --group catalog /data
WORKDIR /app
# The packages change less often than the code: a layer of their own.
COPY pyproject.toml requirements.lock VERSION README.md LICENSE NOTICE ./
RUN pip install -c requirements.lock -e ".[postgres,redis,s3,step]"
COPY manage.py ./
COPY config config
COPY models models
COPY locale locale
COPY templates templates
COPY static static
COPY --from=pages /app/static/dist static/dist
COPY catalog catalog
COPY search search
COPY workers workers
COPY stlcatalog stlcatalog
# The settings make folders for their data; here those are thrown away with the step.
RUN STLCATALOG_DATA=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
    && rm -r /tmp/build
USER catalog
VOLUME /data

# The pages and the API ----------------------------------------------------------------------------
FROM base AS web
EXPOSE 8082
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-m", "stlcatalog.alive", "web"]
CMD ["gunicorn", "stlcatalog.wsgi", "--bind", "0.0.0.0:8082", "--workers", "2", "--worker-class", "gthread", "--threads", "4", "--timeout", "180", "--graceful-timeout", "20", "--worker-tmp-dir", "/dev/shm", "--max-requests", "20000", "--max-requests-jitter", "2000", "--log-level", "warning"]

# Work on the CPU: parts, indices, queries ---------------------------------------------------------
FROM base AS worker
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s CMD ["python", "-m", "stlcatalog.alive", "worker"]
CMD ["celery", "-A", "stlcatalog", "worker", "--queues", "ingest,index", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]

# Work on a graphics card: the large engines, and faiss on the card ---------------------------------
FROM worker AS worker-gpu
USER root
# PyPI's torch for Linux brings its own CUDA, and so does faiss for the card, which is the same
# module as faiss-cpu and takes its place.
RUN pip install -c requirements.lock -e ".[postgres,redis,s3,step,clip]" \
    && pip uninstall --yes faiss-cpu \
    && pip install "faiss-gpu>=1.13,<2"
USER catalog
# The weights of the large engines, once fetched, outlive the container.
ENV HF_HOME=/data/hub \
    TORCH_HOME=/data/hub/torch
CMD ["celery", "-A", "stlcatalog", "worker", "--queues", "gpu", "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]

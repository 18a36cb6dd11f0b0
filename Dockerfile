FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    FOOTBALL_HOME=/data/football_home \
    FOOTBALL_HOST=0.0.0.0 \
    FOOTBALL_PORT=3000 \
    FOOTBALL_SERVE_HOST=0.0.0.0 \
    FOOTBALL_SERVE_PORT=8000

# The variables of football_assets/runtime/telemetry.py, also for Ray's own processes.
ENV ORT_DISABLE_TELEMETRY=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    RAY_USAGE_STATS_REPORT_URL=http://127.0.0.1:9 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    DO_NOT_TRACK=1 \
    ITERATIVE_DO_NOT_TRACK=1 \
    WANDB_ERROR_REPORTING=false

RUN useradd --create-home --uid 10001 football && install -d -o football -g football /app /data
WORKDIR /app

COPY --chown=football:football pyproject.toml constraints.txt LICENSE README.md ./
COPY --chown=football:football football_assets football_assets
COPY --chown=football:football serve serve
COPY --chown=football:football dbt_features dbt_features
COPY --chown=football:football workspace.yaml dagster.yaml ./
# On machines with a GPU: onnxruntime-gpu[cuda,cudnn]==<the pinned version>
ARG ONNX_RUNTIME=
RUN pip install -c constraints.txt -e . \
    && if [ -n "$ONNX_RUNTIME" ]; then pip uninstall --yes onnxruntime && pip install "$ONNX_RUNTIME"; fi

USER football
# Without this file Ray's dashboard queries cloud metadata services: football_assets/runtime/ray_private.py.
RUN echo '{}' > ~/ray_bootstrap_config.yaml
VOLUME /data
EXPOSE 3000 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['FOOTBALL_PORT'] + '/server_info', timeout=4)"]

CMD ["football", "up"]

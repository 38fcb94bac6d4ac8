# The server: `docker build -t tertulia .`; `docker compose up` builds it too.
ARG PYTHON_VERSION=3.14
ARG PYTHON_IMAGE=docker.io/library/python:${PYTHON_VERSION}-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /source
RUN python -m venv --without-pip /opt/tertulia
COPY deploy/requirements.txt deploy/
RUN pip --python /opt/tertulia/bin/python install --no-cache-dir --no-compile --only-binary :all: \
      --require-hashes --requirement deploy/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY server server
# sources in C and tests of others are for nobody here; and a read-only container could never keep what Python compiles:
# without the last line each start takes seconds longer
RUN pip --python /opt/tertulia/bin/python install --no-cache-dir --no-compile --no-deps . \
 && find /opt/tertulia/lib -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' \
      -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' \) -delete \
 && rm -rf /opt/tertulia/lib/python*/site-packages/greenlet/tests \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/tertulia/lib

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Tertulia" \
      org.opencontainers.image.description="Live discussion under any article" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.source="https://github.com/tertulia/tertulia" \
      org.opencontainers.image.licenses="MIT"
RUN python -c "import pathlib, pip, shutil; shutil.rmtree(pathlib.Path(pip.__file__).parent)" \
 && install -d -o 10001 -g 10001 /data
COPY --from=build /opt/tertulia /opt/tertulia
ENV PATH=/opt/tertulia/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TERTULIA_HOST=0.0.0.0 \
    TERTULIA_DATA_DIR=/data \
    SQLITE_TMPDIR=/data
USER 10001:10001
WORKDIR /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('TERTULIA_PORT', 8000)), timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["tertulia"]
CMD ["serve"]

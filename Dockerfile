# A service of one family of this project: `docker build -t breakeven-serve --build-arg FAMILY=cnn .`
FROM python:3.11-slim

# The extras of the runtimes that may answer
ARG EXTRAS=onnxruntime
ARG FAMILY
ENV FAMILY=${FAMILY} PYTHONUNBUFFERED=1

WORKDIR /srv/breakeven
COPY pyproject.toml constraints.txt README.md ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt ".[pipeline,serve,${EXTRAS}]"

# What `dvc repro` has made
COPY params.yaml dvc.yaml ./
COPY data/prepared data/prepared
COPY artifacts artifacts
COPY results results

RUN useradd --system --uid 10001 breakeven
USER 10001
EXPOSE 8000
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz')"]
CMD ["sh", "-c", "exec breakeven serve \"$FAMILY\" --host 0.0.0.0"]

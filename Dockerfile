# One image for the worker, the API and the migrations. The embedded servers are not in it.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/onward

# The dependencies first: this layer changes with pyproject.toml only.
COPY pyproject.toml README.md ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/onward/bin/pip install --requirement requirements.txt

COPY settings.py worker.py ./
COPY activities ./activities
COPY api ./api
COPY cli ./cli
COPY client ./client
COPY domain ./domain
COPY embedded ./embedded
COPY mail ./mail
COPY store ./store
COPY workflows ./workflows
RUN /opt/onward/bin/pip install --no-deps .

FROM python:3.13-slim-bookworm
ENV PATH=/opt/onward/bin:$PATH PYTHONUNBUFFERED=1
COPY --from=build /opt/onward /opt/onward
RUN useradd --uid 10001 --create-home onward
USER 10001
WORKDIR /home/onward
EXPOSE 8000
ENTRYPOINT ["onward"]
CMD ["--help"]

# The server alone, without a mongod: MONGO_URI has to be set. Needs BuildKit, or another builder with cache mounts.

# The version in rust-toolchain.toml, which itself stays outside (.dockerignore).
FROM rust:1.95-slim-bookworm AS builder
WORKDIR /build
COPY . .
# What cargo fetches and compiles stays in cache mounts, so that a change of our code compiles only our code. Those are
# no part of any layer, so the binary is copied out in the same step. Files of an older checkout would look unchanged
# beside a newer cache: touching both roots has our own crate compiled anew.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    touch src/lib.rs src/main.rs \
    && cargo build --locked --release \
    && cp target/release/myspares /usr/local/bin/myspares

FROM debian:bookworm-slim
# For a MONGO_URI with tlsCAFile=/etc/ssl/certs/ca-certificates.crt; otherwise the authorities compiled in are trusted.
# No version is pinned, since the newest list is the one to have.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    # Pictures of accounts and, where they go nowhere else, mails and SMS: mount a volume to keep them.
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin myspares \
    && install --directory --owner=myspares --mode=0700 /var/lib/myspares
COPY --from=builder /usr/local/bin/myspares /usr/local/bin/myspares

# All addresses of the container; which of them can be reached from outside is for its network to say.
ENV HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/myspares
# By number, so that an orchestrator can see that it isn't root.
USER 10001
EXPOSE 8000

# No HEALTHCHECK: the image has no HTTP client. Ask GET /healthz and GET /readyz from outside.
# The exec form makes the server the process that gets SIGTERM; other subcommands take the place of `serve`.
ENTRYPOINT ["/usr/local/bin/myspares"]
CMD ["serve"]

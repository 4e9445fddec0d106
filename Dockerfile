# Builds an image of the server without mongod. Set MONGO_URI to run it. The build needs BuildKit, or another builder
# that supports cache mounts.

# The same version as in rust-toolchain.toml. That file is not copied into the image (.dockerignore).
FROM rust:1.95-slim-bookworm AS builder
WORKDIR /build
COPY . .
# Cache mounts keep the downloaded and compiled dependencies, so that a change of our code compiles only our code. Cache
# mounts are not part of a layer, so the same step copies the binary out. If the checkout is older than the cache, cargo
# would take our files for unchanged. The touch makes cargo compile our crate again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    touch src/lib.rs src/main.rs \
    && cargo build --locked --release \
    && cp target/release/myspares /usr/local/bin/myspares

FROM debian:bookworm-slim
# The certificates are for a MONGO_URI with tlsCAFile=/etc/ssl/certs/ca-certificates.crt. Without it, the server trusts
# the authorities that are compiled in. No version is pinned, because the newest list is the right one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    # The folder for images and, if no service is set for them, for mails and text messages. Mount a volume to keep it.
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin myspares \
    && install --directory --owner=myspares --mode=0700 /var/lib/myspares
COPY --from=builder /usr/local/bin/myspares /usr/local/bin/myspares

# The server listens on all addresses of the container. The network of the container decides who can reach them.
ENV HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/myspares
# A number, so that an orchestrator can see that the user isn't root.
USER 10001
EXPOSE 8000

# There is no HEALTHCHECK, because the image has no HTTP client. Call GET /healthz and GET /readyz from outside.
# With the exec form, the server itself gets SIGTERM. To run another subcommand, pass it instead of `serve`.
ENTRYPOINT ["/usr/local/bin/myspares"]
CMD ["serve"]

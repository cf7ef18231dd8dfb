# Standin in a container: `docker build -t standin .`, then for instance
#   docker run --rm --network host standin node
#   docker run --rm --network host -v /etc/standin:/etc/standin:ro standin run --config /etc/standin/town-hall.toml
# With --network host ICE offers the addresses of the host; behind Docker's own NAT media finds no way back.

FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential cmake nasm pkg-config libasound2-dev libvpx-dev libdav1d-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# rust-toolchain.toml stays outside: the image is the toolchain, and rustfmt need not be fetched.
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY config config
# The manifest names the tests, so cargo wants them there though it does not build them.
COPY tests tests
RUN cargo build --release --locked --bin standin

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libasound2 libvpx7 libdav1d6 libstdc++6 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home --home-dir /var/lib/standin --shell /usr/sbin/nologin standin \
 && install --directory --owner standin --group standin /var/lib/standin
COPY --from=build /src/target/release/standin /usr/bin/standin
COPY config/standin.toml config/node.toml /usr/share/doc/standin/
USER standin
WORKDIR /var/lib/standin
# SIGTERM hangs up and releases the token; give it more than Docker's ten seconds: docker stop --time 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/standin"]
CMD ["--help"]

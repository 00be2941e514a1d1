# One image a program: docker build --build-arg PROGRAM=bigtix-orders --build-arg VERSION=1.0.0 .
#
# Whoever has built the programs already hands them over, with the authorities' certificates beside them:
# --build-context programs=<folder with the program and ca-certificates.crt>.
ARG RUST=1.95

FROM docker.io/library/rust:${RUST}-bookworm AS programs
ARG PROGRAM
WORKDIR /source
COPY . .
# Static, so that an image needs nothing but the program.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN target="$(uname -m)-unknown-linux-gnu" \
    && cargo build --locked --profile image --target "$target" --bin "$PROGRAM" \
    # Cargo leaves the symbols in a program whose own package has an opt-level of its own.
    && strip "target/$target/image/$PROGRAM" \
    && cp "target/$target/image/$PROGRAM" /etc/ssl/certs/ca-certificates.crt /

FROM scratch
ARG PROGRAM
ARG VERSION
ARG REVISION=unknown
LABEL org.opencontainers.image.title="${PROGRAM}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=programs /ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=programs /${PROGRAM} /program
USER 10001:10001
ENTRYPOINT ["/program"]

# docker build -t markr .
# Only for the labels: --build-arg VERSION=1.2.3 --build-arg REVISION="$(git rev-parse HEAD)".
# `markr version` needs neither; it reads what the go command found in the clone.
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w" -o /out/markr ./cmd/markr
# What the final image cannot make for itself: a user, and a data directory that belongs to
# the user, so that a new volume does too.
RUN mkdir -p /rootfs/etc/ssl/certs /rootfs/data && \
    echo 'markr:x:65532:65532:markr:/data:/sbin/nologin' >/rootfs/etc/passwd && \
    echo 'markr:x:65532:' >/rootfs/etc/group && \
    cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/

FROM scratch
COPY --from=build /rootfs/etc /etc
COPY --from=build --chown=65532:65532 /rootfs/data /data
COPY --from=build /out/markr /markr
USER 65532:65532
VOLUME /data
EXPOSE 4567
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/markr", "healthcheck"]
ENTRYPOINT ["/markr"]
# It listens where others reach it, so it starts only when it is told who is let
# in: MARKR_TOKEN_FILE, MARKR_TLS_CLIENT_CA, or MARKR_INSECURE=true.
CMD ["serve", "--listen", ":4567", "--data-dir", "/data"]

ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="markr" \
      org.opencontainers.image.description="Keeps scanned exam results and answers exact statistics of the marks" \
      org.opencontainers.image.vendor="The Markr authors" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

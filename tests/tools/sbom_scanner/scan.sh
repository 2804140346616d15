#!/bin/sh
# The smallest scanner that BuildKit takes: an SPDX document that lists each file of an image with its hash.
# https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md
set -eu
name=$(basename "$BUILDKIT_SCAN_SOURCE")
{
  printf '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[],"predicate":'
  printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"%s",' "$name"
  printf '"documentNamespace":"https://example.invalid/%s","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: scan"]},"files":[' "$name"
  first=
  find "$BUILDKIT_SCAN_SOURCE" -type f | sort | while read -r path; do
    sum=$(sha256sum "$path"); sum=${sum%% *}
    printf '%s{"SPDXID":"SPDXRef-%s","fileName":"%s","checksums":[{"algorithm":"SHA256","checksumValue":"%s"}]}' "$first" "$sum" "${path#"$BUILDKIT_SCAN_SOURCE"}" "$sum"
    first=,
  done
  printf ']}}'
} >"$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"

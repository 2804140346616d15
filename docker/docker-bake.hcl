# The images of a release, for `docker buildx bake` run at the repository's root:
#
#   docker buildx bake -f docker/docker-bake.hcl --print
#   WHEEL_DIR=dist docker buildx bake -f docker/docker-bake.hcl --load jetson-thor
#
# Set a variable by an environment variable of the same name. Permissions that buildx requires:
#   --allow fs.read=DIRECTORY   WHEEL_DIR, CA_BUNDLE or PIP_CONFIG outside the repository
#   --allow network.host        BUILD_NETWORK=host

variable "VERSION" {
  default     = "unreleased"
  description = "SemVer form; a label and the default tags"
}
variable "REVISION" {
  default     = "unknown"
  description = "The commit from which the wheel was built"
}
variable "CREATED" {
  default     = "unknown"
  description = "RFC 3339; for equal images from equal wheels, that of SOURCE_DATE_EPOCH"
}
variable "SOURCE_DATE_EPOCH" {
  default     = ""
  description = "Seconds since 1970; the creation time of the image"
}
variable "REGISTRY_IMAGE" {
  default     = "ghcr.io/nvidia-ai-iot/live-vlm-webui"
  description = "The image's name without a tag"
}
variable "WHEEL_DIR" {
  default     = ""
  description = "A directory with exactly one wheel and optionally its CycloneDX file; empty: build it from the tree"
}

variable "PYTHON_IMAGE" {
  default     = "python:3.12-slim-bookworm"
  description = "Base with python3 (venv and pip) and the GNU C library, for every platform"
}
variable "JETSON_ORIN_IMAGE" {
  default     = PYTHON_IMAGE
  description = "Base of jetson-orin"
}
variable "JETSON_THOR_IMAGE" {
  default     = PYTHON_IMAGE
  description = "Base of jetson-thor"
}
variable "MAC_IMAGE" {
  default     = PYTHON_IMAGE
  description = "Base of mac"
}

variable "BUILD_NETWORK" {
  default     = "default"
  description = "Network of the install steps: default or host"
}
variable "CA_BUNDLE" {
  default     = ""
  description = "Certificates that pip trusts during the build; not in the image"
}
variable "PIP_CONFIG" {
  default     = ""
  description = "pip.conf for the build; not in the image"
}
variable "PROVENANCE" {
  default     = "max"
  description = "Detail of the provenance attestation: max, min, or empty for none"
}
variable "SBOM_SCANNER" {
  default     = ""
  description = "Image of an SBOM scanner, such as docker/buildkit-syft-scanner:stable-1; empty: only our own CycloneDX file"
}

group "default" {
  targets = ["multiarch", "jetson-orin", "jetson-thor", "mac"]
}

target "_common" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  contexts   = WHEEL_DIR == "" ? {} : { wheel = WHEEL_DIR }
  network    = BUILD_NETWORK
  args = {
    PYTHON_IMAGE      = PYTHON_IMAGE
    VERSION           = VERSION
    REVISION          = REVISION
    CREATED           = CREATED
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH == "" ? null : SOURCE_DATE_EPOCH
  }
  secret = concat(
    CA_BUNDLE == "" ? [] : ["id=ca,src=${CA_BUNDLE}"],
    PIP_CONFIG == "" ? [] : ["id=pipconf,src=${PIP_CONFIG}"],
  )
  attest = concat(
    [PROVENANCE == "" ? "type=provenance,disabled=true" : "type=provenance,mode=${PROVENANCE}"],
    SBOM_SCANNER == "" ? [] : ["type=sbom,generator=${SBOM_SCANNER}"],
  )
}

target "_arm64" {
  inherits  = ["_common"]
  platforms = ["linux/arm64"]
}

# PC and DGX Spark
target "multiarch" {
  inherits  = ["_common"]
  platforms = ["linux/amd64", "linux/arm64"]
  tags      = ["${REGISTRY_IMAGE}:${VERSION}"]
}

target "jetson-orin" {
  inherits = ["_arm64"]
  tags     = ["${REGISTRY_IMAGE}:${VERSION}-jetson-orin"]
  args     = { PYTHON_IMAGE = JETSON_ORIN_IMAGE }
}

target "jetson-thor" {
  inherits = ["_arm64"]
  tags     = ["${REGISTRY_IMAGE}:${VERSION}-jetson-thor"]
  args     = { PYTHON_IMAGE = JETSON_THOR_IMAGE }
}

target "mac" {
  inherits = ["_arm64"]
  tags     = ["${REGISTRY_IMAGE}:${VERSION}-mac"]
  args     = { PYTHON_IMAGE = MAC_IMAGE }
}

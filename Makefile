# What a person, and the continuous integration, runs. `make` alone lists it.

# One profile serves tests, demo and production, so everything lands in target/release once.
CARGO   ?= cargo
PROFILE := --release --locked
# Where rustup puts cargo, for shells that have not read its profile.
export PATH := $(HOME)/.cargo/bin:$(PATH)

# Debian packages. The build wants a C compiler and cmake (libopus), nasm (rav1e), libvpx (VP8, VP9),
# libdav1d (AV1) and ALSA (microphones); the tests want a browser with its driver, a TURN server, ffmpeg as an
# independent judge of what was recorded, a font, espeak-ng for text that is spoken, iproute2 for networks of
# their own, PulseAudio for a microphone, systemd for its opinion of the unit, Slurm to run parts of a load
# test, valgrind to count what a packet costs, and Python for what tests/requirements.txt names. A machine with a
# camera and a sound card is QEMU's; what runs there is packed with kmod and plays with alsa-utils.
BUILD_PACKAGES := build-essential cmake nasm pkg-config libasound2-dev libvpx-dev libdav1d-dev
TEST_PACKAGES  := chromium chromium-driver coturn espeak-ng ffmpeg fonts-dejavu-core iproute2 libasound2-plugins \
                  procps pulseaudio pulseaudio-utils python3-venv slurm-client slurmctld slurmd systemd valgrind
GUEST_PACKAGES := alsa-utils kmod qemu-system-x86
PYTHON         := target/python/.done
# The kernel of that machine, from Debian's package, unpacked and not installed.
GUEST          := target/guest/.done
# libFuzzer for cargo, and how long each of its targets runs.
CARGO_FUZZ     := target/tools/bin/cargo-fuzz
SECONDS        := 60

step = @printf '\n== %s\n' "$(1)"

.DEFAULT_GOAL := help
.PHONY: help build demo demo-watch test test-unit test-long test-devices conformance check fmt fuzz bench deps deps-test toolchain clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

build: deps ## target/release/standin
	$(call step,building target/release/standin (some minutes the first time))
	$(CARGO) build $(PROFILE) --bin standin

demo: build ## a clip is announced into a practice conference and measured at the other end
	$(call step,demo)
	target/release/standin demo

demo-watch: build ## the same, looping until Ctrl-C, with an address to watch it at
	$(call step,demo$(comma) until Ctrl-C)
	target/release/standin demo --watch

test: deps-test check ## everything: formatting, lints, all tests, the browser stories
	$(call step,tests of all crates$(comma) then the stories (a browser is among them))
	@[ "$$(id -u)" = 0 ] || echo "== left out, since they need root: the stories behind a firewall (relay)"
	$(CARGO) test $(PROFILE) --workspace $(if $(filter 0,$(shell id -u)),,-- --skip relay::)

test-unit: deps-test ## the tests beside the code, without sockets or browsers: seconds once built
	$(call step,unit tests)
	$(CARGO) test $(PROFILE) --workspace --lib --bins

test-long: deps-test ## the tests that take minutes, left out of `make test`
	$(call step,long tests)
	$(CARGO) test $(PROFILE) --workspace -- --ignored --skip devices::

test-devices: deps-test $(GUEST) ## a camera and a sound card in a virtual machine: used, unplugged and back
	@$(call need,$(GUEST_PACKAGES))
	$(call step,devices)
	$(CARGO) test $(PROFILE) --workspace --test stories -- --ignored devices::

conformance: deps-test ## every row of the client API, and the table of crates/node/README.md
	$(call step,conformance)
	$(CARGO) test $(PROFILE) --workspace --test conformance -- --write

check: deps ## formatting and lints
	$(call step,formatting)
	$(CARGO) fmt --all --check
	$(call step,lints)
	$(CARGO) clippy $(PROFILE) --workspace --all-targets -- -D warnings

fmt: toolchain ## formats the code
	$(CARGO) fmt --all

fuzz: deps $(CARGO_FUZZ) ## fuzzes every reader; SECONDS=180 for each, TARGETS="mp4 sdp" for some
	$(call step,fuzzing: SECONDS=$(SECONDS) (its own build takes a quarter of an hour the first time))
	PATH="$(CURDIR)/$(dir $(CARGO_FUZZ)):$$PATH" tests/fuzz/run $(SECONDS) $(TARGETS)

$(CARGO_FUZZ):
	$(call step,cargo-fuzz)
	$(CARGO) install cargo-fuzz --version 0.13.2 --locked --root target/tools

bench: deps ## what callers cost, beside the floor of the machine; BENCH=--quick for an impression
	$(call step,bench)
	$(CARGO) build $(PROFILE) --workspace --bin standin-bench
	target/release/standin-bench $(BENCH)

clean: ## removes what was built
	$(CARGO) clean

deps: toolchain
	@$(call need,$(BUILD_PACKAGES))

deps-test: toolchain
	@$(call need,$(BUILD_PACKAGES) $(TEST_PACKAGES))
	@$(MAKE) --silent --no-print-directory $(PYTHON)

# Made anew when the list changes. Debian's own Python, whatever else is called python3 here.
$(PYTHON): tests/requirements.txt
	$(call step,Python packages for the tests)
	rm -rf target/python
	$(firstword $(wildcard /usr/bin/python3) python3) -m venv target/python
	target/python/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# The kernel brings its modules, and busybox is all else that the machine runs of Debian. Some releases
# keep everything below /usr.
$(GUEST):
	$(call step,a kernel for the virtual machine (some 70 MB))
	rm -rf target/guest
	mkdir -p target/guest/packages target/guest/tree
	[ "$$(id -u)" != 0 ] || apt-get update -q
	cd target/guest/packages && apt-get -q -o APT::Sandbox::User=root download busybox-static \
	  $$(LC_ALL=C apt-cache depends --important linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
	for package in target/guest/packages/*.deb; do dpkg-deb -x $$package target/guest/tree || exit 1; done
	for directory in bin lib; do \
	  [ -e target/guest/tree/$$directory ] || ln -s usr/$$directory target/guest/tree/$$directory; done
	rm -r target/guest/packages
	@touch $@

toolchain:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
	  echo "Rust is not installed. Run: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2; exit 1; }

comma := ,

# need PACKAGES: on Debian, installs what is missing as root, and says the one line to run as anybody else.
# Elsewhere the names are not dpkg's, and the build itself says what it lacks. The tests start a TURN
# server and Slurm where they want them; Debian would run them as services too.
define need
command -v dpkg-query >/dev/null 2>&1 || exit 0; \
missing=; \
for package in $(1); do \
  case "$$(dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null)" in \
    installed) ;; \
    *) missing="$$missing $$package" ;; \
  esac; \
done; \
[ -z "$$missing" ] && exit 0; \
if [ "$$(id -u)" = 0 ]; then \
  echo "== installing$$missing"; \
  apt-get update -q && \
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing || exit 1; \
  case "$$missing" in \
    *coturn*) systemctl disable --now coturn >/dev/null 2>&1 || true ;; \
  esac; \
  case "$$missing" in \
    *slurm*) systemctl disable --now slurmctld slurmd munge >/dev/null 2>&1 || true ;; \
  esac; \
else \
  echo "Missing packages. Run: sudo apt-get update && sudo apt-get install -y$$missing" >&2; exit 1; \
fi
endef

.PHONY: setup setup-mpi build mpi demo test check-mpi benchmark topology-page meaning format lint stage install uninstall dist test-dist fuzz

BINARY = .build/release/hatchling

# Where `make install` puts the program, and which: full, igraph without HDF5, or mit without igraph and its licence too. See docs/install.md.
PREFIX ?= /usr/local
VARIANT ?= full
STAGED = .build-dist/$(VARIANT)/staged
INSTALLED = $(DESTDIR)$(PREFIX)

setup:
	@scripts/setup

build: setup
	swift build -c release

# One network on many processes; see docs/scale.md. In a folder of its own.
setup-mpi:
	@scripts/setup libopenmpi-dev openmpi-bin

mpi: setup-mpi
	swift build -c release --traits MPI,Topology,HDF5 --scratch-path .build-mpi --product hatchling

# The program with MPI on 1, 2, 3, 4 and 7 ranks against the program without.
check-mpi: build mpi
	scripts/check-mpi $(BINARY) .build-mpi/release/hatchling

# Built only when a source is newer, so that `sudo make install` after `make stage` needs no Swift.
stage: $(STAGED)/bin/hatchling

$(STAGED)/bin/hatchling: $(shell find Sources -type f) Package.swift scripts/stage
	@scripts/setup
	scripts/stage $(VARIANT)

install: stage
	cd $(STAGED) && find bin share -type f -exec install -D -m 644 {} "$(INSTALLED)/{}" \;
	cd $(STAGED) && find README LICENSE licences -type f -exec install -D -m 644 {} "$(INSTALLED)/share/doc/hatchling/{}" \;
	chmod 755 "$(INSTALLED)/bin/hatchling"

uninstall:
	rm -rf "$(INSTALLED)/share/hatchling" "$(INSTALLED)/share/doc/hatchling"
	cd "$(INSTALLED)" && rm -f bin/hatchling share/man/man1/hatchling.1 share/man/man1/hatchling-*.1 \
	  share/bash-completion/completions/hatchling share/zsh/site-functions/_hatchling \
	  share/fish/vendor_completions.d/hatchling.fish

# Archives for others in dist/, with igraph and without, the source and checksums; then tried in a root without Swift.
dist: setup
	scripts/dist

test-dist: setup
	scripts/test-dist

# The main job on the shipped model: step a text, verify graph against tensors, export the circuit's degrees.
demo: build
	@echo "--- 1. One token at a time: what the network predicted, which neurons fired, how many messages they sent"
	@$(BINARY) step examples/sample.txt | head -n 24
	@$(BINARY) step examples/sample.txt --quiet
	@echo "--- 2. The same tokens as tensors and as a graph: every quantity compared, layer by layer"
	@$(BINARY) verify examples/sample.txt
	@echo "--- 3. The circuit as a graph: how many synapses each kind of particle has"
	@$(BINARY) degrees --graph circuit --out demo/degrees
	@echo "--- 4. A continuation"
	@$(BINARY) generate --prompt "ROMEO:" --count 160 --seed 1; echo

# Inputs that coverage guides, for MINUTES in all (10), all targets in turn; see docs/reliability.md.
fuzz: setup
	scripts/fuzz

# At its end: what was skipped and why.
test: setup
	@scripts/test

# Speed against PyTorch, the public code and SciPy; see docs/benchmarks.md. PUBLIC_CODE=dir names the public code, MODEL=file another
# small checkpoint. The tables of docs/benchmarks.md and its picture are written anew.
benchmark: build
	scripts/benchmark --report docs/benchmarks.md

# The pictures and tables of docs/topology.md, for the shipped model and the reference checkpoints.
topology-page: build
	python3 scripts/topology-page.py

# The numbers and pictures of docs/meaning.md; trains the small network of the memorising task first, unless .build/meaning has it.
meaning: build
	python3 scripts/meaning-page.py

format:
	swift format -i --recursive Sources Tests examples Benchmarks Package.swift

lint:
	swift format lint --strict --recursive Sources Tests examples Benchmarks Package.swift

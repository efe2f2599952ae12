.PHONY: setup build demo test benchmark topology-page format lint

BINARY = .build/release/hatchling

setup:
	@scripts/setup

build: setup
	swift build -c release

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

format:
	swift format -i --recursive Sources Tests examples Benchmarks Package.swift

lint:
	swift format lint --strict --recursive Sources Tests examples Benchmarks Package.swift

// swift-tools-version: 6.1
import PackageDescription

/// Dependencies point one way. A → B: B is built on A, and on all that A is built on. Names without their "Hatchling".
///
///     OpenBLAS → CKernels → Numerics
///     Numerics, libcrypto → Checkpoint → Model → { Dynamics, Graph }
///     Checkpoint → Pictures
///     Dynamics, MPI → Shards → Tensor; Tensor, Shards, Graph → Training
///     Shards, Graph → Execution
///     Dynamics, Graph, libhdf5 → Activity
///     Graph → { Compiler, Export }
///     Training → Concepts
///     Compiler, igraph → Topology
///     Tensor, Compiler, Execution → Equivalence
///     Pictures, Training, Export, Topology, Equivalence, Activity, Concepts → Commands → hatchling, the command line
let package = Package(
  name: "hatchling",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "hatchling", targets: ["hatchling"]),
    .library(name: "HatchlingModel", targets: ["HatchlingCheckpoint", "HatchlingModel"]),
    .library(name: "HatchlingTensor", targets: ["HatchlingDynamics", "HatchlingTensor"]),
    .library(
      name: "HatchlingGraph",
      targets: [
        "HatchlingDynamics", "HatchlingGraph", "HatchlingCompiler", "HatchlingExecution", "HatchlingExport",
      ]),
    .library(name: "HatchlingEquivalence", targets: ["HatchlingEquivalence"]),
    .library(name: "HatchlingTraining", targets: ["HatchlingTraining"]),
    .library(name: "HatchlingPictures", targets: ["HatchlingPictures"]),
    .library(name: "HatchlingConcepts", targets: ["HatchlingConcepts"]),
    // This one and those that export graphs link libhdf5 with the trait HDF5.
    .library(name: "HatchlingActivity", targets: ["HatchlingActivity"]),
    // Links igraph with the trait Topology.
    .library(name: "HatchlingCommands", targets: ["HatchlingCommands"]),
    // Links igraph, which is GPL; empty without the trait Topology.
    .library(name: "HatchlingTopology", targets: ["HatchlingTopology"]),
  ],
  traits: [
    .trait(
      name: "Topology",
      description: "Communities, power-law fits, cores and layouts, by igraph (GPL 2 or later)."),
    .trait(name: "HDF5", description: "Recordings and networks as SONATA, recordings as NWB, by libhdf5."),
    .trait(name: "MPI", description: "One network over many processes, by MPI (libopenmpi-dev)."),
    .default(enabledTraits: ["Topology", "HDF5"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
  ],
  targets: [
    // System libraries and the C kernels.
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CIgraph", pkgConfig: "igraph", providers: [.apt(["libigraph-dev"])]),
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .target(name: "CKernels", dependencies: ["COpenBLAS"]),
    .target(name: "CStamp"),

    // The library, bottom up.
    .target(
      name: "HatchlingNumerics",
      dependencies: ["COpenBLAS", "CKernels", .product(name: "RealModule", package: "swift-numerics")]),
    .target(name: "HatchlingCheckpoint", dependencies: ["HatchlingNumerics", "CCrypto"]),
    .target(
      name: "HatchlingModel", dependencies: ["HatchlingNumerics", "HatchlingCheckpoint"],
      resources: [.copy("Resources/shipped.safetensors"), .copy("Resources/sparse.safetensors")]),
    .target(name: "HatchlingDynamics", dependencies: ["HatchlingNumerics", "HatchlingModel"]),
    .target(
      name: "HatchlingShards",
      dependencies: [
        "HatchlingDynamics", "HatchlingModel", "HatchlingNumerics", "HatchlingCheckpoint",
        .target(name: "CMPI", condition: .when(traits: ["MPI"])),
      ]),
    .target(
      name: "HatchlingTensor",
      dependencies: ["HatchlingNumerics", "HatchlingModel", "HatchlingDynamics", "HatchlingShards"]),
    .target(
      name: "HatchlingGraph", dependencies: ["HatchlingNumerics", "HatchlingCheckpoint", "HatchlingModel"]),
    .target(
      name: "HatchlingCompiler", dependencies: ["HatchlingGraph", "HatchlingModel", "HatchlingNumerics"]),
    .target(
      name: "HatchlingExecution",
      dependencies: [
        "HatchlingDynamics", "HatchlingShards", "HatchlingGraph", "HatchlingModel", "HatchlingNumerics",
        "HatchlingCheckpoint", "CKernels",
      ]),
    .target(
      name: "HatchlingEquivalence",
      dependencies: [
        "HatchlingTensor", "HatchlingCompiler", "HatchlingGraph", "HatchlingExecution", "HatchlingModel",
        "HatchlingDynamics", "HatchlingNumerics", "HatchlingCheckpoint", "HatchlingShards",
      ]),
    .target(
      name: "HatchlingTraining",
      dependencies: [
        "HatchlingTensor", "HatchlingShards", "HatchlingDynamics", "HatchlingGraph", "HatchlingModel",
        "HatchlingNumerics", "HatchlingCheckpoint",
      ]),
    .target(
      name: "HatchlingConcepts",
      dependencies: ["HatchlingTensor", "HatchlingModel", "HatchlingNumerics", "HatchlingTraining"]),
    // Empty without the trait HDF5.
    .target(
      name: "HatchlingHDF5",
      dependencies: [
        "HatchlingCheckpoint", "HatchlingNumerics",
        .target(name: "CHDF5", condition: .when(traits: ["HDF5"])),
      ]),
    .target(
      name: "HatchlingExport",
      dependencies: [
        "HatchlingGraph", "HatchlingModel", "HatchlingCheckpoint", "HatchlingHDF5", "HatchlingNumerics",
      ]),
    .target(name: "HatchlingPictures", dependencies: ["HatchlingCheckpoint"]),
    .target(
      name: "HatchlingTopology",
      dependencies: [
        "HatchlingCompiler", "HatchlingGraph", "HatchlingNumerics",
        .target(name: "CIgraph", condition: .when(traits: ["Topology"])),
      ]),
    .target(
      name: "HatchlingActivity",
      dependencies: [
        "HatchlingDynamics", "HatchlingGraph", "HatchlingModel", "HatchlingNumerics", "HatchlingCheckpoint",
        "HatchlingHDF5",
      ]),
    .target(
      name: "HatchlingCommands",
      dependencies: [
        "HatchlingPictures", "HatchlingActivity", "HatchlingConcepts", "HatchlingDynamics", "HatchlingShards",
        .target(name: "HatchlingTopology", condition: .when(traits: ["Topology"])),
        "HatchlingCheckpoint", "HatchlingModel", "HatchlingTensor", "HatchlingGraph", "HatchlingCompiler",
        "HatchlingExecution", "HatchlingEquivalence", "HatchlingExport", "HatchlingNumerics",
        "HatchlingTraining",
      ]),
    .executableTarget(
      name: "hatchling",
      dependencies: [
        "CStamp", "HatchlingActivity", "HatchlingConcepts", "HatchlingCommands", "HatchlingCheckpoint",
        "HatchlingModel", "HatchlingTensor", "HatchlingGraph", "HatchlingCompiler", "HatchlingDynamics",
        "HatchlingExecution", "HatchlingShards",
        "HatchlingEquivalence", "HatchlingExport",
        "HatchlingNumerics", "HatchlingTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests, one target per module, named for what must hold.
    .systemLibrary(name: "CZip", path: "Tests/CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .target(
      name: "TestSupport",
      dependencies: ["HatchlingGraph", "HatchlingModel", "HatchlingNumerics", "HatchlingCheckpoint", "CZip"],
      path: "Tests/TestSupport"),
    .test("HatchlingNumerics", with: "CKernels"),
    .test("HatchlingCheckpoint", with: "HatchlingModel", excluding: ["Fixtures"]),
    .test("HatchlingModel", with: "HatchlingTensor"),
    .test("HatchlingTensor", with: "HatchlingModel"),
    .test("HatchlingGraph", with: "HatchlingModel", "HatchlingCompiler", "HatchlingCheckpoint"),
    .test("HatchlingCompiler", with: "HatchlingGraph", "HatchlingModel"),
    .test(
      "HatchlingExecution", with: "HatchlingGraph", "HatchlingModel", "HatchlingTensor", "HatchlingCompiler",
      "HatchlingCheckpoint", "HatchlingDynamics", excluding: ["Fixtures"]),
    .test(
      "HatchlingEquivalence", with: "HatchlingGraph", "HatchlingModel", "HatchlingTensor",
      "HatchlingCompiler",
      "HatchlingExecution"),
    .test(
      "HatchlingShards", with: "HatchlingDynamics", "HatchlingGraph", "HatchlingModel", "HatchlingCompiler",
      "HatchlingExecution", "HatchlingCheckpoint", "HatchlingTensor", "HatchlingEquivalence",
      "HatchlingTraining"),
    .testTarget(
      name: "HatchlingExportTests",
      dependencies: [
        "TestSupport", "HatchlingExport", "HatchlingGraph", "HatchlingCheckpoint", "HatchlingModel",
        "HatchlingCompiler", "HatchlingHDF5", "HatchlingNumerics",
        .target(name: "CHDF5", condition: .when(traits: ["HDF5"])),
      ], exclude: ["Fixtures"]),
    .test("HatchlingPictures"),
    .testTarget(
      name: "HatchlingConceptsTests",
      dependencies: [
        "TestSupport", "HatchlingConcepts", "HatchlingDynamics", "HatchlingModel", "HatchlingNumerics",
        "HatchlingTensor",
      ],
      exclude: ["Fixtures/make.py"], resources: [.copy("Fixtures/scipy.json")]),
    .testTarget(
      name: "HatchlingTopologyTests",
      dependencies: [
        "TestSupport", "HatchlingTopology", "HatchlingCompiler", "HatchlingGraph", "HatchlingNumerics",
      ], exclude: ["Fixtures/make.py"], resources: [.copy("Fixtures/answers.json")]),
    .testTarget(
      name: "HatchlingActivityTests",
      dependencies: [
        "TestSupport", "HatchlingActivity", "HatchlingModel", "HatchlingTensor", "HatchlingCompiler",
        "HatchlingExecution", "HatchlingDynamics", "HatchlingCheckpoint", "HatchlingNumerics",
        "HatchlingHDF5",
        .target(name: "CHDF5", condition: .when(traits: ["HDF5"])),
      ]),
    .test(
      "HatchlingTraining", with: "HatchlingModel", "HatchlingTensor", "HatchlingCheckpoint", "HatchlingGraph",
      "HatchlingCompiler", "HatchlingExecution", "HatchlingDynamics", excluding: ["Fixtures"]),
    // The fuzz targets without the fuzzer: the corpus and random inputs. `Targets` is a link into `Fuzzing/`.
    .target(
      name: "CFuzzing", path: "Fuzzing/Sources/CFuzzing",
      cSettings: Context.environment["HATCHLING_FUZZING"].map { _ in [.define("FUZZING")] } ?? []),
    .testTarget(
      name: "FuzzingTests",
      dependencies: [
        "TestSupport", "CFuzzing", "hatchling", "HatchlingCheckpoint", "HatchlingModel", "HatchlingTensor",
        "HatchlingGraph", "HatchlingExport",
        "HatchlingCompiler", "HatchlingDynamics", "HatchlingExecution", "HatchlingNumerics",
        "HatchlingTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // The program from outside; apart from those that look inside, so that two are compiled at a time.
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "TestSupport", "HatchlingCheckpoint", "HatchlingGraph", "HatchlingHDF5", "HatchlingModel",
        "HatchlingNumerics",
      ]),
    .testTarget(
      name: "HatchlingCommandTests",
      dependencies: [
        "TestSupport", "HatchlingNumerics", "HatchlingActivity", "HatchlingModel", "HatchlingCompiler",
        "HatchlingExecution", "hatchling", "HatchlingCommands",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// Coverage-guided fuzzing: needs flags that `scripts/fuzz` gives, and is no part of the package otherwise. `CommandLine` in it is a link
// to the command line's sources.
if Context.environment["HATCHLING_FUZZING"] != nil {
  package.targets += [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CFuzzing", "CStamp", "TestSupport", "HatchlingActivity", "HatchlingConcepts", "HatchlingCommands",
        "HatchlingCheckpoint",
        "HatchlingModel",
        "HatchlingTensor",
        "HatchlingGraph", "HatchlingCompiler", "HatchlingDynamics", "HatchlingExecution",
        "HatchlingEquivalence", "HatchlingShards",
        "HatchlingExport", "HatchlingNumerics", "HatchlingTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Fuzzing/Sources/fuzz", swiftSettings: [.define("FUZZING")])
  ]
}

// Most tests wait for the library or for programs, and programs that tests start wait for the library: optimising them takes longer than it
// saves. HATCHLING_UNOPTIMISED="hatchling HatchlingCommands" is set by `scripts/test`; whoever installs the program has it optimised.
let optimisedTests = ["HatchlingNumericsTests", "HatchlingCheckpointTests", "HatchlingCompilerTests"]
let unoptimised = (Context.environment["HATCHLING_UNOPTIMISED"] ?? "").split(separator: " ").map(String.init)
for target in package.targets
where target.type == .test ? !optimisedTests.contains(target.name) : unoptimised.contains(target.name) {
  target.swiftSettings = [.unsafeFlags(["-Onone"])]
}

// Only some test targets, and with the product hatchlingPackageTests only what they need: `.ci/run` builds them anew for every sanitizer.
if let only = Context.environment["HATCHLING_TESTS"]?.split(separator: " ").map(String.init) {
  package.targets.removeAll { $0.type == .test && !only.contains($0.name) }
}

extension Target {
  /// The tests of one module, with the other modules that they use as oracles.
  static func test(_ module: String, with others: String..., excluding: [String] = []) -> Target {
    .testTarget(
      name: module + "Tests",
      dependencies: (["TestSupport", "HatchlingNumerics", module] + others).uniqued().map {
        .byName(name: $0)
      }, exclude: excluding)
  }
}

extension [String] {
  fileprivate func uniqued() -> [String] {
    var seen = Set<String>()
    return filter { seen.insert($0).inserted }
  }
}

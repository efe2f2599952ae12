// swift-tools-version: 6.1
import PackageDescription

/// Three programs that use the library, not the command line.
let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "hatchling", path: "..")],
  targets: [
    .executableTarget(
      name: "watch-synapse",
      dependencies: [
        .product(name: "HatchlingModel", package: "hatchling"),
        .product(name: "HatchlingGraph", package: "hatchling"),
      ]),
    .executableTarget(
      name: "verify-checkpoint",
      dependencies: [
        .product(name: "HatchlingModel", package: "hatchling"),
        .product(name: "HatchlingGraph", package: "hatchling"),
        .product(name: "HatchlingTensor", package: "hatchling"),
        .product(name: "HatchlingEquivalence", package: "hatchling"),
      ]),
    .executableTarget(
      name: "train-session",
      dependencies: [
        .product(name: "HatchlingCommands", package: "hatchling")
      ]),
  ],
  swiftLanguageModes: [.v6]
)

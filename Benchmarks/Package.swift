// swift-tools-version: 6.1
import PackageDescription

/// Speed against peers on the same file in the same run, and of the selection of edges against the bare product. A package of its own,
/// so that the library depends on nothing here.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "hatchling", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .target(name: "CBandwidth", cSettings: [.unsafeFlags(["-O3"])]),
    .executableTarget(
      name: "benchmark",
      dependencies: [
        "CBandwidth",
        .product(name: "HatchlingModel", package: "hatchling"),
        .product(name: "HatchlingGraph", package: "hatchling"),
        .product(name: "HatchlingTensor", package: "hatchling"),
        .product(name: "HatchlingTraining", package: "hatchling"),
        .product(name: "HatchlingCommands", package: "hatchling"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "select-benchmark", dependencies: [.product(name: "HatchlingGraph", package: "hatchling")]),
  ],
  swiftLanguageModes: [.v6]
)

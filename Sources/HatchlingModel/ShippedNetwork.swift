import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// A network that comes with the program. Its name stands for its file wherever a file is asked for and none has that name.
public enum ShippedNetwork: String, CaseIterable, Sendable {
  /// Weights D_x, D_y, E: n 4096, d 64, H 4, L 4, trained on tiny-shakespeare (`docs/model-card.md`).
  case shipped
  /// A neuron graph trained on its own synapses from there (`docs/sparse.md`).
  case sparse
  /// Weights of the sizes of ``shipped``, trained on sentences of the European Parliament in English and French (`docs/model-card.md`). Not
  /// part of the package: `models/` of a checkout, the share folder of an installation.
  case europarl

  /// Its file. - Throws: ``ModelError/noShippedModel(searched:)`` where it is missing.
  public func path() throws(ModelError) -> String {
    let paths = folders.map { "\($0)/\(rawValue).safetensors" }
    guard let path = paths.first(where: { access($0.systemPath, F_OK) == 0 }) else {
      throw .noShippedModel(searched: paths)
    }
    return path
  }

  /// The file that `name` stands for: itself, unless there is none and a shipped network is called so.
  /// - Throws: ``ModelError/noShippedModel(searched:)``.
  public static func path(of name: String) throws(ModelError) -> String {
    guard let network = ShippedNetwork(rawValue: name), access(name.systemPath, F_OK) != 0 else {
      return name
    }
    return try network.path()
  }

  /// Where the executable is, links to it followed: in a build's bundle, beside it, in the share folder of an installation; and for what is
  /// not part of the package in `models` of the checkout that it was built in, as .build/PLATFORM/release.
  /// Not `Bundle.module` or `Bundle.main`, which end the program when the bundle is gone, or /proc.
  private var folders: [String] {
    guard let program = Machine.executablePath.map({ String(anyBytes: $0) }) else { return [] }
    let folder = program.folderOfPath
    let bundled = [
      "\(folder)/hatchling_HatchlingModel.resources", folder, "\(folder.folderOfPath)/share/hatchling",
    ]
    let builds = folder.folderOfPath.folderOfPath
    guard self == .europarl, builds.nameInPath.hasPrefix(".build") else { return bundled }
    return bundled + ["\(builds.folderOfPath)/models"]
  }
}

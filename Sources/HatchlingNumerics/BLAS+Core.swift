import CKernels
import COpenBLAS

extension BLAS {
  /// Which of its kernels OpenBLAS multiplies with. One choice for the whole process, made before `main` (docs/blas.md).
  ///
  /// Two cores differ in rounding only, but in nearly every product: bits belong to one core.
  public struct Core: Sendable, Codable, Equatable {
    public enum Chooser: String, Sendable, Codable {
      /// OpenBLAS's own list of processors.
      case openBLAS = "OpenBLAS"
      /// The user, by these variables.
      case coreType = "OPENBLAS_CORETYPE"
      case forced = "HATCHLING_BLAS_CORE"
      /// What the processor can do, because OpenBLAS had chosen something poorer.
      case features = "Hatchling"
    }

    public enum Fault: String, Sendable, Codable {
      case missing = "is not in this OpenBLAS"
      case wrong = "multiplies wrongly here"
      case crashed = "crashes here"
    }

    /// OpenBLAS and its version.
    public let library: String
    /// As OpenBLAS spells it: `SkylakeX`, `Haswell`, `Prescott`, …
    public let name: String
    public let chosenBy: Chooser
    /// The core that OpenBLAS had when the program began.
    public let found: String
    /// The first core that was asked for in vain, and why.
    public let refused: String?
    public let fault: Fault?
    /// A core that suits the processor better than `name`; nil where `name` is as good as the processor allows.
    public let better: String?
  }

  public static let core: Core = {
    let choice = hatchling_blas_chosen()
    let name = string(openblas_get_corename()) ?? "unknown"
    let chosenBy: Core.Chooser =
      switch choice.chooser {
      case HATCHLING_BLAS_CORETYPE: .coreType
      case HATCHLING_BLAS_FORCED: .forced
      case HATCHLING_BLAS_FEATURES: .features
      default: .openBLAS
      }
    let fault: Core.Fault? =
      switch choice.verdict {
      case HATCHLING_BLAS_MISSING: .missing
      case HATCHLING_BLAS_WRONG: .wrong
      case HATCHLING_BLAS_CRASHED: .crashed
      default: nil
      }
    let configuration = (string(openblas_get_config()) ?? "OpenBLAS").split(separator: " ")
    return Core(
      library: configuration.prefix(2).joined(separator: " "), name: name, chosenBy: chosenBy,
      found: string(choice.found) ?? name, refused: string(choice.refused), fault: fault,
      better: string(hatchling_blas_better_here(name)))
  }()

  private static func string(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }
}

import CStamp
import HatchlingNumerics

/// What `--version` prints: one line per fact.
enum Version {
  static let number = "0.1.0"

  static var report: String {
    """
    hatchling \(number)
    commit    \(String(cString: hatchling_commit()))
    kernels   \(Machine.kernelName)
    BLAS      \(BLAS.core.library), core \(BLAS.core.name)
    topology  \(topology)
    """
  }

  private static var topology: String {
    #if Topology
      return "with igraph: to be passed on under the GPL only"
    #else
      return "without igraph: communities and power-law fits are missing"
    #endif
  }
}

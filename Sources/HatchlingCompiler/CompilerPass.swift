import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What one pass did.
public struct PassReport: Equatable, Sendable {
  /// `centre`, `split`, `expand`, `prune` or `lay out`.
  public let pass: String
  /// Fixed synapses (non-zero weights) before and after.
  public let edgesIn: Int
  public let edgesOut: Int
  public let seconds: Double
  /// What the pass has to say beyond numbers; may be empty.
  public let note: String

  public init(pass: String, edgesIn: Int, edgesOut: Int, seconds: Double, note: String = "") {
    self.pass = pass
    self.edgesIn = edgesIn
    self.edgesOut = edgesOut
    self.seconds = seconds
    self.note = note
  }
}

/// A compilation that cannot be done as asked.
public enum CompilerError: InputError, Equatable {
  /// Norm-free networks have no mean to fold away.
  case nothingToCentre
  case inconsistentWeights(String)
  /// More edges meet a threshold than were allowed.
  case tooManyEdges(limit: Int)
  /// G_x and G_y would not fit into half of the machine's memory. Sizes in bytes.
  case expansionTooLarge(needed: Int, limit: Int)
  /// Options of pruning that make no sense together.
  case badPruning(String)

  public var description: String {
    switch self {
    case .nothingToCentre: "a norm-free network has no LayerNorm to centre; leave the pass out"
    case .inconsistentWeights(let detail): "the weights do not fit together: \(detail)"
    case .tooManyEdges(let limit):
      "more than \(limit) edges are at or above the threshold; raise it, or ask for a number of edges"
    case .expansionTooLarge(let needed, let limit):
      "the unpruned G_x and G_y would need \(needed >> 20) MiB, more than half of this machine's memory (\(limit >> 20) MiB); keep fewer synapses, or compile the circuit"
    case .badPruning(let what): what
    }
  }
}

import HatchlingCompiler
import HatchlingEquivalence
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Pruned direct graphs beside the unpruned network, over the same segments of a text.
public struct FidelityStudy<Scalar: NetworkScalar> {
  private let fidelity: Fidelity<Scalar>
  private let weights: Weights<Scalar>
  private let workers: Workers
  private let seed: UInt64
  private let progress: WorkProgress
  private let onRow: (FidelityRow, FidelityReport) throws -> Void
  public private(set) var report: FidelityReport

  /// Reads the text with the tensors.
  ///
  /// - Parameters:
  ///   - tokens: the text.
  ///   - limit: about how many tokens are read, in segments spread evenly.
  ///   - seed: of the bootstrap.
  ///   - ranks: which share out the segments, each with the whole network; nil for one process.
  ///   - onRow: told every row as it comes, with the report that it stands in.
  /// - Throws: `FidelityError` for a text that is too short, `StateMemoryError`.
  public init(
    _ weights: Weights<Scalar>, tokens: [Int], segment: Int, limit: Int, seed: UInt64 = 1,
    ranks: Ranks? = nil, workers: Workers, progress: @escaping WorkProgress = { _, _, _ in },
    onRow: @escaping (FidelityRow, FidelityReport) throws -> Void = { _, _ in }
  ) throws {
    try weights.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    fidelity = try Fidelity(
      weights, tokens: tokens, segment: segment, limit: limit, ranks: ranks, workers: workers,
      afterSegment: { progress("tensors: segment", $0, $1) })
    (self.weights, self.workers, self.seed) = (weights, workers, seed)
    (self.progress, self.onRow) = (progress, onRow)
    report = FidelityReport(
      segments: fidelity.starts.count, segment: segment, tensorLoss: fidelity.referenceLoss)
  }

  /// Tokens that are read and scored.
  public var scored: Int { fidelity.scored }

  /// The direct graph with everything kept, or the circuit where that would not fit into half of memory.
  ///
  /// - Returns: whether it fitted.
  @discardableResult
  public mutating func measureUnpruned(onCircuit: () -> Void = {}) throws -> Bool {
    do {
      try measure("unpruned", nil, EngineDescription(.direct(DirectOptions())), named: "unpruned")
      return true
    } catch is DirectError {
    } catch CompilerError.expansionTooLarge {}
    onCircuit()
    try measure("unpruned (circuit)", nil, EngineDescription(.circuit), named: "unpruned")
    return false
  }

  /// One graph of a curve.
  public mutating func measure(_ series: FidelitySeries, edges: Int) throws {
    try measure(
      series.name, edges, EngineDescription(.direct(series.options(keeping: edges)), dale: series.dale),
      named: "\(series.name), \(grouped(edges)) edges")
  }

  private mutating func measure(
    _ series: String, _ edges: Int?, _ description: EngineDescription, named name: String
  ) throws {
    let network = try description.network(from: weights, workers: workers)
    let single = Workers(threads: 1)
    let (progress, total) = (progress, fidelity.ownCount)
    let onSegment: @Sendable (Int) -> Void = { progress("\(name): segment", $0, total) }
    let measure = try fidelity.measure(afterSegment: onSegment) { try network.engine(workers: single) }
    var row = FidelityRow(
      series: series, edges: edges, measure: measure, interval: measure.interval(seed: seed))
    if case .direct(let graph) = network {
      row.synapses = (
        graph.count(of: .x), graph.count(of: .y), graph.count(of: .tokenX), graph.count(of: .tokenY),
        graph.plastic.count(neurons: graph.neuronCount, in: 0..<graph.nodeCount)
      )
    }
    report.rows.append(row)
    try onRow(row, report)
  }
}

/// A curve: what is done about what pruning cuts.
public struct FidelitySeries: Equatable, Sendable {
  public let name: String
  private let make: DirectOptions
  let dale: DaleLaw?

  private static var repairs: [(word: Substring, option: WritableKeyPath<DirectOptions, Bool>)] {
    [("rescale", \.rescales), ("prune-tokens", \.prunesTokens), ("excitatory-only", \.excitatoryOnly)]
  }

  /// The curve of these options, whatever number of edges they keep.
  public init(_ options: DirectOptions, dale: DaleLaw? = nil) {
    (make, self.dale) = (options, dale)
    var words = Self.repairs.filter { options[keyPath: $0.option] }.map(\.word)
    if case .strongestPerNeuron = options.kept { words.insert("per-neuron", at: 0) }
    if options.plastic == .complete { words.append("complete") }
    if options.hubs > 0 { words.append("hubs=\(options.hubs)") }
    if let dale { words.append("dale=\(dale.rawValue)") }
    name = words.isEmpty ? "plain" : words.joined(separator: "+")
  }

  /// A curve by its name: `plain`, or words joined by `+`. - Throws: ``FidelitySeriesError``.
  public init(named text: String) throws(FidelitySeriesError) {
    var (options, dale) = (DirectOptions(kept: .strongest(0)), DaleLaw?.none)
    for word in text.split(separator: "+", omittingEmptySubsequences: false) {
      if let repair = Self.repairs.first(where: { $0.word == word }) {
        options[keyPath: repair.option] = true
      } else if word == "per-neuron" {
        options.kept = .strongestPerNeuron(0)
      } else if word == "complete" {
        options.plastic = .complete
      } else if word.hasPrefix("hubs="), let hubs = Int(word.dropFirst(5)), hubs > 0 {
        options.hubs = hubs
      } else if word.hasPrefix("dale="), let law = DaleLaw(rawValue: String(word.dropFirst(5))), law != .shift
      {
        dale = law
      } else if word != "plain" {
        throw .unknown(word: String(word))
      }
    }
    self.init(options, dale: dale)
  }

  public func options(keeping edges: Int) -> DirectOptions {
    var options = make
    if case .strongestPerNeuron = options.kept {
      options.kept = .strongestPerNeuron(edges)
    } else {
      options.kept = .strongest(edges)
    }
    return options
  }
}

/// A curve that nobody knows.
public enum FidelitySeriesError: InputError, Equatable {
  case unknown(word: String)

  public var description: String {
    switch self {
    case .unknown(let word):
      "'\(word)' is none of plain, per-neuron, rescale, prune-tokens, excitatory-only, complete, hubs=R, dale=cut, dale=lot"
    }
  }
}

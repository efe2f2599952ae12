import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Steps a graph and the tensors over the same tokens and compares them quantity by quantity.
///
/// The relative difference of a quantity is max |a − b| / max |b| over its vector at one token and layer, b the tensor form (0 if both
/// are all zero). NaN anywhere, or a vector that is zero on one side only, is a divergence.
public struct Equivalence<Graph: SteppingEngine, Reference: SteppingEngine>
where Graph.Scalar == Reference.Scalar {
  private let graph: Graph
  private let tensors: Reference
  public private(set) var report: EquivalenceReport
  private let comparesEveryState: Bool
  private let predicts: Bool
  private let ranks: Ranks?
  private var sums = (agreements: 0, divergence: 0.0, lossTensor: 0.0, lossGraph: 0.0)

  /// 1e-4 in float32, 1e-10 in float64: room for sums taken in another order, too little for a wrong equation.
  public static var standardTolerance: Double { Graph.Scalar.self == Double.self ? 1e-10 : 1e-4 }

  /// Both engines must stand at the same position with the same history.
  ///
  /// - Parameter ranks: who has the other neurons of both; all ranks compare together, each the plastic weights that it has, and report the
  ///   same.
  public init(
    graph: Graph, tensors: Reference, tolerance: Double = standardTolerance, among ranks: Ranks? = nil
  ) {
    self.graph = graph
    self.tensors = tensors
    self.ranks = ranks
    report = EquivalenceReport(tolerance: tolerance)
    let sizes = tensors.hyperparameters
    report.hasHubs = sizes.synapticDimension > 0
    let sources = report.hasHubs ? sizes.synapticDimension : sizes.neurons + sizes.vocabulary
    comparesEveryState = sizes.layers * sizes.neurons * sources <= 10_000_000
    predicts = tensors.position > 0
  }

  /// Steps over the tokens; `afterToken` is called with the number of tokens done. - Throws: `TokenError`.
  public mutating func run(over tokens: [Int], afterToken: (Int) throws -> Void = { _ in }) throws {
    for (index, token) in tokens.enumerated() {
      if index > 0 || predicts { scorePrediction(of: token) }
      let position = tensors.position
      let ours = try graph.stepRecording(token).layers
      let theirs = try tensors.stepRecording(token).layers
      let comparesState = comparesEveryState || position % 64 == 63 || index == tokens.count - 1
      for layer in theirs.indices {
        compare(.x, ours[layer].x, theirs[layer].x, position, layer)
        compare(.a, ours[layer].a, theirs[layer].a, position, layer)
        if comparesState {
          let (a, b) = (graph.attentionState(layer: layer + 1), tensors.attentionState(layer: layer + 1))
          compare(.rho, a, b, position, layer)
        }
        compare(.y, ours[layer].y, theirs[layer].y, position, layer)
        compare(.v, ours[layer].v, theirs[layer].v, position, layer)
      }
      compare(.logits, graph.logits, tensors.logits, position, theirs.count - 1)
      comparePredictions()
      report.tokens += 1
      try afterToken(index + 1)
    }
    finish(scored: predicts ? tokens.count : tokens.count - 1)
  }

  private mutating func scorePrediction(of token: Int) {
    guard token >= 0, token < tensors.hyperparameters.vocabulary else { return }
    sums.lossTensor += Predictions(logits: tensors.logits).loss(of: token)
    sums.lossGraph += Predictions(logits: graph.logits).loss(of: token)
  }

  private mutating func comparePredictions() {
    let (ours, theirs) = (Predictions(logits: graph.logits), Predictions(logits: tensors.logits))
    sums.agreements += ours.mostLikely == theirs.mostLikely ? 1 : 0
    sums.divergence += theirs.divergence(from: ours)
  }

  private mutating func finish(scored: Int) {
    guard report.tokens > 0 else { return }
    report.top1Agreement = Double(sums.agreements) / Double(report.tokens)
    report.meanKL = sums.divergence / Double(report.tokens)
    guard scored > 0 else { return }
    report.lossTensor = sums.lossTensor / Double(scored)
    report.lossGraph = sums.lossGraph / Double(scored)
  }

  private mutating func compare(
    _ quantity: Quantity, _ a: [Graph.Scalar], _ b: [Graph.Scalar], _ token: Int, _ layer: Int
  ) {
    let difference = a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { VectorDifference(a, $0) } }
    record(quantity, difference, token, layer)
  }

  private mutating func compare(
    _ quantity: Quantity, _ a: Matrix<Graph.Scalar>, _ b: Matrix<Graph.Scalar>, _ token: Int, _ layer: Int
  ) {
    let here = VectorExtremes(
      UnsafeBufferPointer(start: a.pointer, count: a.count),
      UnsafeBufferPointer(start: b.pointer, count: b.count))
    record(quantity, VectorDifference(VectorExtremes(joining: ranks?.gather(here) ?? [here])), token, layer)
  }

  private mutating func record(
    _ quantity: Quantity, _ difference: VectorDifference, _ token: Int, _ layer: Int
  ) {
    guard let place = report.differences.firstIndex(where: { $0.quantity == quantity }) else { return }
    report.differences[place].comparisons += 1
    report.differences[place].maxAbsolute = max(report.differences[place].maxAbsolute, difference.absolute)
    report.differences[place].maxRelative = max(report.differences[place].maxRelative, difference.relative)
    guard report.firstDivergence == nil, !(difference.relative <= report.tolerance) else { return }
    let round =
      switch quantity {
      case .x: 4 * layer - 1
      case .a: 4 * layer
      case .rho: 4 * layer + 1
      case .y, .v, .logits: 4 * layer + 2
      }
    report.firstDivergence = Divergence(
      token: token, layer: layer + 1, round: round, quantity: quantity, index: difference.index)
  }
}

/// The difference of two vectors, b the reference. Infinite when lengths differ, nothing is there, anything is not finite, or one side
/// alone is zero.
struct VectorDifference: Equatable {
  private(set) var absolute = Double.infinity
  private(set) var relative = Double.infinity
  /// argmax |a − b|, or the first element that is not finite.
  let index: Int

  init(_ extremes: VectorExtremes) {
    index = extremes.index
    guard extremes.count > 0, extremes.agreeInLength, extremes.areFinite else { return }
    absolute = extremes.difference
    if extremes.reference > 0 && extremes.other > 0 { relative = absolute / extremes.reference }
    if extremes.reference == 0 && extremes.other == 0 { relative = 0 }
  }

  init<Scalar: NetworkScalar>(_ a: UnsafeBufferPointer<Scalar>, _ b: UnsafeBufferPointer<Scalar>) {
    self.init(VectorExtremes(a, b))
  }
}

/// What the difference of two vectors is made of; parts of vectors can be looked at apart, and joined.
struct VectorExtremes: BitwiseCopyable {
  private(set) var count = 0
  private(set) var agreeInLength = true
  private(set) var areFinite = true
  /// max |a − b|, max |b| and max |a|.
  private(set) var (difference, reference, other) = (0.0, 0.0, 0.0)
  /// argmax |a − b|, or the first element that is not finite.
  private(set) var index = 0

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  init<Scalar: NetworkScalar>(_ a: UnsafeBufferPointer<Scalar>, _ b: UnsafeBufferPointer<Scalar>) {
    (count, agreeInLength) = (b.count, a.count == b.count)
    guard agreeInLength else { return }
    var (scale, other, largest): (Scalar, Scalar, Scalar) = (0, 0, 0)
    for place in 0..<b.count {
      let difference = (a[place] - b[place]).magnitude
      guard difference.isFinite else {
        (areFinite, index) = (false, place)
        return
      }
      if difference > largest { (largest, index) = (difference, place) }
      scale = max(scale, b[place].magnitude)
      other = max(other, a[place].magnitude)
    }
    (self.difference, reference, self.other) = (Double(largest), Double(scale), Double(other))
  }

  /// Of vectors that lie one after the other.
  init(joining parts: [VectorExtremes]) {
    for part in parts {
      let isWorse = areFinite && (!part.areFinite || part.difference > difference)
      if isWorse { index = count + part.index }
      count += part.count
      agreeInLength = agreeInLength && part.agreeInLength
      areFinite = areFinite && part.areFinite
      difference = max(difference, part.difference)
      reference = max(reference, part.reference)
      other = max(other, part.other)
    }
  }
}

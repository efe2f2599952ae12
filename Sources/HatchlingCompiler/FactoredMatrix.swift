import HatchlingModel
import HatchlingNumerics

/// A matrix of neuron → neuron weights G = left · rightᵀ that is never formed: `G[target, source]` is the weight of the edge
/// source → target, the product of row `target` of `left` and row `source` of `right`.
///
/// G_x = D_x F and G_y = D_y F (Eq. 6) have n² entries and rank d; what is wanted of them is found block by block, see
/// ``select(_:sign:statistics:limit:workers:)``.
public struct FactoredMatrix<Scalar: NetworkScalar>: Sendable {
  /// `(targets, d)`: D_x or D_y.
  public let left: Matrix<Scalar>
  /// `(sources, d)`: Fᵀ, the rows of E (and of the embedding, for token neurons).
  public let right: Matrix<Scalar>
  /// The rows and columns of G that are looked at. Numbers of edges count from row 0 of `left` and `right` all the same.
  public let targets, sources: Range<Int>

  /// - Parameters targets, sources: the part of G that is looked at; all of it by default.
  public init(
    left: Matrix<Scalar>, right: Matrix<Scalar>, targets: Range<Int>? = nil, sources: Range<Int>? = nil
  ) {
    precondition(left.columns == right.columns, "factors of \(left.columns) and \(right.columns) columns")
    (self.left, self.right) = (left, right)
    self.targets = targets ?? 0..<left.rows
    self.sources = sources ?? 0..<right.rows
    precondition(self.targets.upperBound <= left.rows && self.sources.upperBound <= right.rows)
  }

  /// Which neurons the edges drive.
  public enum Drive: String, Sendable { case x, y }

  /// G_x or G_y between neurons.
  ///
  /// - Parameters:
  ///   - centred: F = P E (what the network computes) instead of E. Norm-free networks have nothing to centre.
  ///   - head: only the subgraph induced on that head.
  ///   - sender: with `head`, edges into its neurons from those of this head instead: G^(ab) of §5.5, a hears, b sends.
  /// - Cost: centring copies E.
  public init(
    _ drive: Drive, of weights: Weights<Scalar>, centred: Bool = true, head: Int? = nil,
    from sender: Int? = nil
  ) throws(CompilerError) {
    let isCentred = centred && weights.hyperparameters.variant.normalises
    let source = isCentred ? try CentrePass.run(weights) : weights
    let perHead = weights.hyperparameters.neuronsPerHead
    func neurons(of head: Int?) -> Range<Int>? { head.map { $0 * perHead..<($0 + 1) * perHead } }
    self.init(
      left: drive == .x ? weights.decoderX : weights.decoderY, right: source.encoder,
      targets: neurons(of: head), sources: neurons(of: sender ?? head))
  }

  /// d.
  public var rank: Int { left.columns }
  /// How many entries are looked at.
  public var count: Int { targets.count * sources.count }

  /// The same entries with sources and targets exchanged: Gᵀ.
  public var transposed: FactoredMatrix {
    FactoredMatrix(left: right, right: left, targets: sources, sources: targets)
  }

  /// How much of a square matrix is symmetric: ‖(G + Gᵀ) / 2‖² / ‖G‖², Frobenius norms; ½ for unrelated entries, 1 for a symmetric matrix, 0
  /// for a skew one. nil where sources are not targets or G is 0. Cost: three products of `d · d · n`.
  public var symmetricFraction: Double? {
    guard targets == sources else { return nil }
    func gram(_ a: Matrix<Scalar>, _ b: Matrix<Scalar>) -> Matrix<Scalar> {
      a.transposedTimes(b, rows: targets)
    }
    /// tr A B.
    func trace(_ a: Matrix<Scalar>, _ b: Matrix<Scalar>) -> Double {
      var sum = 0.0
      for row in 0..<rank {
        for column in 0..<rank { sum += Double(a[row, column]) * Double(b[column, row]) }
      }
      return sum
    }
    // ‖G‖² = tr(LᵀL RᵀR) and tr G² = tr((RᵀL)²).
    let cross = gram(right, left)
    let norm = trace(gram(left, left), gram(right, right))
    return norm > 0 ? (1 + trace(cross, cross) / norm) / 2 : nil
  }

  /// Writes the block `targets × sources` of G, row-major, on the calling thread.
  func multiply(targets: Range<Int>, sources: Range<Int>, into block: UnsafeMutablePointer<Scalar>) {
    BLAS.multiply(
      left.row(targets.lowerBound), by: right.row(sources.lowerBound), transposedB: true, into: block,
      m: targets.count, n: sources.count, k: rank)
  }
}

/// Which entries of a signed matrix are edges.
public enum EdgeSign: String, Sendable {
  /// Positive entries, the largest first: the excitatory graph.
  case excitatory
  /// Negative entries, the most negative first: the inhibitory graph.
  case inhibitory
  /// Both, the largest magnitude first.
  case both

  /// How strong an entry is as an edge of this sign; at most 0 where it is none.
  @inlinable
  public func strength<Scalar: NetworkScalar>(_ weight: Scalar) -> Scalar {
    switch self {
    case .excitatory: weight
    case .inhibitory: -weight
    case .both: weight.magnitude
    }
  }
}

/// How many edges are kept. An entry of strength 0 is never an edge.
public enum EdgeCriterion: Sendable, Equatable {
  /// The `count` strongest of the matrix.
  case strongest(Int)
  /// All with a strength of at least β.
  case atLeast(Double)
  /// The `count` strongest into each target.
  case strongestPerTarget(Int)
  /// The `count` strongest out of each source.
  case strongestPerSource(Int)
}

/// Edges that were kept, ordered by target, then by source; parallel arrays.
public struct SelectedEdges<Scalar: NetworkScalar>: Sendable {
  public var sources, targets: [Int32]
  /// Signed, as in the matrix.
  public var weights: [Scalar]

  public var count: Int { weights.count }

  public init(sources: [Int32] = [], targets: [Int32] = [], weights: [Scalar] = []) {
    precondition(sources.count == targets.count && targets.count == weights.count)
    (self.sources, self.targets, self.weights) = (sources, targets, weights)
  }

  /// The smallest strength that was kept; nil without edges.
  public var threshold: Scalar? { weights.lazy.map(\.magnitude).min() }

  /// Positions of the edges from the strongest to the weakest; equally strong ones by target, then source.
  public var strongestFirst: [Int] {
    weights.indices.sorted {
      weights[$0].magnitude != weights[$1].magnitude ? weights[$0].magnitude > weights[$1].magnitude : $0 < $1
    }
  }
}

import Foundation
import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// σ_l between pairs of neurons after a text, from its definition: σ_l(i, j) = Σ_τ z_τ(i) x̃_τ(j), damped, where z is the non-negative
/// trace that the direct form holds instead of the field (docs/equations.md, "the new trace") and x̃ the rotated activity.
///
/// The traces are computed from what the tensor engine records, y and nothing else of the state; the sum over tokens is never formed, it is
/// the factored matrix `x̃ᵀ z` of as many columns as tokens.
public struct SynapticState: Sendable {
  /// In which frame σ is seen.
  public enum Frame: String, Sendable, CaseIterable {
    /// σ_l R_t, t the token just read: what an activity would meet now (Eq. 4).
    case current
    /// σ_l as stored, co-rotating.
    case stored
  }

  /// Tokens that were read.
  public let tokens: Int
  private let sizes: Hyperparameters
  private let phases: Phases
  /// Per layer: z `(n + V, tokens)`, row = neuron, then token neurons; x̃ `(n, tokens)`.
  private let traces: [Int: Matrix<Float>]
  private let activities: [Int: Matrix<Float>]

  /// Reads a text from an empty state and keeps the factors of the given layers, numbered from 1.
  ///
  /// - Throws: `TokenError`; `CompilerError.lacksPlasticSynapses`; ``SynapticStateError/textTooLong`` when the factors would take more than half of memory.
  /// - Cost: stepping the text, and `(2n + V) · tokens` numbers per layer.
  public init(
    reading text: [Int], weights: Weights<Float>, layers: Set<Int>, workers: Workers,
    progress: (Int) -> Void = { _ in }
  ) throws {
    guard weights.plasticSynapses == nil else { throw CompilerError.lacksPlasticSynapses }
    sizes = weights.hyperparameters
    tokens = text.count
    phases = Phases(frequencies: weights.frequencies)
    let (n, vocabulary) = (sizes.neurons, sizes.vocabulary)
    let bytes = layers.count * (2 * n + vocabulary) * text.count * MemoryLayout<Float>.size
    let half = SynapticStateError.halfOfMemory
    guard bytes <= half else { throw SynapticStateError.textTooLong(bytes: bytes, half: half) }
    let z = layers.reduce(into: [:]) { $0[$1] = NumberStorage<Float>(zeros: (n + vocabulary) * text.count) }
    let x = layers.reduce(into: [:]) { $0[$1] = NumberStorage<Float>(zeros: n * text.count) }
    let engine = TensorEngine(weights, workers: workers)
    var recorder = try TraceRecorder(weights)
    for (time, token) in text.enumerated() {
      let recorded = try engine.stepRecording(token).layers
      let rotation = Rotation(phases, at: time)
      recorder.begin(token)
      for (index, layer) in recorded.enumerated() {
        if let z = z[index + 1]?.base, let x = x[index + 1]?.base {
          for neuron in 0..<n { z[neuron * text.count + time] = Float(recorder.neurons[neuron]) }
          z[(n + token) * text.count + time] = Float(recorder.token)
          for neuron in 0..<n {
            let (own, partners) = rotation.weights(neuron)
            x[neuron * text.count + time] = layer.x[neuron] * own + layer.x[neuron ^ 1] * partners
          }
        }
        recorder.advance(layer.y)
      }
      progress(time + 1)
    }
    for x in x.values { Self.damp(x.base, weights.damping, neurons: n, tokens: text.count) }
    traces = z.mapValues { Matrix(rows: n + vocabulary, columns: text.count, storage: $0) }
    activities = x.mapValues { Matrix(rows: n, columns: text.count, storage: $0) }
  }

  /// What token τ wrote counts (1 − u_j)^(tokens − τ) now.
  private static func damp(_ x: UnsafeMutablePointer<Float>, _ damping: [Float]?, neurons: Int, tokens: Int) {
    guard let damping else { return }
    for neuron in 0..<neurons where damping[neuron] != 0 {
      var power = 1.0
      for time in stride(from: tokens - 1, through: 0, by: -1) {
        power *= 1 - Double(damping[neuron])
        x[neuron * tokens + time] = Float(Double(x[neuron * tokens + time]) * power)
      }
    }
  }

  /// σ_l as a factored matrix: source i (a neuron, or n + token for token neurons) wrote, target j was active. Only neurons are looked
  /// at, of one head or of all. Several layers are added up.
  public func factored(
    layers: [Int], frame: Frame, head: Int? = nil, includingTokens: Bool = false
  ) -> FactoredMatrix<Float> {
    let known = layers.filter { traces[$0] != nil }
    let (n, perHead) = (sizes.neurons, sizes.neuronsPerHead)
    let part = head.map { $0 * perHead..<($0 + 1) * perHead } ?? 0..<n
    let left = known.compactMap { activities[$0].map { frame == .current ? turnedBack($0) : $0 } }
    return FactoredMatrix(
      left: Self.sideBySide(left, rows: n),
      right: Self.sideBySide(known.compactMap { traces[$0] }, rows: n + sizes.vocabulary), targets: part,
      sources: includingTokens ? 0..<n + sizes.vocabulary : part)
  }

  private static func sideBySide(_ matrices: [Matrix<Float>], rows: Int) -> Matrix<Float> {
    if matrices.count == 1 { return matrices[0] }
    let width = matrices.reduce(0) { $0 + $1.columns }
    var result = Matrix<Float>(rows: rows, columns: width)
    let target = result.mutablePointer()
    var place = 0
    for matrix in matrices {
      for row in 0..<rows {
        (target + row * width + place).update(from: matrix.row(row), count: matrix.columns)
      }
      place += matrix.columns
    }
    return result
  }

  /// Columns of σ_stored R_t, t the last token: the pairs of rows of x̃ᵀ turned by the transpose of R_t.
  private func turnedBack(_ x: Matrix<Float>) -> Matrix<Float> {
    guard tokens > 0 else { return x }
    let rotation = Rotation(phases, at: tokens - 1)
    var result = x
    let turned = result.mutablePointer()
    for neuron in 0..<sizes.neurons {
      let (own, partners) = rotation.weights(neuron, transposed: true)
      let (row, other) = (x.row(neuron), x.row(neuron ^ 1))
      for time in 0..<tokens { turned[neuron * tokens + time] = row[time] * own + other[time] * partners }
    }
    return result
  }
}

/// The rotation R_t of all neurons at one time.
private struct Rotation {
  private var cosines: [Float]
  private var sines: [Float]

  init(_ phases: Phases, at time: Int) {
    cosines = [Float](repeating: 1, count: phases.turnsPerToken.count)
    sines = [Float](repeating: 0, count: cosines.count)
    phases.fill(cosines: &cosines, sines: &sines, at: time)
  }

  /// What a neuron's own value and that of its partner, the other one of the pair, count.
  func weights(_ neuron: Int, transposed: Bool = false) -> (own: Float, partners: Float) {
    let sine = sines[(transposed ? neuron ^ 1 : neuron) % sines.count]
    return (cosines[neuron % cosines.count], neuron.isMultiple(of: 2) == transposed ? sine : -sine)
  }
}

/// The non-negative trace z of the direct form, followed through the layers of one token (docs/equations.md, "the new trace").
struct TraceRecorder {
  /// z on the neurons, `(n)`, and on the token neuron that was read; on the other token neurons it is 0.
  private(set) var neurons: [Double]
  private(set) var token = 0.0
  /// F z, `(d)`.
  private(set) var field: [Double]

  private let weights: Weights<Float>
  private let variant: Variant

  init(_ weights: Weights<Float>) throws(CompilerError) {
    variant = weights.hyperparameters.variant
    self.weights = variant.normalises ? try CentrePass.run(weights) : weights
    neurons = [Double](repeating: 0, count: weights.hyperparameters.neurons)
    field = [Double](repeating: 0, count: weights.hyperparameters.synapticDimension)
  }

  /// g(w) = sqrt(‖F w‖² / d + ε) of F w; 1 for norm-free networks.
  private func gain(_ image: [Double]) -> Double {
    guard variant.normalises else { return 1 }
    return (image.reduce(0) { $0 + $1 * $1 } / Double(image.count) + 1e-5).squareRoot()
  }

  /// z = 1_k / g(1_k).
  mutating func begin(_ token: Int) {
    for neuron in neurons.indices { neurons[neuron] = 0 }
    let row = weights.embedding.row(token)
    field = field.indices.map { Double(row[$0]) }
    let gain = gain(field)
    self.token = 1 / gain
    field = field.map { $0 / gain }
  }

  /// z ← (z + Y / g(Y)) / g(z + Y / g(Y)); with Definition 4, z ← Y / g(Y).
  mutating func advance(_ y: [Float]) {
    var image = [Double](repeating: 0, count: field.count)
    for neuron in y.indices where y[neuron] != 0 {
      let (row, activity) = (weights.encoder.row(neuron), Double(y[neuron]))
      for hub in image.indices { image[hub] += Double(row[hub]) * activity }
    }
    let inner = gain(image)
    image = image.map { $0 / inner }
    guard !variant.accumulatesActivity else {
      neurons = y.map { Double($0) / inner }
      (token, field) = (0, image)
      return
    }
    image = zip(field, image).map { $0 + $1 }
    let outer = gain(image)
    for neuron in y.indices { neurons[neuron] = (neurons[neuron] + Double(y[neuron]) / inner) / outer }
    token /= outer
    field = image.map { $0 / outer }
  }
}

/// A synaptic state that cannot be computed as asked.
public enum SynapticStateError: InputError, Equatable {
  case textTooLong(bytes: Int, half: Int)

  static var halfOfMemory: Int { Int(ProcessInfo.processInfo.physicalMemory / 2) }

  public var description: String {
    switch self {
    case .textTooLong(let bytes, let half):
      "σ after this text needs \(bytes >> 20) MB for its factors, more than half of memory (\(half >> 20) MB); use a shorter text or one layer"
    }
  }
}

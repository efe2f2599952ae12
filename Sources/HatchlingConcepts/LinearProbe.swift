import HatchlingNumerics

/// Ridge regression of the label on the mean activity of all neurons, x and y of all layers, every neuron in units of its own spread: what all
/// neurons together know. Found in the space of sentences, of which there are fewer than neurons.
public struct LinearProbe: Sendable {
  /// Mean and 1 / standard deviation of every neuron, 0 for one that never changes.
  private let means, scales: [Float]
  /// Standardised activity of the search sentences `(sentences, features)`.
  private let known: Matrix<Float>
  private let weights: [Double]
  /// What it says of every search sentence when it has not seen that sentence.
  public let leftOut: [Double]

  /// λ relative to the mean squared length of a sentence's activity.
  public static let ridge = 1.0

  /// Nil where nothing fires. Cost: sentences² × neurons × layers.
  public init?(_ scores: NeuronScores, _ sentences: SentenceTokens, labels: [Bool]) {
    let raw = Self.features(scores, sentences)
    let (rows, columns) = (raw.rows, raw.columns)
    var (means, scales) = ([Float](repeating: 0, count: columns), [Float](repeating: 0, count: columns))
    for row in 0..<rows {
      let values = raw.row(row)
      for column in 0..<columns { means[column] += values[column] / Float(rows) }
    }
    for row in 0..<rows {
      let values = raw.row(row)
      for column in 0..<columns {
        let difference = values[column] - means[column]
        scales[column] += difference * difference / Float(rows)
      }
    }
    scales = scales.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    guard scales.contains(where: { $0 > 0 }) else { return nil }
    (self.means, self.scales) = (means, scales)
    known = Self.standardised(raw, means, scales)
    let gram = known.times(known, transposed: true).map { Double($0) / Double(columns) }
    guard let eigen = SymmetricEigen(gram) else { return nil }
    let center = Double(labels.count { $0 }) / Double(rows)
    let targets = labels.map { ($0 ? 1 : 0) - center }
    let ridge = Self.ridge * (0..<rows).reduce(0) { $0 + gram[$1, $1] } / Double(rows)
    // (K + λ)⁻¹ y, and the diagonal of (K + λ)⁻¹ for the residuals of sentences left out.
    var (weights, diagonal) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: rows))
    for (index, value) in eigen.values.enumerated() {
      let vector = eigen.vectors.row(index)
      let share = 1 / (max(0, value) + ridge)
      let along = (0..<rows).reduce(0) { $0 + vector[$1] * targets[$1] } * share
      for row in 0..<rows {
        weights[row] += along * vector[row]
        diagonal[row] += share * vector[row] * vector[row]
      }
    }
    self.weights = weights
    leftOut = (0..<rows).map { targets[$0] - weights[$0] / diagonal[$0] }
  }

  /// What it says of other sentences.
  public func values(_ scores: NeuronScores, _ sentences: SentenceTokens) -> [Double] {
    let other = Self.standardised(Self.features(scores, sentences), means, scales)
    let gram = other.times(known, transposed: true)
    return (0..<other.rows).map { row in
      weights.indices.reduce(0) { $0 + weights[$1] * Double(gram[row, $1]) / Double(known.columns) }
    }
  }

  /// Mean activity, `(sentences, 2 L n)`.
  private static func features(_ scores: NeuronScores, _ sentences: SentenceTokens) -> Matrix<Float> {
    let parts = (scores.x + scores.y).compactMap { $0[.sum] }
    let n = parts.first?.columns ?? 0
    var result = Matrix<Float>(rows: sentences.count, columns: parts.count * n)
    let values = result.mutablePointer()
    for (place, part) in parts.enumerated() {
      for row in 0..<sentences.count {
        let (from, to) = (part.row(row), values + row * parts.count * n + place * n)
        let tokens = Float(max(1, sentences.tokens[row].count))
        for neuron in 0..<n { to[neuron] = from[neuron] / tokens }
      }
    }
    return result
  }

  private static func standardised(_ raw: Matrix<Float>, _ means: [Float], _ scales: [Float]) -> Matrix<Float>
  {
    var result = Matrix<Float>(rows: raw.rows, columns: raw.columns)
    let values = result.mutablePointer()
    for row in 0..<raw.rows {
      let (from, to) = (raw.row(row), values + row * raw.columns)
      for column in 0..<raw.columns { to[column] = (from[column] - means[column]) * scales[column] }
    }
    return result
  }
}

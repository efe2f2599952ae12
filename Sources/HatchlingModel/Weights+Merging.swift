import HatchlingCheckpoint
import HatchlingNumerics

/// Models that cannot be merged.
public enum MergeError: InputError, Equatable {
  /// `quantity` differs between two models, of which `first` is the first of all.
  case mismatch(quantity: String, model: String, value: String, first: String, expected: String)
  case tooFew

  public var description: String {
    switch self {
    case .mismatch(let quantity, let model, let value, let first, let expected):
      "\(model) has \(quantity) \(value) and \(first) has \(expected); only models that share it merge"
        .escaped
    case .tooFew: "merging takes at least two models"
    }
  }
}

extension Weights where Scalar == Float {
  /// Concatenates networks along n, head by head, and averages what has no n dimension (§7.1); no training afterwards.
  ///
  /// Block h of the result is block h of the first model, then of the second, …; N may differ, a missing damping counts as 0.
  /// Neurons keep their frequencies. `names` say in errors which model is meant. - Throws: ``MergeError``. Cost: one pass over all weights.
  public static func merged(_ models: [Weights<Float>], names: [String] = []) throws(MergeError) -> Weights {
    guard models.count > 1, let first = models.first else { throw .tooFew }
    func name(_ index: Int) -> String { index < names.count ? "'\(names[index])'" : "model \(index + 1)" }
    for (index, model) in models.enumerated() {
      try check(model.hyperparameters, name(index), first.hyperparameters, name(0))
    }
    var sizes = first.hyperparameters
    sizes.neurons = models.reduce(0) { $0 + $1.hyperparameters.neurons }
    let damping =
      models.contains { $0.damping != nil }
      ? interleaved(models.map(\.dampingColumn), sizes.heads).elements : nil
    let plasticSynapses =
      models.contains { $0.plasticSynapses != nil }
      ? interleaved(models.map(\.plasticMask), sizes.heads) : nil
    return Weights(
      hyperparameters: sizes, decoderX: interleaved(models.map(\.decoderX), sizes.heads),
      decoderY: interleaved(models.map(\.decoderY), sizes.heads),
      encoder: interleaved(models.map(\.encoder), sizes.heads), embedding: average(models.map(\.embedding)),
      readout: average(models.map(\.readout)), frequencies: models.flatMap(\.frequencies), damping: damping,
      plasticSynapses: plasticSynapses)
  }

  /// u, `(n, 1)`; zeros where the network has none.
  private var dampingColumn: Matrix<Float> {
    let n = hyperparameters.neurons
    return Matrix(rows: n, columns: 1, damping ?? [Float](repeating: 0, count: n))
  }

  /// Which plastic synapses exist, `(n, d)`, spelled out.
  private var plasticMask: Matrix<UInt8> {
    let (n, d) = (hyperparameters.neurons, hyperparameters.synapticDimension)
    return plasticSynapses ?? Matrix(rows: n, columns: d, [UInt8](repeating: 1, count: n * d))
  }

  private static func check(
    _ sizes: Hyperparameters, _ name: String, _ first: Hyperparameters, _ firstName: String
  ) throws(MergeError) {
    let quantities: [(String, String, String)] = [
      ("d =", "\(sizes.synapticDimension)", "\(first.synapticDimension)"),
      ("H =", "\(sizes.heads)", "\(first.heads)"), ("V =", "\(sizes.vocabulary)", "\(first.vocabulary)"),
      ("L =", "\(sizes.layers)", "\(first.layers)"),
      ("variant", sizes.variant.rawValue, first.variant.rawValue),
    ]
    for (quantity, value, expected) in quantities where value != expected {
      throw .mismatch(quantity: quantity, model: name, value: value, first: firstName, expected: expected)
    }
  }

  /// Rows of all matrices, one per neuron, head by head.
  private static func interleaved<Element>(_ matrices: [Matrix<Element>], _ heads: Int) -> Matrix<Element> {
    let columns = matrices[0].columns
    var result = Matrix<Element>(rows: matrices.reduce(0) { $0 + $1.rows }, columns: columns)
    var target = result.mutablePointer()
    for head in 0..<heads {
      for matrix in matrices {
        let count = matrix.rows / heads
        target.update(from: matrix.row(head * count), count: count * columns)
        target += count * columns
      }
    }
    return result
  }

  /// The mean of every element, summed in double.
  private static func average(_ matrices: [Matrix<Float>]) -> Matrix<Float> {
    var result = Matrix<Float>(rows: matrices[0].rows, columns: matrices[0].columns)
    let target = result.mutablePointer()
    for index in 0..<result.count {
      let sum = matrices.reduce(0.0) { $0 + Double($1.pointer[index]) }
      target[index] = Float(sum / Double(matrices.count))
    }
    return result
  }
}

import HatchlingModel
import HatchlingNumerics

/// The gradient of a loss with respect to every parameter, in the shapes of ``Weights``.
package struct Gradients<Scalar: NetworkScalar>: Sendable {
  /// `(n, d)`; of D_x, D_y and Eᵀ.
  package var decoderX, decoderY, encoder: Matrix<Scalar>
  /// `(V, d)`.
  package var embedding: Matrix<Scalar>
  /// `(d, V)`.
  package var readout: Matrix<Scalar>
  /// With respect to u, `(1, n)`; zero without damping.
  package var damping: Matrix<Scalar>

  package init(_ sizes: Hyperparameters) {
    let (n, d, v) = (sizes.neurons, sizes.synapticDimension, sizes.vocabulary)
    decoderX = Matrix(rows: n, columns: d)
    decoderY = Matrix(rows: n, columns: d)
    encoder = Matrix(rows: n, columns: d)
    embedding = Matrix(rows: v, columns: d)
    readout = Matrix(rows: d, columns: v)
    damping = Matrix(rows: 1, columns: n)
  }

  /// The five gradients that every network has, in the order of ``Weights/trained``.
  package var weights: [Matrix<Scalar>] { [decoderX, decoderY, encoder, embedding, readout] }
}

extension Gradients {
  /// Everything, in a fixed order.
  var all: [Matrix<Scalar>] { weights + [damping] }

  /// Write access to ``all``.
  mutating func mutablePointers() -> [UnsafeMutablePointer<Scalar>] {
    [
      decoderX.mutablePointer(), decoderY.mutablePointer(), encoder.mutablePointer(),
      embedding.mutablePointer(),
      readout.mutablePointer(), damping.mutablePointer(),
    ]
  }

  /// Adds another gradient. Cost: a pass over both.
  mutating func add(_ other: Gradients, _ workers: Workers) {
    for (target, source) in zip(mutablePointers(), other.all) {
      Self.forEachStretch(of: source.count, workers) { Self.add(source.pointer + $0, to: target + $0, $1) }
    }
  }

  /// Multiplies every entry.
  mutating func scale(by factor: Scalar, _ workers: Workers) {
    for (target, matrix) in zip(mutablePointers(), all) {
      Self.forEachStretch(of: matrix.count, workers) { Self.scale(target + $0, by: factor, $1) }
    }
  }

  private static func forEachStretch(
    of count: Int, _ workers: Workers, _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    let stretch = 1 << 14
    workers.run(blocks: (count + stretch - 1) / stretch) {
      body($0 * stretch, min(stretch, count - $0 * stretch))
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func add(
    _ source: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>, _ count: Int
  ) {
    for index in 0..<count { target[index] += source[index] }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func scale(_ target: UnsafeMutablePointer<Scalar>, by factor: Scalar, _ count: Int) {
    for index in 0..<count { target[index] *= factor }
  }
}

extension Weights {
  /// The five trained matrices, in the order of ``Gradients/weights``.
  package var trained: [Matrix<Scalar>] {
    get { [decoderX, decoderY, encoder, embedding, readout] }
    set {
      decoderX = newValue[0]
      decoderY = newValue[1]
      encoder = newValue[2]
      embedding = newValue[3]
      readout = newValue[4]
    }
  }

  /// N(0, 0.02) everywhere, as the public code begins; frequencies of the formula, no damping.
  public static func untrained(_ sizes: Hyperparameters, seed: UInt64) -> Weights {
    var random = SeededRandom(seed: seed)
    func normal(_ rows: Int, _ columns: Int) -> Matrix<Scalar> {
      var matrix = Matrix<Scalar>(rows: rows, columns: columns)
      let values = matrix.mutablePointer()
      for index in 0..<matrix.count { values[index] = Scalar(Float(random.normal() * 0.02)) }
      return matrix
    }
    let (n, d, v) = (sizes.neurons, sizes.synapticDimension, sizes.vocabulary)
    return Weights(
      hyperparameters: sizes, decoderX: normal(n, d), decoderY: normal(n, d), encoder: normal(n, d),
      embedding: normal(v, d), readout: normal(d, v),
      frequencies: Phases.publicFrequencies(neuronsPerHead: sizes.neuronsPerHead))
  }
}

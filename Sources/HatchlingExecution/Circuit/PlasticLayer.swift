import HatchlingDynamics
import HatchlingGraph
import HatchlingNumerics

/// The plastic synapses of one layer: what is stored on them, and what is still to be written.
///
/// Hebbian writes are deferred: every neuron keeps its last 16 rotated activities, its *history*, and the layer keeps the fields of
/// the last 16 tokens. A weight is ρ + Σ_τ field_τ · history_τ (each term damped by its age), and is read as exactly that sum. A
/// block of neurons is settled, i.e. written, once in 16 tokens, at positions that depend on the block's number alone.
struct PlasticLayer<Scalar: NetworkScalar>: Sendable {
  /// ρ as stored, `(n, d)`.
  var weights: Matrix<Scalar>
  /// The token as of which each row is stored, `(1, n)`: its damping since then is pending. Nil without damping.
  var stamps: Matrix<Int64>?
  /// X̃ of the last tokens that are not in the row yet, `(n, 16)`, slot τ mod 16, zero where there is none; nil when writes are not
  /// deferred.
  var history: Matrix<Scalar>?
  /// The field v of the last 16 tokens, `(16, d)`, slot τ mod 16.
  var fields: Matrix<Scalar>?

  init(neurons: Int, hubs: Int, damped: Bool, defers: Bool) {
    weights = Matrix(rows: neurons, columns: hubs)
    stamps = damped ? Matrix(rows: 1, columns: neurons) : nil
    history = defers ? Matrix(rows: neurons, columns: Scalar.slots) : nil
    fields = defers ? Matrix(rows: Scalar.slots, columns: hubs) : nil
  }

  /// Back to nothing stored. Memory that nobody else holds is cleared in place: its pages have been paid for.
  mutating func clear() {
    let (n, d) = (weights.rows, weights.columns)
    let rows = open()
    rows.weights.update(repeating: 0, count: n * d)
    rows.stamps?.update(repeating: 0, count: n)
    rows.history?.update(repeating: 0, count: n * Scalar.slots)
    rows.fields?.update(repeating: 0, count: Scalar.slots * d)
  }

  /// Addresses for one token's rounds; nobody else may hold the matrices meanwhile.
  struct Pointers: @unchecked Sendable {
    let weights: UnsafeMutablePointer<Scalar>
    let stamps: UnsafeMutablePointer<Int64>?
    let history: UnsafeMutablePointer<Scalar>?
    let fields: UnsafeMutablePointer<Scalar>?
  }

  mutating func open() -> Pointers {
    Pointers(
      weights: weights.mutablePointer(), stamps: stamps?.mutablePointer(),
      history: history?.mutablePointer(), fields: fields?.mutablePointer())
  }

  /// Writes what is pending on the listed neurons as of token `position`: damping, then the history in the order of its tokens.
  /// - Parameter factors: scratch, one number per listed neuron.
  static func settle(
    _ rows: Pointers, _ list: UnsafePointer<Int32>, count: Int, at position: Int, _ damping: Damping<Scalar>?,
    factors: UnsafeMutablePointer<Scalar>, d: Int
  ) {
    if let damping, let stamps = rows.stamps {
      damping.age(list, count: count, stamps, to: position, into: factors)
      Scalar.scaleRows(rows.weights, list, factors, count: count, d: d)
    }
    guard let history = rows.history, let fields = rows.fields else { return }
    Scalar.settleRows(
      rows.weights, list, count: count, history: history, from: position % Scalar.slots, fields: fields,
      keep: damping?.ages(at: position), d: d)
  }

  /// A copy in which nothing is pending, as of a moment.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func settled(at moment: PlasticMoment, _ damping: Damping<Scalar>?) -> Matrix<Scalar> {
    var copy = self
    let written = copy.takeWrite(of: moment)
    copy.settleAll(at: moment.asOf, damping)
    copy.put(written, of: moment)
    return copy.weights
  }

  private mutating func settleAll(at position: Int, _ damping: Damping<Scalar>?) {
    let (n, d) = (weights.rows, weights.columns)
    let list = NumberStorage<Int32>(zeros: n)
    let factors = NumberStorage<Scalar>(zeros: n)
    var count = n
    if damping == nil {
      guard let history else { return }
      count = Scalar.listRemembering(history.pointer, 0..<n, into: list.base)
    } else {
      for neuron in 0..<n { list.base[neuron] = Int32(neuron) }
    }
    guard count > 0 else { return }
    Self.settle(open(), list.base, count: count, at: position, damping, factors: factors.base, d: d)
  }

  /// Inside a token, after its write and before its damping, what the token wrote has no age: it is taken out of the histories, which count
  /// ages from 1, and added at the end. Returns the activities that wrote, `(n)`.
  private mutating func takeWrite(of moment: PlasticMoment) -> [Scalar] {
    guard moment.isWritten && !moment.isForgotten, let history = open().history else { return [] }
    let slot = moment.position % Scalar.slots
    return (0..<weights.rows).map { neuron in
      let place = neuron * Scalar.slots + slot
      defer { history[place] = 0 }
      return history[place]
    }
  }

  private mutating func put(_ written: [Scalar], of moment: PlasticMoment) {
    guard !written.isEmpty else { return }
    let (rows, d) = (open(), weights.columns)
    guard let fields = rows.fields else { return }
    let fired = written.indices.filter { written[$0] != 0 }.map { Int32($0) }
    Scalar.hebb(
      rows.weights, fired, fired.map { written[Int($0)] }, count: fired.count,
      fields + moment.position % Scalar.slots * d, d: d)
  }

  /// Writes what is pending on one neuron.
  mutating func settle(_ neuron: NeuronIndex, at position: Int, _ damping: Damping<Scalar>?) {
    let d = weights.columns
    var (number, factor) = (Int32(neuron.index), Scalar(0))
    Self.settle(open(), &number, count: 1, at: position, damping, factors: &factor, d: d)
  }

  /// One weight with everything that is pending. Cost: O(1), or O(d) where writes are deferred.
  func weight(
    from hub: HubIndex, to neuron: NeuronIndex, at moment: PlasticMoment, _ damping: Damping<Scalar>?
  )
    -> Scalar
  {
    guard history != nil else {
      let stored = weights.pointer[neuron.index * weights.columns + hub.index]
      guard let damping, let stamps else { return stored }
      return stored * damping.kept(by: neuron.index, after: moment.asOf - Int(stamps.pointer[neuron.index]))
    }
    let row = PlasticLayer(row: neuron.index, of: self)
    let one = stamps == nil ? nil : damping.map { $0.only(neuron.index) }
    return row.settled(at: moment, one)[0, hub.index]
  }

  /// The synapses of a single neuron, copied.
  private init(row: Int, of layer: PlasticLayer) {
    func copy<Element>(_ matrix: Matrix<Element>, _ row: Int) -> Matrix<Element> {
      Matrix(
        rows: 1, columns: matrix.columns,
        UnsafeBufferPointer(start: matrix.row(row), count: matrix.columns))
    }
    weights = copy(layer.weights, row)
    stamps = layer.stamps.map { Matrix(rows: 1, columns: 1, CollectionOfOne($0[0, row])) }
    history = layer.history.map { copy($0, row) }
    fields = layer.fields
  }
}

extension PlasticMoment {
  /// The token as of which weights are settled: what this token's write is damped by counts once the token is forgotten.
  var asOf: Int { isForgotten ? position + 1 : position }
}

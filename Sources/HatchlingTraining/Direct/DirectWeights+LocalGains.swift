import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

extension DirectWeights {
  /// The same synapses with gains that need no hubs, as close to this network as a scalar per normaliser can be.
  ///
  /// R = F W_out. Where token neurons differ in their gain 1 / g(1_k), it moves into their synapses. κ of every normaliser is the geometric
  /// mean of g through hubs, less ε, over the root mean square of the pool, on up to 8 × 128 bytes of `text`; a norm-free network
  /// stays the network it was. Cost: a forward pass over these bytes, and (n + V) d V multiplications.
  public func withLocalGains(calibratedOn text: [UInt8], workers: Workers = Workers()) -> DirectWeights {
    guard gains == .hubs else { return self }
    let (n, d, v) = (sizes.neurons, sizes.synapticDimension, sizes.vocabulary)
    let traces = tokenTraces
    let calibration = Calibration(self, text, traces, workers)
    var result = self
    result.sizes.synapticDimension = 0
    result.field = Matrix(rows: n + v, columns: 0)
    var readout = Matrix<Scalar>(rows: n + v, columns: v)
    BLAS.multiply(
      field.pointer, by: self.readout.pointer, into: readout.mutablePointer(), m: n + v, n: v, k: d)
    for token in 0..<v {
      let scale = Scalar(traces[token] / calibration.trace)
      for target in 0..<v { readout[n + token, target] *= scale }
      for neuron in 0..<n {
        result.tokensX[neuron, token] *= scale
        result.tokensY[neuron, token] *= scale
      }
    }
    result.readout = readout
    result.logGains = Matrix(
      rows: 1, columns: calibration.logGains.count, calibration.logGains.map { Scalar($0) })
    return result
  }

  /// The first trace of every token's neuron, 1 / g(1_k), `(V)`.
  private var tokenTraces: [Double] {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    guard sizes.variant.normalises else { return [Double](repeating: 1, count: sizes.vocabulary) }
    return (0..<sizes.vocabulary).map { token in
      let row = field.row(n + token)
      let squares = (0..<d).reduce(0.0) { $0 + Double(row[$1]) * Double(row[$1]) }
      return 1 / (squares / Double(d) + NormaliserNode.epsilon).squareRoot()
    }
  }
}

/// What gains through hubs are on the beginning of a text, beside the mean squares of the pools that local gains would hear.
private struct Calibration<Scalar: NetworkScalar> {
  /// The first trace that all token neurons are to have: the geometric mean over the bytes read.
  private(set) var trace = 1.0
  private(set) var logGains: [Double]
  private var counts: [Int]

  init(_ weights: DirectWeights<Scalar>, _ text: [UInt8], _ traces: [Double], _ workers: Workers) {
    let sizes = weights.sizes
    logGains = [Double](repeating: 0, count: sizes.variant.normaliserCount(heads: sizes.heads))
    counts = [Int](repeating: 0, count: logGains.count)
    let block = min(128, text.count - 1)
    guard block > 0, !logGains.isEmpty else { return }
    let batch = min(8, (text.count - 1) / block)
    let tokens = text.prefix(batch * block + 1).map { Int($0) }
    trace = Double.exp(tokens.reduce(0.0) { $0 + Double.log(traces[$1]) } / Double(tokens.count))
    let pass = DirectPass(weights, batch: batch, block: block, workers: workers)
    _ = pass.forward(
      weights,
      TrainingBatch(
        tokens: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()),
        positions: [Int](repeating: 0, count: batch)))
    for stream in pass.streams { measure(stream, traces) }
    for place in logGains.indices where counts[place] > 0 { logGains[place] /= Double(counts[place]) }
    // A token's neuron is alone in its pool.
    note(
      NormaliserKind.embedding.place(of: sizes.heads), gain: trace, squares: 1,
      pool: sizes.neurons + sizes.vocabulary)
  }

  private mutating func measure(_ stream: DirectStream<Scalar>, _ traces: [Double]) {
    let (n, heads, block) = (stream.n, stream.heads, stream.block)
    let nodes = n + stream.sizes.vocabulary
    for tape in stream.tapes {
      for token in 0..<block {
        func squares(_ rows: Range<Int>, _ value: (Int) -> Scalar) -> Double {
          rows.reduce(0.0) { sum, row in
            let value = Double(value(row * block + token))
            return sum + value * value
          }
        }
        for head in 0..<heads {
          let heard = squares(head * stream.perHead..<(head + 1) * stream.perHead) {
            tape.x.base[$0] > 0 ? tape.drive.base[$0] : 0
          }
          note(
            NormaliserKind.attention.place(head: head, of: heads),
            gain: Double(tape.heardGain.base[head * block + token]), squares: heard,
            pool: stream.perHead)
        }
        note(
          NormaliserKind.encoding.place(of: heads), gain: Double(tape.encodedGain.base[token]),
          squares: squares(0..<n) { tape.y.base[$0] },
          pool: nodes)
        guard !stream.sizes.variant.accumulatesActivity else { continue }
        let gain = Double(tape.fieldGain.base[token])
        let own = Double(tape.tokenTrace.base[token]) * trace / traces[stream.tokens[token]]
        let after = squares(0..<n) { tape.trace.base[$0] } + own * own
        note(
          NormaliserKind.residual.place(of: heads), gain: gain, squares: after / (gain * gain), pool: nodes)
      }
    }
  }

  /// A gain 1 / g through hubs of a vector whose pool has these squares. Silence, of which g is √ε, says nothing.
  private mutating func note(_ place: Int, gain: Double, squares: Double, pool: Int) {
    let heard = 1 / (gain * gain) - NormaliserNode.epsilon
    guard heard > 1e-7, squares > 0 else { return }
    logGains[place] += 0.5 * Double.log(heard / (squares / Double(pool)))
    counts[place] += 1
  }
}

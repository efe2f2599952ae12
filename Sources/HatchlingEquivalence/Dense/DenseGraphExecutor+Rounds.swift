import Foundation
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// The equations of the direct graph, one token at a time.
extension DenseGraphExecutor {
  /// Wherever a probe may look, a kernel ends.
  public var kernels: [Kernel<DenseGraphExecutor>] {
    let parts = schedule.parts
    return [
      Kernel("receive", schedule.input) { executor, _, _ in executor.receiveToken() },
      Kernel("hear", parts.hear) { executor, _, _ in
        executor.multiply(
          executor.synapsesX, by: { _ in UnsafePointer(executor.z.base) }, into: executor.driveX.base)
      },
      Kernel("activate, rotate", parts.turn) { $0.activateAndRotate(&$2) },
      Kernel("read", parts.read) { executor, layer, _ in executor.read(layer) },
      Kernel("write", parts.write) { executor, layer, _ in executor.write(layer) },
      Kernel("forget", parts.forget) { executor, layer, _ in executor.forget(layer) },
      Kernel("listen", parts.listen) { executor, _, _ in executor.listen() },
      Kernel("gate", parts.gate + parts.field) { $0.gate(&$2) },
      Kernel("read out", schedule.readout) { executor, _, _ in executor.readOut() },
    ]
  }

  /// z = 1_k / g(1_k).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func receiveToken() {
    z.base.update(repeating: 0, count: nodeCount)
    z.base[neuronCount + token] = 1
    through(z.base, into: v.base)
    divide(z, by: localGain(z, .embedding) ?? gain(v.base))
    through(z.base, into: v.base)
  }

  /// X = (G_x z)₊, added up in Definition 4; X̃ = R_t X.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func activateAndRotate(_ activity: inout StepActivity) {
    for neuron in 0..<neuronCount {
      let drive = max(0, driveX.base[neuron])
      x.base[neuron] = schedule.variant.accumulatesActivity ? x.base[neuron] + drive : drive
    }
    for neuron in 0..<neuronCount {
      let partner = Int(neurons.partners[neuron])
      guard partner >= 0 else {
        rotated.base[neuron] = x.base[neuron]
        continue
      }
      // t f is exact in double for every t below 2²⁹.
      let turns = Double(neurons.frequencies[neuron]) * Double(position)
      let phase = 2 * Double.pi * (turns - turns.rounded(.down))
      let (cosine, sine) = (Scalar(cos(phase)), Scalar(sin(phase)))
      let turned = neurons.leads[neuron] ? -sine : sine
      rotated.base[neuron] = x.base[neuron] * cosine + x.base[partner] * turned
    }
    activity.activeX.append((0..<neuronCount).count { x.base[$0] > 0 })
  }

  /// A_h = σ_l[:, h] X̃_h.
  func read(_ layer: Int) {
    for (head, range) in neurons.heads.enumerated() {
      BLAS.multiply(
        sigma[layer - 1].row(range.lowerBound), transposed: true, rows: range.count, columns: nodeCount,
        by: rotated.base + range.lowerBound, into: attention.base + head * nodeCount)
    }
  }

  /// σ_l ← σ_l + z X̃ᵀ where there are synapses.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func write(_ layer: Int) {
    let (rows, m) = (sigma[layer - 1].mutablePointer(), nodeCount)
    eachBlock { neurons in
      for neuron in neurons where self.rotated.base[neuron] != 0 {
        let (row, z, activity) = (rows + neuron * m, self.z.base, self.rotated.base[neuron])
        if let present = self.mask?.row(neuron) {
          for node in 0..<m where present[node] != 0 { row[node] += z[node] * activity }
        } else {
          for node in 0..<m { row[node] += z[node] * activity }
        }
      }
    }
  }

  /// σ_l ← σ_l Λ.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func forget(_ layer: Int) {
    guard neurons.isDamped else { return }
    let (rows, m) = (sigma[layer - 1].mutablePointer(), nodeCount)
    eachBlock { neurons in
      for neuron in neurons {
        let (row, kept) = (rows + neuron * m, Scalar(1 - Double(self.neurons.damping[neuron])))
        for node in 0..<m { row[node] *= kept }
      }
    }
  }

  /// F A_h, and G_y A_h / g(A_h), h the head of each neuron.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func listen() {
    let (m, d) = (nodeCount, hubCount)
    multiply(
      synapsesY, by: { UnsafePointer(self.attention.base + self.head(of: $0) * m) }, into: driveY.base)
    for (head, range) in neurons.heads.enumerated() {
      through(attention.base + head * m, into: a.base + head * d)
      let gain = localGain(driveY, .attention, head: head, range) ?? gain(a.base + head * d)
      for neuron in range { driveY.base[neuron] /= gain }
    }
  }

  /// Y = (G_y A / g)₊ ⊙ X; z ← (z + Y / g(Y)) / g(z + Y / g(Y)), in Definition 4 Y / g(Y).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func gate(_ activity: inout StepActivity) {
    let n = neuronCount
    update.base.update(repeating: 0, count: nodeCount)
    for neuron in 0..<n {
      y.base[neuron] = max(0, driveY.base[neuron]) * x.base[neuron]
      update.base[neuron] = y.base[neuron]
    }
    activity.activeY.append((0..<n).count { y.base[$0] > 0 })
    through(update.base, into: encoded.base)
    divide(update, by: localGain(update, .encoding) ?? gain(encoded.base))
    through(update.base, into: encoded.base)
    if schedule.variant.accumulatesActivity {
      z.base.update(from: update.base, count: nodeCount)
    } else {
      for node in 0..<nodeCount { z.base[node] += update.base[node] }
      through(z.base, into: v.base)
      divide(z, by: localGain(z, .residual) ?? gain(v.base))
    }
    through(z.base, into: v.base)
  }

  /// W_outᵀ F z, or Rᵀ z.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func readOut() {
    let heard = localGains == nil ? v : z
    for token in logits.indices {
      logits[token] = (0..<heard.count).reduce(0) { $0 + readout[$1, token] * heard.base[$1] }
    }
  }

  // MARK: Products

  /// w → F w, `(d)`.
  private func through(_ nodes: UnsafePointer<Scalar>, into hubs: UnsafeMutablePointer<Scalar>) {
    BLAS.multiply(
      field.pointer, transposed: true, rows: nodeCount, columns: hubCount, by: nodes, into: hubs)
  }

  /// g(w) = sqrt(‖F w‖² / d + ε) of F w; 1 in a norm-free network.
  private func gain(_ hubs: UnsafePointer<Scalar>) -> Scalar {
    guard schedule.variant.normalises else { return 1 }
    let squares = (0..<hubCount).reduce(0.0) { $0 + Double(hubs[$1]) * Double(hubs[$1]) }
    return Scalar((squares / Double(hubCount) + 1e-5).squareRoot())
  }

  /// sqrt(κ² ‖w‖² / N + ε) of the values of a pool, of neurons those with x > 0; nil where gains go through hubs.
  private func localGain(
    _ values: NumberStorage<Scalar>, _ kind: NormaliserKind, head: Int = 0, _ neurons: Range<Int>? = nil
  ) -> Scalar? {
    guard let localGains else { return nil }
    guard schedule.variant.normalises else { return 1 }
    let kappa = Double(localGains[kind.place(head: head, of: self.neurons.heads.count)])
    let pool = neurons ?? 0..<values.count
    var squares = 0.0
    for index in pool where neurons == nil || x.base[index] > 0 {
      let value = kappa * Double(values.base[index])
      squares += value * value
    }
    return Scalar((squares / Double(pool.count) + 1e-5).squareRoot())
  }

  private func divide(_ nodes: NumberStorage<Scalar>, by gain: Scalar) {
    for node in 0..<nodes.count { nodes.base[node] /= gain }
  }

  private func head(of neuron: Int) -> Int { neurons.heads.firstIndex { $0.contains(neuron) } ?? 0 }

  /// Rows of a matrix times a vector that may differ from head to head.
  private func multiply(
    _ matrix: Matrix<Scalar>, by vector: (Int) -> UnsafePointer<Scalar>,
    into target: UnsafeMutablePointer<Scalar>
  ) {
    for range in neurons.heads {
      let (source, blocks) = (vector(range.lowerBound), (range.count + 255) / 256)
      workers.run(blocks: blocks) { block in
        let first = range.lowerBound + block * 256
        BLAS.multiply(
          matrix.row(first), rows: min(256, range.upperBound - first), columns: matrix.columns, by: source,
          into: target + first)
      }
    }
  }

  /// Calls `body` with blocks of neurons, side by side.
  private func eachBlock(_ body: (Range<Int>) -> Void) {
    workers.run(blocks: (neuronCount + 255) / 256) { block in
      body(block * 256..<min(neuronCount, (block + 1) * 256))
    }
  }
}

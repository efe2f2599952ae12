import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

/// σ of one layer of one stream between two blocks.
struct DirectLayerState<Scalar: NetworkScalar> {
  /// σ of every synapse of G_x, in their order, `(synapses)`; nil in the first layer, where neurons have no trace yet.
  let edges: UnsafeMutablePointer<Scalar>?
  /// σ from every token neuron, `(n, V)`, row = the neuron whose X̃ writes it.
  let tokens: UnsafeMutablePointer<Scalar>
}

/// σ of all streams between two blocks. O(synapses) per stream.
///
/// A block finds in one half what there is as it begins and leaves in the other what there is as the next one begins: the way back needs
/// what was found. A stream at position 0 begins with nothing, whatever stands here.
package final class DirectStates<Scalar: NetworkScalar> {
  /// Per layer, σ of the synapses of all streams, `(B, synapses)`, and from tokens, `(B, n, V)`.
  private struct Half {
    var edges: [NumberStorage<Scalar>]
    let tokens: [NumberStorage<Scalar>]
  }

  private let sizes: Hyperparameters
  private let batch: Int
  private var edgeCount: Int
  private var before, after: Half

  package init(_ weights: DirectWeights<Scalar>, batch: Int) {
    (sizes, self.batch, edgeCount) = (weights.sizes, batch, weights.edgesX.count)
    let (sizes, edges) = (sizes, batch * edgeCount)
    func half() -> Half {
      Half(
        edges: (1..<max(1, sizes.layers)).map { _ in NumberStorage(zeros: edges) },
        tokens: (0..<sizes.layers).map { _ in
          NumberStorage(zeros: batch * sizes.neurons * sizes.vocabulary)
        })
    }
    (before, after) = (half(), half())
  }

  /// What a stream's block finds in a layer, and where it leaves what the next one finds.
  func found(_ layer: Int, stream: Int) -> DirectLayerState<Scalar> { state(before, layer, stream) }
  func left(_ layer: Int, stream: Int) -> DirectLayerState<Scalar> { state(after, layer, stream) }

  private func state(_ half: Half, _ layer: Int, _ stream: Int) -> DirectLayerState<Scalar> {
    DirectLayerState(
      edges: layer == 0 ? nil : half.edges[layer - 1].base + stream * edgeCount,
      tokens: half.tokens[layer].base + stream * sizes.neurons * sizes.vocabulary)
  }

  /// What the last block left is what the next one finds.
  package func turn() { swap(&before, &after) }

  /// Follows an exchange of synapses of G_x: those that stay keep their σ, new ones begin at 0.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func move(_ exchange: SynapseExchange) {
    let count = exchange.origins.count
    for layer in before.edges.indices {
      let (old, moved) = (before.edges[layer], NumberStorage<Scalar>(zeros: batch * count))
      for stream in 0..<batch {
        let (from, to) = (old.base + stream * edgeCount, moved.base + stream * count)
        for (place, origin) in exchange.origins.enumerated() where origin >= 0 { to[place] = from[origin] }
      }
      before.edges[layer] = moved
      after.edges[layer] = NumberStorage(zeros: batch * count)
    }
    edgeCount = count
  }

  /// What lies between two blocks, in bytes.
  var bytes: Int {
    (before.edges + before.tokens).reduce(0) { $0 + $1.count } * MemoryLayout<Scalar>.stride
  }

  // MARK: Checkpoints

  /// Every array of a checkpoint by its name, `(B, synapses)` and `(B · n, V)`.
  private var parts: [(name: String, rows: Int, storage: NumberStorage<Scalar>)] {
    before.edges.enumerated().map { ("carried.edges.\($0 + 2)", batch, $1) }
      + before.tokens.enumerated().map { ("carried.tokens.\($0 + 1)", batch * sizes.neurons, $1) }
  }

  func arrays() -> [String: StateArray] {
    Dictionary(
      uniqueKeysWithValues: parts.filter { $0.storage.count > 0 }.map {
        ($0.name, .make(Matrix(rows: $0.rows, columns: $0.storage.count / $0.rows, storage: $0.storage)))
      })
  }

  /// - Throws: `StateError` for arrays that are missing or of another shape.
  func restore(_ state: SavedState) throws {
    for (name, rows, storage) in parts where storage.count > 0 {
      let saved: Matrix<Scalar> = try state.matrix(name, rows: rows, columns: storage.count / rows)
      storage.base.update(from: saved.pointer, count: storage.count)
    }
  }
}

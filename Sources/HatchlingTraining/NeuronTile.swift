import HatchlingModel
import HatchlingNumerics

/// A run of neurons of one head whose synapses fit into the innermost cache together. Tiles depend on the sizes of the network alone.
struct NeuronTile: Sendable {
  /// Number of its first neuron, of all n.
  let first: Int
  let count, head: Int

  /// About 32 KB of float32 synapses each, 64 … 256 neurons.
  static func cut(_ sizes: Hyperparameters) -> [NeuronTile] {
    let width = max(64, min(256, 8192 / sizes.synapticDimension / 16 * 16))
    let perHead = sizes.neuronsPerHead
    return (0..<sizes.heads).flatMap { head in
      stride(from: 0, to: perHead, by: width).map { first in
        NeuronTile(first: head * perHead + first, count: min(width, perHead - first), head: head)
      }
    }
  }
}

/// Which neurons of each tile are active at each token: the sparse side of the activity.
///
/// Tile by tile, then token by token, packed; only as much memory is touched as there is activity.
final class ActiveNeurons<Scalar: NetworkScalar> {
  let rows: Int
  /// `(tiles, rows + 1)`: where a token's entries begin, from the tile's own beginning.
  let offsets: NumberStorage<Int>
  /// Numbers inside the tile.
  let neurons: NumberStorage<Int32>

  /// - Parameter neurons: n; room for `rows · n` entries is reserved, not touched.
  init(rows: Int, neurons n: Int, tiles: Int) {
    self.rows = rows
    offsets = NumberStorage(zeros: tiles * (rows + 1))
    neurons = NumberStorage(zeros: rows * n)
  }

  /// Where the entries of a tile begin in every array of this layout.
  @inline(__always)
  func start(of tile: NeuronTile) -> Int { rows * tile.first }

  @inline(__always)
  func offsets(of index: Int) -> UnsafeMutablePointer<Int> { offsets.base + index * (rows + 1) }

  @inline(__always)
  func list(of tile: NeuronTile) -> UnsafeMutablePointer<Int32> { neurons.base + start(of: tile) }

  /// All entries of all tiles.
  func count(tiles: Int) -> Int { (0..<tiles).reduce(0) { $0 + offsets(of: $1)[rows] } }
}

/// What one layer keeps from the forward pass for the backward pass. R = B · T rows, one per token.
final class LayerTape<Scalar: NetworkScalar> {
  /// x, `(R, n)`.
  let x: NumberStorage<Scalar>
  /// Neurons whose drive D_x v is positive.
  let driven: ActiveNeurons<Scalar>
  /// Neurons with x > 0: they listen for y. The same lists as ``driven`` where x does not accumulate.
  let listening: ActiveNeurons<Scalar>
  /// Neurons with y > 0 that dropout left.
  let firing: ActiveNeurons<Scalar>
  /// Beside ``firing``: y; m x and m (D_y LN(a))₊ with the dropout factor m, whose product it is.
  let y, drive, gate: NumberStorage<Scalar>
  /// LN(a), `(R, H, d)`, and its gains, `(R, H)`.
  let heard, heardGain: NumberStorage<Scalar>
  /// Strictly lower scores inside chunks, `(B, H, T, chunk)`.
  let scores: NumberStorage<Scalar>
  /// ρ at the beginning of every chunk and at the end, `(chunks + 1, B, n, d)`.
  let states: NumberStorage<Scalar>
  /// LN(E y), `(R, d)`, and its gains, `(R)`.
  let encoded, encodedGain: NumberStorage<Scalar>
  /// v after the layer, `(R, d)`, and the gains of its LN, `(R)`.
  let field, fieldGain: NumberStorage<Scalar>

  init(_ sizes: Hyperparameters, _ shape: PassShape, tiles: Int) {
    let (n, d, rows) = (sizes.neurons, sizes.synapticDimension, shape.rows)
    x = NumberStorage(zeros: rows * n)
    driven = ActiveNeurons(rows: rows, neurons: n, tiles: tiles)
    listening =
      sizes.variant.accumulatesActivity ? ActiveNeurons(rows: rows, neurons: n, tiles: tiles) : driven
    firing = ActiveNeurons(rows: rows, neurons: n, tiles: tiles)
    y = NumberStorage(zeros: rows * n)
    drive = NumberStorage(zeros: rows * n)
    gate = NumberStorage(zeros: rows * n)
    heard = NumberStorage(zeros: rows * sizes.heads * d)
    heardGain = NumberStorage(zeros: rows * sizes.heads)
    scores = NumberStorage(zeros: rows * sizes.heads * shape.chunk)
    states = NumberStorage(zeros: (shape.chunks + 1) * shape.batch * n * d)
    encoded = NumberStorage(zeros: rows * d)
    encodedGain = NumberStorage(zeros: rows)
    field = NumberStorage(zeros: rows * d)
    fieldGain = NumberStorage(zeros: rows)
  }
}

/// The sizes of one pass.
package struct PassShape: Equatable, Sendable {
  /// B, streams.
  package let batch: Int
  /// T, tokens per stream.
  package let block: Int
  /// Tokens per chunk.
  package let chunk: Int

  package init(batch: Int, block: Int, chunk: Int) {
    (self.batch, self.block) = (batch, block)
    self.chunk = min(chunk, block)
  }

  /// R = B · T.
  package var rows: Int { batch * block }
  /// Chunks per stream; the last one may be shorter.
  package var chunks: Int { (block + chunk - 1) / chunk }
}

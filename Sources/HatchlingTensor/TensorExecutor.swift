import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// The tensor formulation: the equations of the paper's Appendix E (docs/equations.md) as dense products. The oracle that the graph is
/// compared with.
///
/// Tokens are read one at a time (`step`), in chunks that are quadratic inside and linked through ρ (`read`), or all at once from an empty
/// state (`parallel`).
public typealias TensorEngine<Scalar: NetworkScalar> = Run<TensorExecutor<Scalar>>

/// Executes the schedule of the circuit as dense products, one token at a time.
///
/// Neurons are cut into blocks by the size of the network alone and partial sums added in one order (`BlockSums`), so results are the same to the
/// last bit for any number of threads.
public final class TensorExecutor<Scalar: NetworkScalar>: Executor {
  public let weights: Weights<Scalar>
  public let hyperparameters: Hyperparameters
  public let schedule: Schedule
  public internal(set) var logits: [Scalar]

  let workers: Workers
  let fingerprint: String
  let phases: Phases
  /// All blocks of the network; those of other ranks are empty here. Numbers of neurons count from the first that is here.
  let blocks: [NeuronBlock]
  /// The numbers of the blocks that are here.
  let ownBlocks: Range<Int>
  /// The blocks of each head.
  let blocksOfHead: [Range<Int>]
  /// With whom sums over blocks are completed, where other ranks have the other neurons.
  let exchange: LayerExchange<Scalar>?
  /// 1 − u, `(n)`; nil without damping.
  let keep: [Scalar]?

  /// ρ of each layer, `(n, d)`: row i is column i of the paper's ρ, in the co-rotating frame, after this token's damping.
  var attention: [Matrix<Scalar>]

  // One token: what drives x and y, x, rotated x, y `(n)`; a and LN(a) `(H, d)`; v, E y `(d)`; what each block sends to the field `(blocks, d)`.
  var token = 0
  let held: ParticleValues<Scalar>
  let driveX: NumberStorage<Scalar>
  let driveY: NumberStorage<Scalar>
  let x: NumberStorage<Scalar>
  let rotated: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let a: NumberStorage<Scalar>
  let heard: NumberStorage<Scalar>
  let v: NumberStorage<Scalar>
  let encoded: NumberStorage<Scalar>
  let gains: NumberStorage<Scalar>
  let partial: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>

  /// - Parameters:
  ///   - fingerprint: of the model, kept in saved states.
  ///   - ranks: who has the other neurons, where the weights are a part of a network's; all ranks make theirs together.
  ///
  /// Cost: ρ is `L · n · d` numbers whose pages are touched when written.
  public init(
    _ weights: Weights<Scalar>, workers: Workers = Workers(), fingerprint: String = "", ranks: Ranks? = nil
  ) {
    self.weights = weights
    self.workers = workers
    self.fingerprint = fingerprint
    hyperparameters = weights.hyperparameters
    let sizes = weights.hyperparameters
    // What is here.
    var here = sizes
    here.neurons = weights.decoderX.rows
    let (n, d) = (here.neurons, sizes.synapticDimension)
    schedule = .circuit(layers: sizes.layers, variant: sizes.variant)
    phases = Phases(frequencies: weights.frequencies)
    let shares = BlockShares(sizes, ranks: ranks?.size ?? 1)
    if let ranks {
      // Cut as the circuit is, so that a rank has the same neurons of both.
      precondition(shares.neurons(of: ranks.rank).count == n, "\(n) neurons are another rank's")
      let own = shares.ofRank[ranks.rank]
      let first = weights.part?.neurons.lowerBound ?? 0
      ownBlocks = own
      blocks = shares.blocks.enumerated().map { $1.counted(from: first, isHere: own.contains($0)) }
    } else {
      // About 32 blocks of at least 128 neurons each, by the size of the network alone.
      blocks = NeuronBlock.cut(
        (0..<sizes.heads).map { $0 * sizes.neuronsPerHead..<($0 + 1) * sizes.neuronsPerHead },
        size: max(128, ((n + 31) / 32 + 15) / 16 * 16))
      ownBlocks = blocks.indices
    }
    blocksOfHead = NeuronBlock.ofHeads(blocks, heads: sizes.heads)
    keep = weights.damping.map { $0.map { Scalar(1 - Double($0)) } }
    attention = (0..<sizes.layers).map { _ in Matrix(rows: n, columns: d) }
    logits = [Scalar](repeating: 0, count: sizes.vocabulary)
    var held = ParticleValues<Scalar>(here)
    driveX = held.keep(.driveX)
    driveY = held.keep(.driveY)
    x = held.keep(.x)
    rotated = held.keep(.rotated)
    y = held.keep(.y)
    a = held.keep(.a)
    heard = held.keep(.heard)
    v = held.keep(.v)
    encoded = held.keep(.encoded)
    gains = held.keep(.gains)
    held.check([.driveX] + (sizes.variant.accumulatesActivity ? [.x] : []) + [.a, .driveY, .encoded, .v])
    self.held = held
    partial = NumberStorage(zeros: blocks.count * d)
    exchange = ranks.map { [blocksOfHead, partial] ranks in
      LayerExchange(
        shares, among: ranks, toHubs: PartialSums(partial.base, width: d), heads: blocksOfHead,
        lacksPlasticSynapses: ranks.sum([weights.plasticSynapses == nil ? 0 : 1])[0] > 0)
    }
    cosines = NumberStorage(zeros: sizes.neuronsPerHead)
    sines = NumberStorage(zeros: sizes.neuronsPerHead)
  }

  public func begin(_ token: Int, at position: Int) {
    self.token = token
    gains.base.update(repeating: 0, count: gains.count)
    if phases.rotates { phases.fill(cosines: cosines.base, sines: sines.base, at: position) }
    if schedule.variant.accumulatesActivity {
      x.base.update(repeating: 0, count: x.count)
    }
  }

  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    preconditionFailure("the tensors have no way to do: \(operation.summary)")
  }

  public func reset() {
    attention = attention.map { Matrix(rows: $0.rows, columns: $0.columns) }
    logits = [Scalar](repeating: 0, count: hyperparameters.vocabulary)
  }
}

extension Run {
  /// - Parameters:
  ///   - fingerprint: of the model, kept in saved states.
  ///   - ranks: who has the other neurons, where the weights are a part of a network's; all ranks make theirs together.
  ///
  /// Cost: see ``TensorExecutor``.
  public convenience init<Number: NetworkScalar>(
    _ weights: Weights<Number>, workers: Workers = Workers(), fingerprint: String = "", ranks: Ranks? = nil
  ) where Engine == TensorExecutor<Number> {
    self.init(TensorExecutor(weights, workers: workers, fingerprint: fingerprint, ranks: ranks))
  }
}

import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Many tokens at once: quadratic inside a chunk, linked to the past through ρ.
extension Run {
  /// Reads `tokens` in chunks and returns the prediction after each of them, `(tokens, V)`. The state goes on from where it is and is
  /// afterwards what ``step(_:)`` would have left, up to rounding.
  ///
  /// Chunks end at multiples of `chunk` of the stream's position. A text that is split elsewhere gives the same values to rounding, not
  /// to the bit. Cost per token and layer: `d · n` multiplications for D_x, `chunk · n / 2` for scores, and `d` for every synapse row
  /// of a neuron that fired (ρ read and written), listened (D_y) or answered (E); memory: `2 · chunk · n` numbers, with damping
  /// `6 · chunk · n`, and `chunk · d` per block of neurons, whatever the length of the stream.
  /// - Throws: `TokenError` before anything is read; ``TensorError``; `NotFiniteError`, after which the state is of no use until it is reset.
  public func read<Number: NetworkScalar>(_ tokens: [Int], chunk: Int = 128) throws -> Matrix<Number>
  where Engine == TensorExecutor<Number> {
    guard !isWatched else { throw TensorError.watched }
    let result = try executor.read(tokens, at: position, chunk: chunk, carriesState: true)
    if let last = tokens.indices.last {
      let row = UnsafeBufferPointer(start: result.row(last), count: result.columns)
      adopt(position: position + tokens.count, logits: Array(row))
    }
    return result
  }

  /// The parallel form: all of `tokens` as one quadratic block from an empty state, ρ never formed; `(tokens, V)`. The engine's own
  /// state is neither used nor changed. Cost per layer: `tokens² · n / 2` multiplications; memory: that of a chunk of all tokens, and
  /// `H · tokens²` scores.
  /// - Throws: as ``read(_:chunk:)``.
  public func parallel<Number: NetworkScalar>(_ tokens: [Int]) throws -> Matrix<Number>
  where Engine == TensorExecutor<Number> {
    try executor.read(tokens, at: 0, chunk: max(1, tokens.count), carriesState: false)
  }
}

extension TensorExecutor {
  func read(
    _ tokens: [Int], at start: Int, chunk: Int, carriesState: Bool, look: ChunkPass<Scalar>.Look? = nil
  ) throws -> Matrix<Scalar> {
    precondition(chunk > 0, "a chunk holds at least one token")
    precondition(exchange == nil, "ranks read one token after another")
    guard weights.plasticSynapses == nil else { throw TensorError.missingPlasticSynapses }
    let vocabulary = hyperparameters.vocabulary
    for (offset, token) in tokens.enumerated() where !(0..<vocabulary).contains(token) {
      throw TokenError(token: token, vocabulary: vocabulary, position: start + offset)
    }
    var result = Matrix<Scalar>(rows: tokens.count, columns: vocabulary)
    let rows = result.mutablePointer()
    let pass = ChunkPass(self, capacity: min(chunk, tokens.count), carriesState: carriesState, look: look)
    var done = 0
    while done < tokens.count {
      let at = start + done
      let count = min(chunk - at % chunk, tokens.count - done)
      pass.run(tokens[done..<done + count], at: at, logits: rows + done * vocabulary)
      if let (row, layer, quantity) = pass.failure {
        throw NotFiniteError(
          token: tokens[done + row], position: at + row, layer: layer, quantity: quantity)
      }
      done += count
    }
    return result
  }
}

/// What the tensor formulation cannot do.
public enum TensorError: InputError, Equatable {
  /// Scores between tokens assume that every neuron's ρ is whole; a network without some plastic synapses runs token by token.
  case missingPlasticSynapses
  /// Probes look at one token at a time.
  case watched

  public var description: String {
    if self == .watched { return "a network that is watched reads token by token; detach its probes or step" }
    return
      "this network lacks some plastic synapses, so tokens cannot be read many at a time; step them one by one"
  }
}

/// One pass of a chunk of tokens through all rounds of the schedule. Neurons are cut into the engine's blocks, scores into tiles of tokens;
/// both depend on sizes alone and are added in one order.
final class ChunkPass<Scalar: NetworkScalar>: RoundPerformer {
  private let engine: TensorExecutor<Scalar>
  private let sizes: Hyperparameters
  private let carriesState: Bool
  private let scores: ChunkScores<Scalar>
  /// (1 − u)^k, `(capacity + 1, n)`; nil without damping.
  private let powers: NumberStorage<Scalar>?

  // The chunk that is read.
  private var tokens: ArraySlice<Int> = []
  private var position = 0
  private var logits: UnsafeMutablePointer<Scalar>?
  /// The first token at which something is not a finite number, and the first such quantity there.
  private(set) var failure: (row: Int, layer: Int?, quantity: Quantity)?
  /// The first token at which each block's drives are not finite numbers, `(blocks)`.
  private let firstWrong: NumberStorage<Int>

  // x, X̃ and scaled copies `(tokens, n)`; field `(tokens, d)`; attention `(H, tokens, d)`; shares of blocks `(blocks, tokens, d)`.
  private let x: NumberStorage<Scalar>
  private let rotated: NumberStorage<Scalar>
  private let scaled: NumberStorage<Scalar>
  private let field: NumberStorage<Scalar>
  private let attention: NumberStorage<Scalar>
  private let shares: NumberStorage<Scalar>
  private let lists: ActiveLists<Scalar>
  typealias Look = (Int, UnsafePointer<Scalar>, UnsafePointer<Scalar>) -> Bool
  private let look: Look?
  /// y, `(tokens, n)`, kept only for somebody who looks.
  private let y: NumberStorage<Scalar>?
  private let cosines: NumberStorage<Scalar>
  private let sines: NumberStorage<Scalar>

  /// - Parameter carriesState: whether ρ is read and written; otherwise the chunk is all there is.
  init(_ engine: TensorExecutor<Scalar>, capacity: Int, carriesState: Bool, look: Look? = nil) {
    self.engine = engine
    self.look = look
    self.carriesState = carriesState
    sizes = engine.hyperparameters
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    powers = engine.weights.damping.map { Self.powers(of: $0, upTo: capacity) }
    x = NumberStorage(zeros: capacity * n)
    y = look.map { _ in NumberStorage(zeros: capacity * n) }
    rotated = NumberStorage(zeros: capacity * n)
    scaled = NumberStorage(zeros: powers == nil ? 0 : capacity * n)
    field = NumberStorage(zeros: capacity * d)
    attention = NumberStorage(zeros: sizes.heads * capacity * d)
    shares = NumberStorage(zeros: engine.blocks.count * capacity * d)
    lists = ActiveLists(blocks: engine.blocks.count)
    firstWrong = NumberStorage(zeros: engine.blocks.count)
    cosines = NumberStorage(zeros: capacity * sizes.neuronsPerHead)
    sines = NumberStorage(zeros: capacity * sizes.neuronsPerHead)
    scores = ChunkScores(sizes, capacity: capacity, powers: powers)
  }

  private static func powers(of damping: [Float], upTo count: Int) -> NumberStorage<Scalar> {
    let powers = NumberStorage<Scalar>(zeros: (count + 1) * damping.count)
    for (neuron, u) in damping.enumerated() {
      var power = 1.0
      for exponent in 0...count {
        powers.base[exponent * damping.count + neuron] = Scalar(power)
        power *= 1 - Double(u)
      }
    }
    return powers
  }

  /// - Parameter logits: `(tokens, V)`, written.
  func run(_ tokens: ArraySlice<Int>, at position: Int, logits: UnsafeMutablePointer<Scalar>) {
    (self.tokens, self.position, self.logits) = (tokens, position, logits)
    let schedule = engine.schedule
    var activity = StepActivity(activeX: [], activeY: [])
    Plan(schedule.input, on: self, kernels: kernels).run(layer: 0, &activity)
    let layer = Plan(schedule.layerOperations, on: self, kernels: kernels)
    for number in 1...sizes.layers {
      layer.run(layer: number, &activity)
      if failure == nil, let look, let y, !look(number, x.base, y.base) { return }
      guard let failure else { continue }
      // What followed would reach earlier tokens: 0 times infinity is no number.
      self.tokens = self.tokens.prefix(failure.row)
      if failure.row == 0 { return }
    }
    Plan(schedule.readout, on: self, kernels: kernels).run(layer: 0, &activity)
  }

  /// What a chunk does in one go.
  var kernels: [Kernel<ChunkPass>] {
    let (schedule, parts) = (engine.schedule, engine.schedule.parts)
    return [
      Kernel("receive", schedule.input) { pass, _, _ in pass.receive() },
      Kernel("activate, rotate, read", parts.hear + parts.turn + parts.read) { pass, layer, _ in
        pass.activateAndRead(layer)
      },
      Kernel(
        "write, forget, listen, gate, encode", parts.write + parts.forget + parts.listen + parts.gate
      ) { pass, layer, _ in pass.writeAndGate(layer) },
      Kernel("update the field", parts.field) { pass, layer, _ in pass.updateField(pass.tokens.count, layer)
      },
      Kernel("read out", schedule.readout) { pass, _, _ in pass.readOut() },
    ]
  }

  func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    preconditionFailure("chunks have no way to do: \(operation.summary)")
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func receive() {
    let (count, d, perHead) = (tokens.count, sizes.synapticDimension, sizes.neuronsPerHead)
    for (row, token) in tokens.enumerated() {
      (field.base + row * d).update(from: engine.weights.embedding.row(token), count: d)
      LayerNorm.apply(field.base + row * d, count: d, if: sizes.variant.normalises)
      if engine.phases.rotates {
        engine.phases.fill(
          cosines: cosines.base + row * perHead, sines: sines.base + row * perHead, at: position + row)
      }
    }
    if sizes.variant.accumulatesActivity { x.base.update(repeating: 0, count: count * sizes.neurons) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func activateAndRead(_ layer: Int) {
    let count = tokens.count
    let rho = carriesState ? engine.attention[layer - 1].mutablePointer() : nil
    engine.workers.run(blocks: engine.blocks.count) { index in
      activateX(index, count)
      if let rho { readPast(rho, index, count) }
    }
    noteDrives(.driveX, layer)
    if sizes.variant.accumulatesActivity {
      note(.x, layer) { Scalar.areFinite(x.base + $0 * sizes.neurons, sizes.neurons) }
    }
    attend(count)
    let d = sizes.synapticDimension
    note(.a, layer) { row in
      (0..<sizes.heads).allSatisfy { Scalar.areFinite(attention.base + ($0 * count + row) * d, d) }
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func writeAndGate(_ layer: Int) {
    let (count, d) = (tokens.count, sizes.synapticDimension)
    let rho = carriesState ? engine.attention[layer - 1].mutablePointer() : nil
    engine.workers.run(blocks: sizes.heads) { head in
      for row in head * count..<(head + 1) * count {
        LayerNorm.apply(attention.base + row * d, count: d, if: sizes.variant.normalises)
      }
    }
    engine.workers.run(blocks: engine.blocks.count) { index in
      if let rho { write(rho, engine.blocks[index], count) }
      activateYAndEncode(index, count)
    }
    noteDrives(.driveY, layer)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func readOut() {
    guard let logits else { return }
    BLAS.multiply(
      field.base, by: engine.weights.readout.pointer, into: logits, m: tokens.count, n: sizes.vocabulary,
      k: sizes.synapticDimension)
    note(.logits, nil) { Scalar.areFinite(logits + $0 * sizes.vocabulary, sizes.vocabulary) }
  }

  /// Remembers the first token at which a quantity is not finite, where no earlier token has failed.
  private func note(_ quantity: Quantity, _ layer: Int?, where isFinite: (Int) -> Bool) {
    let rows = 0..<(failure?.row ?? tokens.count)
    if let row = rows.first(where: { !isFinite($0) }) { failure = (row, layer, quantity) }
  }

  private func noteDrives(_ quantity: Quantity, _ layer: Int) {
    let first = (0..<firstWrong.count).map { firstWrong.base[$0] }.min() ?? .max
    note(quantity, layer) { $0 < first }
  }

  /// X = (V D_xᵀ)₊ and X̃ of one block, for all tokens.
  private func activateX(_ index: Int, _ count: Int) {
    let block = engine.blocks[index]
    let (n, d, perHead) = (sizes.neurons, sizes.synapticDimension, sizes.neuronsPerHead)
    let (first, width) = (block.neurons.lowerBound, block.neurons.count)
    Scalar.dotBlock(
      engine.weights.decoderX.row(first), rows: width, field.base, count: count, d: d,
      into: rotated.base + first, stride: n)
    firstWrong.base[index] = .max
    for row in 0..<count {
      let (drive, activity) = (rotated.base + row * n + first, x.base + row * n + first)
      if !Scalar.areFinite(drive, width) { firstWrong.base[index] = min(firstWrong.base[index], row) }
      if sizes.variant.accumulatesActivity {
        for neuron in 0..<width { activity[neuron] += max(0, drive[neuron]) }
      } else {
        for neuron in 0..<width { activity[neuron] = max(0, drive[neuron]) }
      }
      engine.rotate(activity, into: drive, block, cosines.base + row * perHead, sines.base + row * perHead)
    }
  }

  /// One block's share of what the chunk's tokens read from ρ as it was before the chunk: the rows of neurons that fired.
  private func readPast(_ rho: UnsafeMutablePointer<Scalar>, _ index: Int, _ count: Int) {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    let share = shares.base + index * count * d
    share.update(repeating: 0, count: count * d)
    let queries = scaledActivity(engine.blocks[index], count) { row in row }
    let lists = lists.part(index)
    forEachTile(of: engine.blocks[index]) { tile, offset in
      for row in 0..<count {
        let active = Scalar.rotateAndCollect(
          queries + row * n + offset, nil, nil, tile, listening: lists.positive, fired: lists.active,
          sent: lists.values)
        Scalar.addRows(rho, lists.active, lists.values, count: active.fired, d: d, into: share + row * d)
      }
    }
  }

  /// Some neurons of a block at a time, few enough for their rows to stay in the cache while all tokens pass.
  private func forEachTile(of block: NeuronBlock, _ body: (Range<Int>, Int) -> Void) {
    for first in stride(
      from: block.neurons.lowerBound, to: block.neurons.upperBound, by: ActiveLists<Scalar>.room)
    {
      let end = min(first + ActiveLists<Scalar>.room, block.neurons.upperBound)
      body(first..<end, first - block.neurons.lowerBound)
    }
  }

  /// A_h = what was read from before the chunk + (strictly lower scores) V.
  private func attend(_ count: Int) {
    let width = count * sizes.synapticDimension
    for (head, blocks) in engine.blocksOfHead.enumerated() {
      let sums = attention.base + head * width
      if carriesState, let read = BlockSums.add(shares.base, blocks: blocks, width: width) {
        sums.update(from: read, count: width)
      } else {
        sums.update(repeating: 0, count: width)
      }
    }
    scores.attend(rotated.base, field.base, count, into: attention.base, engine.workers)
  }

  /// ρ ← ρ Λ^c + Σ_τ v_τ x̃_τᵀ Λ^(c − τ) on the rows of one block, c the number of tokens.
  private func write(_ rho: UnsafeMutablePointer<Scalar>, _ block: NeuronBlock, _ count: Int) {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    if let powers {
      for neuron in block.neurons {
        let keep = powers.base[count * n + neuron]
        if keep != 1 { for hub in 0..<d { rho[neuron * d + hub] *= keep } }
      }
    }
    let keys = scaledActivity(block, count) { row in count - row }
    Scalar.writeChunk(
      rho + block.neurons.lowerBound * d, rows: block.neurons.count, keys: keys, stride: n, count: count,
      fields: field.base, d: d)
  }

  /// X̃ of one block, row `τ` times (1 − u)^exponent(τ); X̃ itself without damping.
  private func scaledActivity(
    _ block: NeuronBlock, _ count: Int, exponent: (Int) -> Int
  ) -> UnsafePointer<Scalar> {
    let (n, first) = (sizes.neurons, block.neurons.lowerBound)
    guard let powers else { return UnsafePointer(rotated.base + first) }
    for row in 0..<count {
      let (source, target) = (rotated.base + row * n + first, scaled.base + row * n + first)
      let keep = powers.base + exponent(row) * n + first
      for neuron in 0..<block.neurons.count { target[neuron] = source[neuron] * keep[neuron] }
    }
    return UnsafePointer(scaled.base + first)
  }

  /// Y = (LN(A_h) D_yᵀ)₊ ⊙ X where X > 0, and the block's share of Y Eᵀ where Y > 0.
  private func activateYAndEncode(_ index: Int, _ count: Int) {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    let block = engine.blocks[index]
    let (share, heard) = (shares.base + index * count * d, attention.base + block.head * count * d)
    share.update(repeating: 0, count: count * d)
    let lists = lists.part(index)
    firstWrong.base[index] = .max
    forEachTile(of: block) { tile, _ in
      for row in 0..<count {
        let activity = x.base + row * n
        let listening = Scalar.rotateAndCollect(
          activity + tile.lowerBound, nil, nil, tile, listening: lists.positive, fired: lists.active,
          sent: lists.values
        ).listening
        Scalar.dotList(
          engine.weights.decoderY.pointer, lists.positive, count: listening, heard + row * d, d: d,
          into: lists.values)
        if !Scalar.areFinite(lists.values, listening) {
          firstWrong.base[index] = min(firstWrong.base[index], row)
        }
        var active = 0
        for place in 0..<listening {
          let (neuron, drive) = (lists.positive[place], lists.values[place])
          lists.active[active] = neuron
          lists.values[active] = drive * activity[Int(neuron)]
          active += drive > 0 ? 1 : 0
        }
        if let y {
          let seen = y.base + row * n
          (seen + tile.lowerBound).update(repeating: 0, count: tile.count)
          for place in 0..<active { seen[Int(lists.active[place])] = lists.values[place] }
        }
        Scalar.addRows(
          engine.weights.encoder.pointer, lists.active, lists.values, count: active, d: d,
          into: share + row * d)
      }
    }
  }

  /// v ← LN(v + LN(E y)), or LN(E y) without a residual, for every token.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func updateField(_ count: Int, _ layer: Int) {
    let d = sizes.synapticDimension
    BlockSums.add(shares.base, blocks: engine.blocks.indices, width: count * d)
    note(.encoded, layer) { Scalar.areFinite(shares.base + $0 * d, d) }
    for row in 0..<count { engine.updateField(field.base + row * d, with: shares.base + row * d) }
    note(.v, layer) { Scalar.areFinite(field.base + $0 * d, d) }
  }
}

import Foundation
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport

/// A random small network over a random text, in every form that there is: all agree with the tensors in double.
///
/// A tolerance that fits all networks would be too wide for most: LN divides by √(variance + 1e-5), so where almost nothing arrives it
/// may make a rounding 316 times as large, layer after layer. So the network itself says how much it makes of a rounding: the
/// tensors run again, ``shakes`` times, with every weight, and ρ after every token, off by up to half a unit in the last place of float32,
/// and the most that this changes is what one rounding may do. A form rounds in many places, hence ``room``.
struct RandomNetworks {
  /// What was compared, and whether the network could be: one whose numbers overflow, or that makes more than a hundredth of a float's
  /// rounding, is compared in double alone or not at all.
  struct Outcome {
    var comparisons = 0
    var isFinite = true
    var isTameInFloat = true
    /// The largest difference in units of the tolerance.
    var largest = 0.0
  }

  private static let one = Workers(threads: 1)
  private static let room = 64.0
  /// One alone may happen to cancel, ten times smaller than others.
  private static let shakes = 8

  private let floats: Weights<Float>
  private let weights: Weights<Double>
  private let tokens: [Int]
  private let expected: [Reading]
  private let tolerance: (double: Double, float: Double)
  private var outcome = Outcome()

  /// All that a token did.
  private struct Reading {
    var quantities: [[Double]]
    var logits: [Double]
  }

  static func compare(_ input: [UInt8]) throws -> Outcome {
    var choices = Choices(input)
    do {
      guard var networks = try RandomNetworks(&choices) else { return Outcome(isFinite: false) }
      try networks.compareAll(&choices)
      return networks.outcome
    } catch let error as any InputError { throw FuzzFailure("a legal network was refused: \(error)") }
  }

  private init?(_ choices: inout Choices) throws {
    floats = Self.weights(&choices)
    weights = floats.converted(to: Double.self)
    let (count, vocabulary) = (1 + choices.below(20), floats.hyperparameters.vocabulary)
    tokens = (0..<count).map { _ in Int.random(in: 0..<vocabulary, using: &choices) }
    let reference = TensorEngine(weights, workers: Self.one)
    var random = SeededRandom(seed: choices.next())
    var measured = 0.0
    do {
      expected = try Self.read(reference, tokens)
      for _ in 0..<Self.shakes {
        measured = max(measured, Self.difference(try Self.readShaken(floats, tokens, &random), expected))
      }
    } catch is NotFiniteError { return nil }
    guard expected.allSatisfy({ $0.logits.allSatisfy { $0.magnitude < 1e30 } }) else { return nil }
    tolerance = (max(1e-11, Self.room * measured * 0x1p-29), max(1e-5, Self.room * measured))
    // Products of what is below 10¹⁵ do not overflow a float.
    outcome.isTameInFloat =
      tolerance.float < 1e-2
      && expected.allSatisfy { $0.quantities.joined().allSatisfy { $0.magnitude < 1e15 } }
    // Not even double is left: chaos, where no form can be right.
    guard tolerance.double < 1e-4 else { return nil }
  }

  private static func weights(_ choices: inout Choices) -> Weights<Float> {
    let heads = 1 + choices.below(3)
    let sizes = Hyperparameters(
      neurons: heads * 2 * (1 + choices.below(9)), synapticDimension: 2 + choices.below(18), heads: heads,
      layers: 1 + choices.below(4), vocabulary: 1 + choices.below(20),
      variant: choices.pick(Variant.allCases))
    var weights = Weights.random(
      sizes, seed: choices.next(), rotates: choices.below(4) != 0, damping: choices.flip())
    let scales: [Float] = [1, 1, 1, 0.01, 0.3, 4, 0]
    /// Some weights zero, all of another size.
    func vary(_ matrix: Matrix<Float>) -> Matrix<Float> {
      let (scale, zeros) = (choices.pick(scales), choices.pick([0, 0, 60, 200]))
      return matrix.map { Int(UInt8(truncatingIfNeeded: $0.bitPattern)) < zeros ? 0 : $0 * scale }
    }
    weights.decoderX = vary(weights.decoderX)
    weights.decoderY = vary(weights.decoderY)
    weights.encoder = vary(weights.encoder)
    weights.embedding = vary(weights.embedding)
    weights.readout = vary(weights.readout)
    // Without LN activity grows with every token: keep it small.
    if !sizes.variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    return weights
  }

  /// Reads with weights and ρ that are off.
  private static func readShaken(
    _ floats: Weights<Float>, _ tokens: [Int], _ random: inout SeededRandom
  ) throws -> [Reading] {
    let engine = TensorEngine(shaken(floats, &random), workers: one)
    return try tokens.flatMap { token in
      let reading = try read(engine, [token])
      try engine.restore(shaken(engine.save(), &random))
      return reading
    }
  }

  /// Every weight off by up to half a unit in the last place of float32.
  private static func shaken(_ floats: Weights<Float>, _ random: inout SeededRandom) -> Weights<Double> {
    func shake(_ matrix: Matrix<Float>) -> Matrix<Double> {
      matrix.map { Double($0) * (1 + (random.uniform() - 0.5) * 0x1p-23) }
    }
    var weights = floats.converted(to: Double.self)
    weights.decoderX = shake(floats.decoderX)
    weights.decoderY = shake(floats.decoderY)
    weights.encoder = shake(floats.encoder)
    weights.embedding = shake(floats.embedding)
    weights.readout = shake(floats.readout)
    return weights
  }

  /// The same of ρ: ⟨x̃, x̃⟩ may cancel, and then what is left of a is the rounding of every ρ by itself, which no weight's moves.
  private static func shaken(_ state: SavedState, _ random: inout SeededRandom) -> SavedState {
    var state = state
    for (name, array) in state.arrays.sorted(by: { $0.key < $1.key }) {
      guard case .double(let matrix) = array else { continue }
      state.arrays[name] = .double(matrix.map { $0 * (1 + (random.uniform() - 0.5) * 0x1p-23) })
    }
    return state
  }

  // MARK: Comparisons

  private static func read(_ engine: some SteppingEngine, _ tokens: [Int]) throws -> [Reading] {
    try tokens.map { token in
      let layers = try engine.stepRecording(token).layers
      let quantities = layers.flatMap { layer in
        [layer.x, layer.a, layer.y, layer.v].map { $0.map { Double($0) } }
      }
      return Reading(quantities: quantities, logits: engine.logits.map { Double($0) })
    }
  }

  /// The largest of all quantities and tokens.
  private static func difference(_ a: [Reading], _ b: [Reading]) -> Double {
    zip(a, b).reduce(0) { largest, pair in
      zip(pair.0.quantities + [pair.0.logits], pair.1.quantities + [pair.1.logits]).reduce(largest) {
        max($0, difference($1.0, $1.1))
      }
    }
  }

  /// max |a − b|, relative to max |b| where that is above 1; infinite for NaN, and where nothing or not the same was there.
  private static func difference(_ a: [Double], _ b: [Double]) -> Double {
    absoluteDifference(a, b) / b.reduce(1) { max($0, $1.magnitude) }
  }

  private mutating func agree(_ found: [Double], _ right: [Double], _ tolerance: Double, _ what: String)
    throws
  {
    let difference = Self.difference(found, right)
    try mustHold(
      difference <= tolerance,
      "\(what): off by \(difference), allowed \(tolerance); \(floats.hyperparameters), tokens \(tokens)")
    outcome.comparisons += 1
    outcome.largest = max(outcome.largest, difference / tolerance)
  }

  private mutating func agree(_ engine: some SteppingEngine, _ tolerance: Double, _ what: String) throws {
    let found = try Self.read(engine, tokens)
    try mustHold(found.count == expected.count && !found.isEmpty, "\(what): tokens are missing")
    for (position, (ours, right)) in zip(found, expected).enumerated() {
      try mustHold(ours.quantities.count == right.quantities.count, "\(what): layers are missing")
      for (index, (a, b)) in zip(ours.quantities, right.quantities).enumerated() {
        try agree(
          a, b, tolerance,
          "\(what), \(["x", "a", "y", "v"][index % 4]) of layer \(index / 4 + 1), token \(position)")
      }
      try agree(ours.logits, right.logits, tolerance, "\(what), logits of token \(position)")
    }
  }

  private mutating func compareAll(_ choices: inout Choices) throws {
    let threads = Workers(threads: choices.below(16) == 0 ? 2 : 1)
    let centres = weights.hyperparameters.variant.normalises && choices.flip()
    let options = CircuitEngineOptions(
      screens: choices.pick([nil, true, false]), defersWrites: choices.pick([nil, true, false]))
    let circuit = try Compiler(centres: centres).circuit(from: weights).graph
    let direct = try Compiler().direct(from: weights, workers: Self.one).graph
    try agree(CircuitEngine(circuit, workers: threads, options: options), tolerance.double, "circuit")
    try agree(DirectEngine(direct, workers: threads), tolerance.double, "direct form")
    try agree(
      Run.interpreting(circuit, rules: DragonRules<Double>.self), tolerance.double, "circuit, literally")
    try agree(
      Run.interpreting(direct, rules: DragonRules<Double>.self), tolerance.double, "direct form, literally")
    try agreeInChunks(&choices)
    try agreePruned(&choices)
    if outcome.isTameInFloat {
      let circuit = try Compiler(centres: centres).circuit(from: floats).graph
      let direct = try Compiler().direct(from: floats, workers: Self.one).graph
      try agree(
        CircuitEngine(circuit, workers: threads, options: options), tolerance.float, "circuit in float")
      try agree(DirectEngine(direct, workers: threads), tolerance.float, "direct form in float")
      try agree(TensorEngine(floats, workers: threads), tolerance.float, "tensors in float")
      try agreeReduced(circuit, &choices)
    }
    try goOn(&choices) { try CircuitEngine(circuit, workers: Self.one, options: options) }
    try goOn(&choices) { try DirectEngine(direct, workers: Self.one) }
    let weights = weights
    try goOn(&choices) { TensorEngine(weights, workers: Self.one) }
  }

  /// Chunks of any size, in two pieces, the parallel form, and plain loops over the definition.
  private mutating func agreeInChunks(_ choices: inout Choices) throws {
    let right = expected.flatMap(\.logits)
    let (chunk, split) = (1 + choices.below(20), choices.below(tokens.count + 1))
    let engine = TensorEngine(weights, workers: Self.one)
    let pieces = [Array(tokens[..<split]), Array(tokens[split...])].filter { !$0.isEmpty }
    let found = try pieces.flatMap { try engine.read($0, chunk: chunk).elements }
    try agree(found, right, tolerance.double, "chunks of \(chunk)")
    try agree(engine.parallel(tokens).elements, right, tolerance.double, "the parallel form")
    try agree(PlainLoops(weights).logits(tokens), right, tolerance.double, "plain loops")
    let stepped = TensorEngine(weights, workers: Self.one)
    for token in tokens { try stepped.step(token) }
    for layer in 1...weights.hyperparameters.layers {
      try agree(
        engine.attentionState(layer: layer).elements, stepped.attentionState(layer: layer).elements,
        tolerance.double, "ρ of layer \(layer) in chunks")
    }
  }

  /// A pruned direct form is another network: the engine against the literal interpreter, values and counts.
  private mutating func agreePruned(_ choices: inout Choices) throws {
    let hubs = choices.flip() ? 0 : choices.below(weights.hyperparameters.synapticDimension + 1)
    let kept = choices.pick([
      DirectOptions.Kept.atLeast(0.5), .strongest(choices.below(200)),
      .strongestPerNeuron(choices.below(200)),
    ])
    let options = DirectOptions(
      kept: kept, excitatoryOnly: choices.flip(), prunesTokens: choices.flip(),
      plastic: choices.flip() ? .kept : .complete, rescales: hubs == 0 && choices.flip(), hubs: hubs)
    let graph = try Compiler().direct(from: weights, options: options, workers: Self.one).graph
    let found = try Self.read(DirectEngine(graph, workers: Self.one), tokens)
    let right = try Self.read(Run.interpreting(graph, rules: DragonRules<Double>.self), tokens)
    guard right.allSatisfy({ $0.logits.allSatisfy { $0.magnitude < 1e30 } }) else { return }
    for (position, (a, b)) in zip(found, right).enumerated() {
      for (ours, theirs) in zip(a.quantities + [a.logits], b.quantities + [b.logits]) {
        try agree(ours, theirs, max(1e-9, tolerance.double), "\(options), token \(position)")
      }
    }
    try goOn(&choices) { try DirectEngine(graph, workers: Self.one) }
  }

  /// A circuit of rounded weights is the network of those weights.
  private mutating func agreeReduced(_ circuit: CircuitGraph<Float>, _ choices: inout Choices) throws {
    guard !circuit.isCentred else { return }
    let graph = ReducePass.run(circuit, to: choices.pick(ReducedFormat.allCases))
    let rounded = try Decompiler.weights(of: graph).converted(to: Double.self)
    let found = try Self.read(CircuitEngine(graph, workers: Self.one), tokens)
    let right = try Self.read(TensorEngine(rounded, workers: Self.one), tokens)
    for (position, (a, b)) in zip(found, right).enumerated() {
      try agree(a.logits, b.logits, max(1e-3, tolerance.float), "reduced weights, token \(position)")
    }
  }

  /// Saved in the middle, written, read and restored: the same bits as without.
  private mutating func goOn<Engine: SteppingEngine>(
    _ choices: inout Choices, _ make: () throws -> Engine
  ) throws {
    let split = choices.below(tokens.count)
    let (engine, other) = (try make(), try make())
    for token in tokens[..<split] { try engine.step(token) }
    let scratch = try ScratchFile()
    try StateFile.write(engine.save(), to: scratch.path)
    try other.restore(try StateFile.read(scratch.path))
    for token in tokens[split...] {
      try engine.step(token)
      try other.step(token)
      try mustHold(
        engine.logits == other.logits && !engine.logits.isEmpty,
        "\(Engine.self) saved at \(split): other logits; \(floats.hyperparameters), tokens \(tokens)")
      outcome.comparisons += 1
    }
    try mustHold(engine.position == other.position, "\(Engine.self): another position")
  }
}

import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// An engine of either precision, made from the options, with the files that go with it.
struct Stepper<Scalar: NetworkScalar> {
  let engine: any SteppingEngine<Scalar>
  /// The saved state that was given. An empty start is not kept: a second hold on the plastic weights would have them copied
  /// whole when they are first written.
  private let initialState: SavedState?
  private let stateOut: String?
  private let logits: NumpyWriter<Scalar>?
  /// The tensors that read a prompt many tokens at a time; nil where every token must leave its trace.
  private let reader: (() -> TensorEngine<Scalar>)?

  init(_ options: SteppingOptions, _ model: Model, workers: Workers) throws {
    engine = try Self.makeEngine(options, model, workers)
    initialState = try options.stateIn.map { try StateFile.read($0) }
    if let initialState { try engine.restore(initialState) }
    stateOut = options.stateOut
    let weights = model.weights.converted(to: Scalar.self)
    let leavesTraces = options.stateIn != nil || options.stateOut != nil || options.logits != nil
    reader =
      leavesTraces || options.weights != nil || options.form == .direct || weights.plasticSynapses != nil
      ? nil : { TensorEngine(weights, workers: workers) }
    logits = try options.logits.map {
      try NumpyWriter(path: $0, columns: model.hyperparameters.vocabulary)
    }
  }

  /// - Throws: `StateMemoryError` or `DirectError` when the engine's plastic state would take more than half of memory.
  static func makeEngine(
    _ options: SteppingOptions, _ model: Model, _ workers: Workers
  ) throws -> any SteppingEngine<Scalar> {
    let weights = model.weights.converted(to: Scalar.self)
    let fingerprint = options.stateIn != nil || options.stateOut != nil ? model.fingerprint : ""
    // The direct form's state has other sizes and is checked where it is compiled.
    if options.engine == .tensor || options.form == .circuit {
      try model.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    }
    switch (options.engine, options.form) {
    case (.tensor, _): return TensorEngine(weights, workers: workers, fingerprint: fingerprint)
    case (.graph, .circuit):
      let graph = try Compiler().circuit(from: weights, fingerprint: fingerprint, workers: workers).graph
      return try CircuitEngine(options.reduced(graph), workers: workers)
    case (.graph, .direct):
      let graph = try options.direct.compile(weights, fingerprint: fingerprint, workers: workers).graph
      return try DirectEngine(graph, workers: workers)
    }
  }

  /// Where every stream starts: the saved state that was given, or nothing.
  func rewind() throws {
    if let initialState { try engine.restore(initialState) } else { engine.reset() }
  }

  /// Reads a prompt, of which only the end matters: in chunks where no state or logits are asked for, which must not depend on how a
  /// text was split, else token by token.
  func read(prompt tokens: [Int]) throws {
    guard let reader, engine.position == 0, tokens.count >= 64 else {
      for token in tokens { _ = try step(token) }
      return
    }
    let tensors = engine as? TensorEngine<Scalar> ?? reader()
    _ = try tensors.read(tokens)
    guard let circuit = engine as? CircuitEngine<Scalar> else { return }
    circuit.adopt(
      attention: (1...tensors.hyperparameters.layers).map { tensors.attentionState(layer: $0) },
      logits: tensors.logits, position: tensors.position)
  }

  /// Reads a token and keeps its logits if they are wanted.
  func step(_ token: Int) throws -> StepActivity {
    let activity = try engine.step(token)
    try logits?.append(engine.logits)
    return activity
  }

  /// Writes what was asked for, after the last token.
  func finish() throws {
    try logits?.commit()
    if let stateOut { try StateFile.write(engine.save(), to: stateOut) }
  }
}

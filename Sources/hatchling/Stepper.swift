import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingEngine
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// An engine of either precision, made from the options, with the files that go with it.
struct Stepper<Scalar: NetworkScalar> {
  let engine: any SteppingEngine<Scalar>
  private let initialState: SavedState
  private let stateOut: String?
  private let logits: NumpyWriter<Scalar>?
  /// The tensors that read a prompt many tokens at a time; nil where every token must leave its trace.
  private let reader: (() -> TensorEngine<Scalar>)?

  init(_ options: SteppingOptions, _ model: Model, workers: Workers) throws {
    engine = try Self.makeEngine(options, model, workers)
    if let path = options.stateIn { try engine.restore(StateFile.read(path)) }
    initialState = engine.save()
    stateOut = options.stateOut
    let weights = model.weights.converted(to: Scalar.self)
    let leavesTraces = options.stateIn != nil || options.stateOut != nil || options.logits != nil
    reader =
      leavesTraces || options.weights != nil || weights.plasticSynapses != nil
      ? nil : { TensorEngine(weights, workers: workers) }
    logits = try options.logits.map {
      try NumpyWriter(path: $0, columns: model.hyperparameters.vocabulary)
    }
  }

  static func makeEngine(
    _ options: SteppingOptions, _ model: Model, _ workers: Workers
  ) throws -> any SteppingEngine<Scalar> {
    let weights = model.weights.converted(to: Scalar.self)
    let fingerprint = options.stateIn != nil || options.stateOut != nil ? model.fingerprint : ""
    switch (options.engine, options.form) {
    case (.tensor, _): return TensorEngine(weights, workers: workers, fingerprint: fingerprint)
    case (.graph, .circuit):
      let graph = try Compiler().circuit(from: weights, fingerprint: fingerprint).graph
      return try CircuitEngine(options.reduced(graph), workers: workers)
    case (.graph, .direct):
      throw OptionError.bad("--form direct is not part of this version; use --form circuit")
    }
  }

  /// Where every stream starts: the saved state that was given, or nothing.
  func rewind() throws { try engine.restore(initialState) }

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

import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport
import Testing

/// Runs that are interrupted, run on more threads, or fed nonsense.
@Suite struct TrainerTests {
  static let sizes = Hyperparameters(
    neurons: 96, synapticDimension: 16, heads: 2, layers: 2, vocabulary: 256)

  static var text: [UInt8] {
    let words = ["the ", "cat ", "sat ", "on ", "a ", "mat\n", "and ", "saw ", "it "]
    var random = SeededRandom(seed: 5)
    return (0..<400).flatMap { _ in Array(words[Int.random(in: 0..<words.count, using: &random)].utf8) }
  }

  static func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions()
    options.block = 24
    options.batch = 3
    options.chunk = 8
    options.steps = 12
    options.warmup = 3
    options.damping = .learned
    options.passage = 100
    change(&options)
    return options
  }

  static func trainer(_ options: TrainingOptions, threads: Int = 1) throws -> Trainer<Float> {
    try Trainer(
      Weights<Float>.untrained(sizes, seed: 3), text: text, options: options,
      workers: Workers(threads: threads))
  }

  /// Every bit that a run has to show for itself.
  static func bits(_ trainer: Trainer<Float>) -> [UInt32] {
    trainer.weights.trained.flatMap { $0.elements.map(\.bitPattern) }
      + (trainer.weights.damping ?? []).map(\.bitPattern)
  }

  static let variations: [TrainingOptions] = [
    options(),
    options {
      $0.damping = .none
      $0.passage = 0
    }, options { $0.carry = false },
    options {
      $0.damping = .fixed(0.1)
      $0.detach = true
    }, options { $0.dropout = 0 },
  ]

  @Test(arguments: variations)
  func interruptedAndResumedEqualsUninterrupted(_ options: TrainingOptions) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).training").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let whole = try Self.trainer(options)
    var losses: [Double] = []
    for _ in 0..<12 { losses.append(try whole.update().loss) }
    let first = try Self.trainer(options)
    var resumedLosses: [Double] = []
    for _ in 0..<5 { resumedLosses.append(try first.update().loss) }
    try first.saveCheckpoint(to: path)
    let (second, _) = try Trainer<Float>.resume(from: path, text: Self.text, workers: Workers(threads: 2))
    for _ in 5..<12 { resumedLosses.append(try second.update().loss) }
    #expect(losses == resumedLosses)
    #expect(Self.bits(whole) == Self.bits(second))
  }

  @Test(arguments: variations)
  func everyNumberOfThreadsGivesTheSameBits(_ options: TrainingOptions) throws {
    let runs = try [1, 2, 3].map { threads in
      let trainer = try Self.trainer(options, threads: threads)
      for _ in 0..<4 { _ = try trainer.update() }
      _ = try trainer.validate(Self.text)
      return Self.bits(trainer)
    }
    #expect(runs[0] == runs[1])
    #expect(runs[0] == runs[2])
  }

  @Test func validationChangesNothing() throws {
    let (plain, validated) = (try Self.trainer(Self.options()), try Self.trainer(Self.options()))
    for _ in 0..<4 {
      _ = try plain.update()
      _ = try validated.update()
      #expect(try validated.validate(Self.text)?.loss.isFinite == true)
    }
    #expect(Self.bits(plain) == Self.bits(validated))
  }

  @Test func lossFalls() throws {
    let trainer = try Self.trainer(
      Self.options {
        $0.steps = 150
        $0.learningRate = 3e-3
        $0.dropout = 0
      })
    let before = try #require(try trainer.validate(Self.text)).loss
    for _ in 0..<150 { _ = try trainer.update() }
    let after = try #require(try trainer.validate(Self.text)).loss
    #expect(before > 5)
    #expect(after < 2.2)  // single letters cost 2.4 nats, words drawn at random 0.65
  }

  @Test func anotherTextIsRefused() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).training").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.trainer(Self.options()).saveCheckpoint(to: path)
    #expect(throws: TrainingError.self) {
      try Trainer<Float>.resume(from: path, text: Self.text.reversed())
    }
    #expect(throws: StateError.self) { try Trainer<Double>.resume(from: path, text: Self.text) }
  }

  /// A checkpoint's record is text from outside: whatever it says, the file is refused and nothing is read out of bounds.
  @Test(arguments: [
    ("\"neurons\":96", "\"neurons\":95"), ("\"heads\":2", "\"heads\":96"),
    ("\"layers\":2", "\"layers\":4096"),
    ("\"layers\":2", "\"layers\":9000000000000000000"), ("\"block\":24", "\"block\":1048576"),
    ("\"batch\":3", "\"batch\":2"), ("\"chunk\":8", "\"chunk\":0"), ("\"steps\":12", "\"steps\":-1"),
    ("\"offsets\":[", "\"offsets\":[-1,"), ("\"positions\":[24", "\"positions\":[9223372036854775807"),
    ("\"remaining\":[", "\"remaining\":[-9223372036854775808,"),
    ("\"emptyStreams\":[false", "\"emptyStreams\":["), ("\"seed\":1", "\"seed\":1,\"shares\":2"),
    ("\"seed\":1", "\"seed\":1,\"shares\":0"),
  ])
  func aForgedRecordIsRefused(_ change: (String, String)) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).training").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let trainer = try Self.trainer(Self.options { $0.passage = 5000 })
    _ = try trainer.update()
    try trainer.saveCheckpoint(to: path)
    let state = try StateFile.read(path)
    let record = state.identity.options
    try #require(record.contains(change.0), "\(record)")
    var identity = state.identity
    identity.options = record.replacingOccurrences(of: change.0, with: change.1)
    try StateFile.write(
      SavedState(identity: identity, position: state.position, arrays: state.arrays), to: path)
    #expect(throws: (any Error).self) { _ = try Trainer<Float>.resume(from: path, text: Self.text) }
  }

  @Test func aShorterPlanKeepsTheWarmUpInside() throws {
    let trainer = try Self.trainer(Self.options { $0.warmup = 12 })
    trainer.plan(steps: 4)
    #expect(trainer.options.warmupSteps == 4 && trainer.options.rate(at: 4) == trainer.options.learningRate)
    try trainer.options.validate()
  }

  @Test func heldOutTokensBeyondTheAlphabetAreRefused() throws {
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 1, vocabulary: 128)
    let trainer = try Trainer<Float>(
      .untrained(sizes, seed: 1), text: Self.text, options: Self.options { $0.carry = false },
      workers: Workers(threads: 1))
    var text = Self.text
    text[77] = 200
    #expect(throws: TrainingError.tokenOutOfRange(token: 200, vocabulary: 128, offset: 77)) {
      _ = try trainer.validate(text)
    }
  }

  @Test func everyTruncationOfACheckpointIsRefused() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).training").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.trainer(Self.options()).saveCheckpoint(to: path)
    let content = try Data(contentsOf: URL(fileURLWithPath: path))
    var random = SeededRandom(seed: 11)
    for _ in 0..<60 {
      try content.prefix(Int.random(in: 0..<content.count, using: &random))
        .write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self) { try Trainer<Float>.resume(from: path, text: Self.text) }
    }
  }

  @Test func nonsenseIsRefused() {
    let bad: [(inout TrainingOptions) -> Void] = [
      { $0.block = 0 }, { $0.batch = 0 }, { $0.chunk = 0 }, { $0.steps = 0 }, { $0.learningRate = -1 },
      { $0.learningRate = .nan }, { $0.warmup = 13 }, { $0.dropout = 1 }, { $0.clip = -1 },
      { $0.weightDecay = -0.1 }, { $0.damping = .fixed(1.5) }, { $0.passage = -1 }, { $0.block = 1_000_000 },
      { $0.shares = 2 }, { $0.shares = 0 }, { $0.shares = -3 }, { $0.shares = 6 },
    ]
    for change in bad {
      #expect(throws: TrainingError.self) { try Self.trainer(Self.options(change)) }
    }
  }

  @Test func divergenceIsReportedAndTheWeightsStay() throws {
    var weights = Weights<Float>.untrained(Self.sizes, seed: 3)
    weights.readout[3, 7] = .infinity
    let trainer = try Trainer(weights, text: Self.text, options: Self.options(), workers: Workers(threads: 1))
    let before = Self.bits(trainer)
    #expect(throws: TrainingError.self) { try trainer.update() }
    #expect(Self.bits(trainer) == before)
  }
}

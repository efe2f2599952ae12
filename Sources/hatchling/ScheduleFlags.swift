import ArgumentParser
import HatchlingTraining

/// `none`, `learned`, or one damping u for every neuron.
struct DampingChoice: ExpressibleByArgument {
  let mode: DampingMode

  init?(argument: String) {
    switch argument {
    case "none": mode = .none
    case "learned": mode = .learned
    default:
      guard let u = Float(argument), u.isFinite else { return nil }
      mode = .fixed(u)
    }
  }
}

/// What a training run computes. Nothing has a value before it is given, so that a resumed run can tell what was said.
struct ScheduleFlags: ParsableArguments {
  @Option(help: "Tokens of one stream per update: how far back-propagation through time goes. Default: 256.")
  var block: Int?

  @Option(help: "Streams read side by side. Default: 8.")
  var batch: Int?

  @Option(help: "Updates. Default: 2000.")
  var steps: Int?

  @Option(
    help:
      "Train about this long instead; the number of steps is fixed after the first 20."
  )
  var minutes: Double?

  @Option(help: "The peak learning rate; it falls linearly to a tenth. Default: 0.001.")
  var lr: Double?

  @Option(help: "Updates of linear warm-up. Default: 5 % of the steps, at most 1000.")
  var warmup: Int?

  @Option(help: "Decoupled weight decay of every weight. Default: 0.1.")
  var weightDecay: Double?

  @Option(help: "Largest global norm of the gradient; 0 clips nothing. Default: 1.")
  var clip: Double?

  @Option(help: "Fraction of y that is silenced while training. Default: 0.1.")
  var dropout: Double?

  @Option(
    help: ArgumentHelp(
      "What a plastic weight loses per token: none, one u between 0 and 1, or learned, one per pair of neurons. Default: learned; with --init what the model has.",
      valueName: "none|u|learned"))
  var damping: DampingChoice?

  @Flag(
    help:
      "Begin every block at a random place with an empty state, instead of carrying the state along the text."
  )
  var noCarry = false

  @Option(
    help:
      "With carried state, begin anew at a random place after about this many bytes. Default: at the end of the text only."
  )
  var passage: Int?

  @Flag(help: "Keys and values count as constants: no back-propagation through time (§7.2).")
  var detach = false

  @Option(help: "Tokens per chunk; inside one attention is quadratic, between them linear. Default: 64.")
  var chunk: Int?

  @Option(help: "Decides the initial weights, where streams begin and what dropout silences. Default: 1.")
  var seed: UInt64?

  func checkRanges() throws {
    if steps != nil && minutes != nil { throw ValidationError("--steps and --minutes exclude each other") }
    if let minutes, !(minutes > 0 && minutes <= 1e6) {
      throw ValidationError("--minutes \(minutes): more than 0, up to a million")
    }
    if noCarry && passage != nil {
      throw ValidationError("--passage is how far a state is carried; --no-carry carries none")
    }
  }

  /// The number of steps while a time limit has not fixed it: so many that the default warm-up is the longest there is.
  private static let stepsBeforePlanning = 20_000

  /// The options of a new run. - Parameter isContinued: whether it begins from a trained network, whose damping stays as it is.
  func options(isContinued: Bool) -> TrainingOptions {
    var options = TrainingOptions()
    options.block = block ?? options.block
    options.batch = batch ?? options.batch
    options.chunk = chunk ?? options.chunk
    options.steps = steps ?? (minutes == nil ? 2000 : max(Self.stepsBeforePlanning, warmup ?? 0))
    options.learningRate = lr ?? options.learningRate
    options.finalLearningRate = options.learningRate / 10
    options.warmup = warmup
    options.weightDecay = weightDecay ?? options.weightDecay
    options.clip = clip ?? options.clip
    options.dropout = dropout ?? options.dropout
    options.damping = damping?.mode ?? (isContinued ? .kept : .learned)
    options.carry = !noCarry
    options.passage = passage ?? options.passage
    options.detach = detach
    options.seed = seed ?? options.seed
    return options
  }

  /// Whatever was said beside `--resume` must be what the run began with.
  func check(_ options: TrainingOptions, of path: String) throws {
    func require<Value: Equatable>(_ name: String, _ wanted: Value?, _ there: Value) throws {
      guard let wanted, wanted != there else { return }
      throw TrainingError.wrongSize(
        path: path, quantity: name, value: "\(there)", expected: "--\(name) \(wanted)")
    }
    if minutes != nil {
      throw OptionError.bad("--minutes cannot be given with --resume: '\(path)' fixed \(options.steps) steps")
    }
    try require("block", block, options.block)
    try require("batch", batch, options.batch)
    try require("steps", steps, options.steps)
    try require("lr", lr, options.learningRate)
    try require("warmup", warmup, options.warmupSteps)
    try require("weight-decay", weightDecay, options.weightDecay)
    try require("clip", clip, options.clip)
    try require("dropout", dropout, options.dropout)
    try require("damping", damping.map { Self.name($0.mode) }, Self.name(options.damping))
    try require("no-carry", noCarry ? true : nil, !options.carry)
    try require("passage", passage, options.passage)
    try require("detach", detach ? true : nil, options.detach)
    try require("chunk", chunk, options.chunk)
    try require("seed", seed, options.seed)
  }

  static func name(_ mode: DampingMode) -> String {
    switch mode {
    case .kept: "as the model has it"
    case .none: "none"
    case .learned: "learned"
    case .fixed(let u): "\(u)"
    }
  }
}

extension TrainingOptions {
  /// The flags that ask for these options, as the model's metadata says it. The number of steps, which a time limit may have
  /// decided, stands beside it.
  var flags: String {
    var parts = [
      "--block \(block)", "--batch \(batch)", "--lr \(learningRate)", "--weight-decay \(weightDecay)",
      "--clip \(clip)", "--dropout \(dropout)",
      "--chunk \(chunk)", "--seed \(seed)",
    ]
    if damping != .kept { parts.insert("--damping \(ScheduleFlags.name(damping))", at: 6) }
    if let warmup { parts.append("--warmup \(warmup)") }
    if !carry { parts.append("--no-carry") }
    if passage > 0 { parts.append("--passage \(passage)") }
    if detach { parts.append("--detach") }
    return parts.joined(separator: " ")
  }
}

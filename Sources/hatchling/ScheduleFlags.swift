import ArgumentParser
import HatchlingCommands
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

  @Option(
    help:
      "Shares of the batch, of equal numbers of streams, whose gradients are taken apart and added in one order; so many ranks can work side by side. Default: 1; with mpirun one per stream."
  )
  var shares: Int?

  @Option(help: "Updates. Default: 2000.")
  var steps: Int?

  @Option(help: "Train about this long instead; the number of steps is fixed after the first 20.")
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
    inversion: .prefixedNo, exclusivity: .exclusive,
    help:
      "Carry the state along the text from block to block, or begin every block at a random place with an empty one. Default: carry; for neuron graphs, which carry with --plastic kept only, do not."
  )
  var carry: Bool?

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

  func validate() throws {
    try require(steps == nil || minutes == nil, "--steps and --minutes exclude each other")
    try require(
      carry != false || passage == nil, "--passage is how far a state is carried; --no-carry carries none")
  }

  var choices: TrainingChoices<TrainingOptions> {
    var choices = TrainingChoices<TrainingOptions>()
    choices.choose(.steps, \.steps, steps)
    choices.choose(.block, \.block, block)
    choices.choose(.batch, \.batch, batch)
    choices.choose(.shares, \.chosenShares, shares)
    choices.choose(.learningRate, \.learningRate, lr)
    choices.choose(.warmup, \.chosenWarmup, warmup)
    choices.choose(.weightDecay, \.weightDecay, weightDecay)
    choices.choose(.clip, \.clip, clip)
    choices.choose(.dropout, \.dropout, dropout)
    choices.choose(.damping, \.damping, damping?.mode)
    choices.choose(.carry, \.carry, carry ?? (passage == nil ? nil : true))
    choices.choose(.passage, \.passage, passage)
    choices.choose(.detach, \.detach, detach ? true : nil)
    choices.choose(.chunk, \.chunk, chunk)
    choices.choose(.seed, \.seed, seed)
    return choices
  }
}

extension TrainingOptions {
  /// The flags that ask for these options, as the model's metadata says it. The number of steps, which a time limit may have
  /// decided, stands beside it.
  var flags: String {
    var parts = [
      "--block \(block)", "--batch \(batch)", "--lr \(learningRate)", "--weight-decay \(weightDecay)",
      "--clip \(clip)", "--dropout \(dropout)", "--chunk \(chunk)", "--seed \(seed)",
    ]
    if damping != .kept { parts.insert("--damping \(damping)", at: 6) }
    if let shares { parts.append("--shares \(shares)") }
    if let warmup { parts.append("--warmup \(warmup)") }
    parts.append(carry ? "--carry" : "--no-carry")
    if passage > 0 { parts.append("--passage \(passage)") }
    if detach { parts.append("--detach") }
    return parts.joined(separator: " ")
  }
}

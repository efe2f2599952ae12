import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

extension DampingMode: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "none": self = .none
    case "learned": self = .learned
    default:
      guard let u = Float(argument) else { return nil }
      self = .fixed(u)
    }
  }
}

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train", abstract: "Trains a model from text.")

  @Argument(help: "Text files; several are read as one text.")
  var texts: [String]

  @Option(help: ArgumentHelp("The model with the lowest validation loss.", valueName: "model.safetensors"))
  var out: String

  @Option(name: .customLong("n"), help: "Neurons of all heads.")
  var neurons: Int = 2048

  @Option(name: .customLong("d"), help: "Synaptic dimension.")
  var dimension: Int = 64

  @Option(help: "Heads.") var heads: Int = 4
  @Option(help: "Layers.") var layers: Int = 4
  @Option(help: "The layer rule: released, definition4 or normfree.") var variant: Variant = .released
  @Option(help: "Tokens of one stream per step.") var block: Int = 256
  @Option(help: "Streams side by side.") var batch: Int = 8
  @Option(help: "Tokens per chunk of attention.") var chunk: Int = 64
  @Option(help: "Updates.") var steps: Int?
  @Option(help: "Train for about this long instead of --steps.") var minutes: Double?
  @Option(help: "Highest learning rate.") var lr: Double = 1e-3
  @Option(help: "Updates of warm-up; default min(1000, 5 % of the steps).") var warmup: Int?
  @Option(help: "Decoupled weight decay.") var weightDecay: Double = 0.1
  @Option(help: "Largest norm of the gradient; 0 for none.") var clip: Double = 1.0
  @Option(help: "Fraction of y that is silenced.") var dropout: Double = 0.1
  @Option(help: "Damping u: none, a number 0 … 1, or learned.") var damping: DampingMode = .none
  @Flag(help: "Every block begins with an empty state.") var noCarry = false
  @Option(help: "Bytes after which a stream goes on elsewhere with an empty state; 0: the whole text.")
  var passage: Int = 0
  @Flag(help: "No back-propagation through keys and values (§7.2).") var detach = false
  @Option(help: "Fraction of the text, at its end, that is held out.") var validation: Double = 0.1
  @Option(help: "Updates between validations and checkpoints.") var validateEvery: Int = 200
  @Option(help: "Seed of everything random.") var seed: UInt64 = 1
  @Option(name: .customLong("init"), help: "Go on training this model.") var initial: String?
  @Option(help: "Go on with this checkpoint of an interrupted run.") var resume: String?
  @Option(help: "A CSV file with one line per update.") var log: String?
  @Option(help: "At most this many threads; results do not depend on it.") var threads: Int?

  func run() throws {
    var text: [UInt8] = []
    for path in texts { text += [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
    let held = Int(Double(text.count) * validation)
    let (training, heldOut) = (Array(text[..<(text.count - held)]), Array(text[(text.count - held)...]))
    let workers = Workers(threads: threads)
    var plan = TrainingRun.Plan(modelPath: out, checkpointPath: out + ".training")
    plan.validateEvery = validateEvery
    plan.minutes = minutes
    let (trainer, progress) = try makeTrainer(training, workers)
    let run = TrainingRun(trainer, validation: heldOut, plan: plan, progress: progress)
    let clock = ContinuousClock()
    let start = clock.now
    let first = trainer.step
    _ = try run.run(
      onUpdate: { report in
        guard report.step % 20 == 0 else { return }
        let seconds = Double((clock.now - start).components.seconds) + 1e-9
        let rate = Double((report.step - first) * batch * block) / seconds
        Output.line(
          "\(report.step) loss \(decimal(report.loss, 4)) norm \(decimal(report.gradientNorm, 3)) lr \(report.learningRate) x \(report.activeX.map { decimal($0, 3) }) y \(report.activeY.map { decimal($0, 3) }) \(Int(rate)) tokens/s"
        )
        Output.flush()
      },
      onValidation: { step, report in
        Output.line("\(step) validation \(decimal(report.loss, 4)) over \(report.bytes) bytes")
        Output.flush()
      })
  }

  private func makeTrainer(
    _ text: [UInt8], _ workers: Workers
  ) throws -> (Trainer<Float>, TrainingProgress) {
    if let resume { return try Trainer<Float>.resume(from: resume, text: text, workers: workers) }
    var options = TrainingOptions()
    options.block = block
    options.batch = batch
    options.chunk = chunk
    options.steps = steps ?? 1000
    options.learningRate = lr
    options.finalLearningRate = lr / 10
    options.warmup = warmup
    options.weightDecay = weightDecay
    options.clip = clip
    options.dropout = dropout
    options.damping = damping
    options.carry = !noCarry
    options.passage = passage
    options.detach = detach
    options.seed = seed
    let weights: Weights<Float>
    if let initial {
      weights = try Model.load(path: initial, layers: layers, variant: variant, workers: workers).weights
    } else {
      weights = Weights<Float>.untrained(
        Hyperparameters(
          neurons: neurons, synapticDimension: dimension, heads: heads, layers: layers, vocabulary: 256,
          variant: variant), seed: seed)
    }
    return (try Trainer(weights, text: text, options: options, workers: workers), TrainingProgress())
  }
}

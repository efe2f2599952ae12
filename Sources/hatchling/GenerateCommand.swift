import ArgumentParser
import Foundation
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics

struct GenerateCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Continues a text, streaming bytes to standard output as they come.")

  @OptionGroup var options: SteppingOptions

  @Option(help: "The text to continue.")
  var prompt: String

  @Option(
    help:
      "Who reads the prompt: graph, one token after another, or tensor, in chunks, from which the graph goes on. Default: tensor for 64 bytes or more, where neither states, logits, --weights nor --form direct are asked for."
  )
  var promptBy: PromptReader?

  @Option(help: "How many bytes.")
  var count = 256

  @Option(help: "Stop after fewer bytes, when this text has been written. A translation ends at '<F:'.")
  var until: String?

  @Option(help: "Above 1 more daring, below 1 more careful, 0 always the most likely byte.")
  var temperature = 1.0

  @Option(
    name: .customLong("top-k"),
    help: "Draw from the K most likely bytes only (and those as likely as the K-th).")
  var topK: Int?

  @Option(help: "The same seed gives the same text. Default: drawn, and named on standard error.")
  var seed: UInt64?

  func validate() throws {
    try require(count >= 0, "--count \(count): a number of bytes is not negative")
    try require(
      temperature >= 0 && temperature.isFinite,
      "--temperature \(temperature): 0 or a positive number is needed")
    try require(topK ?? 1 >= 1, "--top-k \(topK ?? 1): at least 1 is needed")
    try require(until?.isEmpty != true, "--until is empty; at least one byte is needed")
  }

  var precision: PrecisionChoice { options.precision }

  /// The graph goes on from what the tensors read in chunks: its state is theirs, equal but for rounding.
  private func tellHandOver(_ tokens: Int) throws {
    if options.json {
      let prompt: JSONObject = ["read_by": PromptReader.tensor.rawValue, "tokens": tokens]
      return try Output.json(["prompt": prompt])
    }
    note(
      "the tensors read the prompt of \(tokens) tokens in chunks and the graph goes on from there; with --prompt-by graph it reads the prompt itself"
    )
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let ranks = try options.ranks()
    try options.checkOutputs()
    let workers = options.workers
    let network = try options.model.load(ranks: ranks, workers: workers)
    let vocabulary = network.hyperparameters.vocabulary
    let interventions = try options.interventions.parsed(options.names(of: network))
    if prompt.isEmpty && options.stateIn == nil { throw TextError.empty("--prompt") }
    let stepper = try announced("making the graph of '\(network.path)' and its state") {
      try StreamReader<Scalar>(
        options.engineDescription(
          of: network, reading: prompt.anyBytes.map(Int.init), seed: seed, workers: workers), network,
        files: options.files, interventions: interventions, ranks: ranks, workers: workers)
    }
    var read = prompt.anyBytes.map(Int.init)
    let begin = read.count
    let end = until.map { $0.anyBytes.map(Int.init) }
    if !prompt.isEmpty || stepper.engine.position == 0 {
      guard !prompt.isEmpty else { throw TextError.empty("--prompt") }
      let tokens = try TextSource.streams(text: prompt, vocabulary: vocabulary)[0].tokens
      var progress = Progress("prompt, token", total: tokens.count)
      let reader = try stepper.read(prompt: tokens, by: promptBy) { progress.update($0) }
      if reader == .tensor && options.engine == .graph { try tellHandOver(tokens.count) }
    }
    let drawn = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
    let drawnSeed = ranks?.broadcast(drawn, from: 0) ?? drawn
    if seed == nil && temperature > 0 { note("seed \(drawnSeed)") }
    var sampler = Sampler(temperature: temperature, topK: topK, seed: drawnSeed)
    let isTerminal = Job.showsOutput
    var (shown, progress) = (TerminalText(), Progress("byte", total: count))
    for done in 0..<count {
      if !isTerminal { progress.update(done) }
      let logits = stepper.engine.logits
      let token = sampler.draw(from: logits)
      if options.json {
        let probability = Foundation.exp(Predictions(logits: logits).logProbabilities[token])
        let drawn: JSONObject = [
          "position": stepper.engine.position, "token": token, "probability": probability,
        ]
        try Output.json(drawn)
      } else if vocabulary <= 256 {
        if isTerminal {
          Output.write(shown.take(UInt8(token)).utf8)
        } else {
          Output.write(CollectionOfOne(UInt8(token)))
        }
      } else {
        Output.write("\(token) ".utf8)
      }
      Output.flush()
      _ = try stepper.step(token)
      read.append(token)
      if let end, read.dropFirst(begin).suffix(end.count) == end[...] { break }
    }
    if isTerminal && !options.json {
      Output.write(shown.end().utf8)
      Output.line()
    }
    try stepper.finish()
    if !options.json && !interventions.isEmpty { Output.line() }
    try options.reportInterventions(interventions, on: read, network, workers: workers)
  }
}

extension PromptReader: ExpressibleByArgument {}

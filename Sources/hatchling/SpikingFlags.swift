import ArgumentParser
import HatchlingCommands
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

extension SpikeScales.Granularity: ExpressibleByArgument {}

/// How a network runs on spikes, for every command that steps.
struct SpikingFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run the graph on spikes: few:M:T, rate:K, binary:B or stochastic:K. Single quantities may have another code: few:3:10,v=few:4:12; they are v, x, rotated, a, y, in the direct form z and A.",
      valueName: "code"))
  var spiking: String?

  @Option(
    help: ArgumentHelp(
      "Scales of spikes that calibrate has found. Default: from the text itself.", valueName: "file.json"))
  var scales: String?

  @Option(help: "What has a scale of its own: quantity, layer or particle.")
  var scalesBy: SpikeScales.Granularity?

  @Option(help: ArgumentHelp("Broadcast means and gains with mantissas of so many bits.", valueName: "bits"))
  var gainBits: Int?

  @Flag(help: "The residual stream keeps what was said in spikes instead of what was meant.")
  var spikedResidual = false

  @Option(help: ArgumentHelp("The part of a membrane that leaks away in a sub-step.", valueName: "part"))
  var leak: Double?

  @Option(help: ArgumentHelp("Sub-steps for which a neuron rests that has fired.", valueName: "sub-steps"))
  var refractory: Int?

  var isUsed: Bool { spiking != nil }

  func validate() throws {
    let others: [(String, Bool)] = [
      ("--scales", scales != nil), ("--scales-by", scalesBy != nil), ("--gain-bits", gainBits != nil),
      ("--spiked-residual", spikedResidual), ("--leak", leak != nil), ("--refractory", refractory != nil),
    ]
    if spiking == nil, let flag = others.first(where: \.1) {
      throw ValidationError("\(flag.0) goes with --spiking")
    }
    if let leak { try require(leak >= 0 && leak < 1, "--leak \(leak): at least 0 and below 1") }
    if let refractory {
      try require((0...4096).contains(refractory), "--refractory \(refractory): between 0 and 4096 sub-steps")
    }
    if let gainBits {
      try require((1...52).contains(gainBits), "--gain-bits \(gainBits): between 1 and 52 bits")
    }
    _ = try request(seed: 1)
  }

  /// What was asked for; nil for numbers. - Throws: `ValidationError`.
  func request(seed: UInt64?) throws -> SpikingRequest? {
    guard let spiking else { return nil }
    var options = try options(named: spiking)
    options.granularity = scalesBy ?? .quantity
    options.gainBits = gainBits
    options.spikesResidual = spikedResidual
    options.neuron = IntegrateAndFire(leak: leak ?? 0, refractory: refractory ?? 0)
    options.seed = seed ?? 1
    return SpikingRequest(options, scalesFile: scales)
  }

  private func options(named name: String) throws -> SpikingOptions {
    do { return try SpikingOptions(named: name) } catch {
      throw ValidationError("--spiking '\(name)': \(error)")
    }
  }
}

extension SteppingOptions {
  /// The engine that was asked for, with the scales of its spikes if it sends any.
  ///
  /// - Parameters:
  ///   - tokens: the text that scales are found from where no file has them.
  ///   - seed: for codes that draw.
  func engineDescription(
    of model: Model, reading tokens: [Int], seed: UInt64? = nil, workers: Workers
  ) throws -> EngineDescription {
    var description = engineDescription
    guard let request = try spikes.request(seed: seed) else { return description }
    // In double, so that the scales do not depend on --precision.
    let (setup, source) = try request.resolved(
      description, model.weights.converted(to: Double.self), fingerprint: model.fingerprint, reading: tokens,
      workers: workers)
    note("spikes \(setup.options.name); \(source)")
    description.spiking = setup
    return description
  }
}

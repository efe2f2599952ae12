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

  @OptionGroup var details: SpikeDetailFlags

  var isUsed: Bool { spiking != nil }
  var scales: String? { details.scales }

  func validate() throws {
    try details.check(goesWith: spiking != nil)
    _ = try request(seed: 1)
  }

  /// What was asked for; nil for numbers. - Throws: `ValidationError`.
  func request(seed: UInt64?) throws -> SpikingRequest? {
    try spiking.map { try details.request($0, seed: seed) }
  }
}

/// What goes with a code of spikes.
struct SpikeDetailFlags: ParsableArguments {
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

  func check(goesWith isSpiking: Bool) throws {
    let others: [(String, Bool)] = [
      ("--scales", scales != nil), ("--scales-by", scalesBy != nil), ("--gain-bits", gainBits != nil),
      ("--spiked-residual", spikedResidual), ("--leak", leak != nil), ("--refractory", refractory != nil),
    ]
    if !isSpiking, let flag = others.first(where: \.1) {
      throw ValidationError("\(flag.0) goes with --spiking")
    }
    if let leak { try require(leak >= 0 && leak < 1, "--leak \(leak): at least 0 and below 1") }
    if let refractory {
      try require((0...4096).contains(refractory), "--refractory \(refractory): between 0 and 4096 sub-steps")
    }
    if let gainBits {
      try require((1...52).contains(gainBits), "--gain-bits \(gainBits): between 1 and 52 bits")
    }
  }

  /// - Throws: `ValidationError` for a code that there is not.
  func request(_ code: String, seed: UInt64?) throws -> SpikingRequest {
    var options = try options(named: code)
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
    of network: Network, reading tokens: [Int], seed: UInt64? = nil, workers: Workers
  ) throws -> EngineDescription {
    var description = exactEngine(of: network)
    guard let request = try spikes.request(seed: seed) else { return description }
    let (setup, source) = try request.resolved(description, network, reading: tokens, workers: workers)
    note("spikes \(setup.options.name); \(source)")
    description.spiking = setup
    return description
  }
}

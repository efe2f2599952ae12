import ArgumentParser
import HatchlingCommands
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract:
      "Finds the scales of spikes: how large every quantity becomes while the exact network reads a text.",
    discussion:
      "The file serves every code. --scales-by of the command that uses it says whether a quantity, a layer or a particle has one scale."
  )

  @OptionGroup var model: ModelOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String

  @Option(help: ArgumentHelp("Where the scales go.", valueName: "scales.json"))
  var out: String

  @Option(help: "Which graph form: circuit (through hubs) or direct (neuron to neuron).")
  var form: FormChoice = .circuit

  @OptionGroup var direct: DirectFormOptions

  @Option(help: "Read at most this many tokens.")
  var tokens = 4096

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    try require(
      tokens >= SpikeScales.fewestTokens,
      "--tokens \(tokens): at least \(SpikeScales.fewestTokens) are needed")
    try direct.check(form, .graph)
  }

  func run() throws {
    try OutputPaths.check([out], reading: [model.model, file])
    let workers = threads.workers
    let loaded = try model.load(workers: workers)
    let streams = try TextSource.streams(
      text: nil, files: [file], vocabulary: loaded.hyperparameters.vocabulary)
    let read = Array(streams[0].tokens.prefix(tokens))
    let description: EngineDescription =
      form == .circuit ? EngineDescription(.circuit) : EngineDescription(.direct(direct.compilerOptions))
    var progress = Progress("token", total: read.count)
    let report = try CalibrationReport(
      description, loaded, on: read, workers: workers, afterToken: { progress.update($0) })
    try ScalesFile.write(report.scales, to: out)
    if json { try Output.json(report) } else { Output.lines(report.lines) }
  }
}

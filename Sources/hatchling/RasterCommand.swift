import ArgumentParser
import HatchlingCommands
import HatchlingNumerics

struct RasterCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "raster",
    abstract: "Draws the spikes of a text: one token magnified, and the text from afar.",
    discussion: """
      Goes with --spiking. The folder --out gets token, text and intervals as SVG and PNG (by gnuplot, whose data and commands stand \
      beside them), rates.csv, intervals.csv and summary.json. docs/spikes.md shows the pictures; record --spikes writes the spikes themselves.
      """)

  @OptionGroup var options: SteppingOptions

  @OptionGroup var source: TextOptions

  @Option(
    help: ArgumentHelp("The folder for pictures and tables; made if it is not there.", valueName: "folder"))
  var out: String

  @Option(help: "Only the first N tokens.")
  var tokens: Int?

  @Option(
    help: ArgumentHelp("The token that is magnified, from 0. Default: the last one.", valueName: "token"))
  var magnify: Int?

  @Option(help: ArgumentHelp("Draw one layer, or all. Default: all.", valueName: "k|all"))
  var layer: NumberOrAll?

  @Flag(help: "From afar, neurons whose x fires instead of those whose y does.")
  var byX = false

  @Flag(
    help:
      "Neurons by community instead of by head: Leiden, on the strongest excitatory synapses of G_x, as many as degrees shows."
  )
  var byCommunity = false

  var precision: PrecisionChoice { options.precision }

  func validate() throws {
    try require(
      options.spikes.isUsed, "raster draws spikes; say which with --spiking CODE, for example few:3:10")
    try require(tokens ?? 1 >= 1, "--tokens \(tokens ?? 1): at least one token is needed")
    try require(magnify ?? 0 >= 0, "--magnify \(magnify ?? 0): tokens count from 0")
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    try options.checkOutputs(folders: [out], reading: source.files)
    let workers = options.workers
    let network = try options.model.load(workers: workers)
    let text = try source.tokens(below: network.hyperparameters.vocabulary)
    let read = Array(text.prefix(tokens ?? .max))
    var request = RasterRequest()
    (request.token, request.layer, request.showsX) = (magnify, layer?.number, byX)
    try request.check(tokens: read.count, layers: network.hyperparameters.layers)
    if byCommunity { request.groups = try RasterGroups.communities(of: network, workers: workers) }
    let stepper = try StreamReader<Scalar>(
      options.engineDescription(of: network, reading: read, workers: workers), network, files: options.files,
      workers: workers)
    let study = try RasterStudy(request, of: read, on: stepper.engine)
    var progress = Progress("token", total: read.count)
    let report = try study.read(by: { try stepper.step($0) }, afterToken: { progress.update($0) })
    try stepper.finish()
    let written = try report.write(into: out)
    if options.json { try Output.json(report) } else { Output.lines(report.lines + written) }
  }
}

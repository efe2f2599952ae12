import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingModel

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Merges models by concatenating their neurons, head by head (§7.1).",
    discussion: """
      Embedding and readout are averaged. d, heads, alphabet, layers and variant must agree; the number of neurons may differ.
      """)

  @Argument(help: "Two models or more.")
  var models: [String]

  @Option(help: ArgumentHelp("The merged model.", valueName: "model.safetensors"))
  var out: String

  @OptionGroup var checkpoint: CheckpointOptions

  func run() throws {
    try require(
      out.hasSuffix(".safetensors"),
      "--out '\(out)': the merged model is a safetensors file, name it .safetensors")
    try OutputPaths.check([out], reading: models)
    let loaded = try models.map { try checkpoint.load($0) }
    for model in loaded { for warning in model.warnings { note("warning: \(warning)") } }
    let merged = try Weights.merged(loaded.map(\.weights), names: models)
    let names = models.map(\.nameInPath.escaped)
    try merged.save(to: out, metadata: ["merged_from": names.joined(separator: ", ")])
    let parts = loaded.map { grouped($0.hyperparameters.neurons) }.joined(separator: " + ")
    Output.line("\(parts) = \(grouped(merged.hyperparameters.neurons)) neurons, written to \(out)")
  }
}

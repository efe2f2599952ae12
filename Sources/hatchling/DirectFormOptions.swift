import ArgumentParser
import Foundation
import HatchlingCompiler
import HatchlingModel

/// A number of edges: `30000`, `30_000` or `3e4`.
struct EdgeCount: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let digits = argument.filter { $0 != "_" }
    if let count = Int(digits), count >= 0, count <= Int(Int32.max) {
      self.count = count
    } else if let value = Double(digits), value >= 0, value <= Double(Int32.max), value == value.rounded() {
      count = Int(value)
    } else {
      return nil
    }
  }
}

extension EdgeCount {
  /// Numbers separated by commas. - Throws: `ValidationError`, for a part that is none `complaint`.
  static func list(
    _ text: String, in range: ClosedRange<Int> = 0...Int.max, complaint: (Substring) -> String
  ) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let count = EdgeCount(argument: part.trimmingCharacters(in: .whitespaces))?.count
      guard let count, range.contains(count) else { throw ValidationError(complaint(part)) }
      return count
    }
  }
}

extension DirectOptions.Plastic: ExpressibleByArgument {}

/// What a pruned direct graph does about what it lost.
struct RepairOptions: ParsableArguments {
  @Flag(help: "Rank token → neuron edges with the others; otherwise all of them are kept, beside M.")
  var pruneTokens = false

  @Flag(help: "Keep excitatory edges only.")
  var excitatoryOnly = false

  @Option(help: "Which synapses learn: those of G_x that are kept, or a complete graph.")
  var plastic: DirectOptions.Plastic = .kept

  @Flag(help: "Give every neuron the same number of edges, M / n of each graph.")
  var perNeuron = false

  @Flag(help: "Multiply a neuron's kept weights to have the norm of all of them.")
  var rescale = false

  @Option(
    help: ArgumentHelp(
      "Hubs that carry the best approximation of rank R; edges are then the strongest of the rest.",
      valueName: "r"))
  var hubs = 0

  func validate() throws {
    try require(hubs >= 0, "--hubs \(hubs): a number of hubs is not negative")
  }

  /// Anything but the defaults.
  var isUsed: Bool { pruneTokens || excitatoryOnly || plastic != .kept || perNeuron || rescale || hubs != 0 }

  func options(_ kept: DirectOptions.Kept) -> DirectOptions {
    DirectOptions(
      kept: kept, excitatoryOnly: excitatoryOnly, prunesTokens: pruneTokens, plastic: plastic,
      rescales: rescale, hubs: hubs)
  }

  func options(keeping edges: Int) -> DirectOptions {
    options(perNeuron ? .strongestPerNeuron(edges) : .strongest(edges))
  }
}

/// Pruning of the direct form, shared by the commands that compile it.
struct DirectFormOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Direct form: keep the entries of G_x and G_y of at least B.", valueName: "b"))
  var threshold: Double?

  @Option(help: ArgumentHelp("Direct form: keep the strongest M edges of G_x and of G_y.", valueName: "m"))
  var edges: EdgeCount?

  @OptionGroup(title: "Pruned direct graphs") var repairs: RepairOptions

  var isUsed: Bool { threshold != nil || edges != nil || repairs.isUsed }

  func validate() throws {
    try require(
      threshold == nil || edges == nil, "--threshold and --edges exclude each other; give one of them")
    try require(edges != nil || !repairs.perNeuron, "--per-neuron shares out --edges M; give it too")
    try require(
      edges != nil || threshold != nil || !repairs.isUsed,
      "--prune-tokens, --excitatory-only, --plastic, --rescale and --hubs go with a pruned graph; add --edges M or --threshold B"
    )
  }

  /// - Throws: `ValidationError` when options of the direct form meet a run of something else.
  func check(_ form: GraphForm?, _ engine: EngineChoice = .graph) throws {
    try require(
      !isUsed || form == .direct && engine == .graph,
      "--threshold, --edges and what goes with them prune the direct graph; add --form direct")
  }

  var compilerOptions: DirectOptions {
    edges.map { repairs.options(keeping: $0.count) } ?? threshold.map { repairs.options(.atLeast($0)) }
      ?? DirectOptions()
  }
}
